"""
The decisions of booking, in plain Python.

A counter's day is one row of two bit masks. Bit i is the 15 minutes that begin i * 15 minutes
after GRID_START; a day has CELLS of them, so that a mask fits a signed 64-bit integer on every
database. `open` says where the counter is open, `busy` where somebody has booked; they are kept
apart so that editing opening hours never touches a booking.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from madoguchi.foundation import readings
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.rules import add_open_days

JST = ZoneInfo("Asia/Tokyo")
CELL_MINUTES = 15
CELLS = 62
GRID_START = time(7, 0)
GRID_END = time(22, 30)
WHOLE_DAY = (1 << CELLS) - 1
CELL_STARTS = tuple(
    time(GRID_START.hour + minutes // 60, minutes % 60)
    for minutes in range(0, CELL_MINUTES * CELLS, CELL_MINUTES)
)

HORIZON_DAYS = 190  # how far ahead counter-days are laid out
MAX_OPENS_DAYS = 180
RELEASE_AT = time(8, 30)  # the last bookable day is released when the office is awake
CONFIRM = (5, 24 * 60)  # minutes within which a booking may have to be confirmed by mail
HOLD = timedelta(minutes=15)  # how long a place is kept while the form is filled in
CLOSE_AT = time(17, 0)  # and booking for a day ends while it still is
MOST_CELLS = 32  # eight hours: the longest visit, its buffers included
FEW = 3  # △ from this many free starts downwards


class Stage(StrEnum):
    """段階的導入: how far a service has gone from queueing to booking."""

    ANNOUNCED = "announced"
    REQUIRED = "required"
    ONLINE = "online"


STAGE_LABELS = {
    Stage.ANNOUNCED: "告知（予約なしで受付）",
    Stage.REQUIRED: "予約制（電話・窓口で予約）",
    Stage.ONLINE: "オンライン予約",
}


class Source(StrEnum):
    """How an appointment was made."""

    WEB = "web"
    PHONE = "phone"
    COUNTER = "counter"


SOURCE_LABELS = {Source.WEB: "オンライン", Source.PHONE: "電話", Source.COUNTER: "窓口"}


class AppointmentStatus(StrEnum):
    PENDING = "pending"  # waits for the confirmation by mail; the place is taken meanwhile
    BOOKED = "booked"
    ARRIVED = "arrived"
    MISSED = "missed"
    CANCELLED = "cancelled"


APPOINTMENT_LABELS = {
    AppointmentStatus.PENDING: "確認待ち",
    AppointmentStatus.BOOKED: "予約済",
    AppointmentStatus.ARRIVED: "来庁",
    AppointmentStatus.MISSED: "来庁なし",
    AppointmentStatus.CANCELLED: "取消",
}
STANDING = frozenset({AppointmentStatus.PENDING, AppointmentStatus.BOOKED})  # may be cancelled
FREE_AGAIN = frozenset({AppointmentStatus.CANCELLED})  # every other status occupies its cells


# From the n-th time on within one span, from one address: so many bits of work (foundation.work).
# A family books twice or thrice and is never asked; a library's visitors wait a second.
WORK = ((5, 15), (10, 17), (20, 19))


def bits_of_work(times: int) -> int:
    """Return how much the visitor's machine computes before the n-th booking; 0 = nothing."""
    return max((bits for after, bits in WORK if times > after), default=0)


class Full(RuleBroken):
    """The place was taken, or never was free."""


class NotBookable(RuleBroken):
    """The service, the site or the start cannot be booked this way; `field` says which."""

    def __init__(self, message: str, *, field: str = "start") -> None:
        super().__init__(message)
        self.field = field


class KeyReused(RuleBroken):
    """The same idempotency key came with another content."""


class StepNotAllowed(RuleBroken):
    """The appointment is not in a state for this step."""


# --- masks -----------------------------------------------------------------------------------


def cells_for(minutes: int) -> int:
    """Return how many cells a service of so many minutes takes, rounded up."""
    return -(-minutes // CELL_MINUTES)


def length(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


def run_mask(first: int, cells: int) -> int:
    """Return the mask of `cells` cells from cell `first`."""
    return ((1 << cells) - 1) << first


def period_mask(opens: time, closes: time) -> int:
    """Return the cells that lie wholly within the period; the grid's ends cut it."""
    return _cells_between(-(-_minutes(opens) // CELL_MINUTES), _minutes(closes) // CELL_MINUTES)


def touched_mask(begins: time, ends: time) -> int:
    """Return the cells of which any minute lies in the period: what a closure shuts."""
    return _cells_between(_minutes(begins) // CELL_MINUTES, -(-_minutes(ends) // CELL_MINUTES))


def _cells_between(first: int, end: int) -> int:
    first, end = max(0, first), min(CELLS, end)
    return run_mask(first, end - first) if end > first else 0


def _minutes(at: time) -> int:
    return (at.hour - GRID_START.hour) * 60 + at.minute - GRID_START.minute


def cell_of(start: datetime) -> int:
    """
    Return the cell that begins at this moment, Japanese time.

    :raises NotBookable: no cell of the grid begins then.
    """
    local = start.astimezone(JST)
    cell, rest = divmod(_minutes(local.time()), CELL_MINUTES)
    if rest or local.second or local.microsecond or not 0 <= cell < CELLS:
        raise NotBookable("その時刻からは予約できません。表示された時刻から選んでください。")
    return cell


def start_of(day: date, cell: int) -> datetime:
    """Return the moment at which a cell begins."""
    return datetime.combine(day, CELL_STARTS[cell], JST)


def starts(free: int, cells: int) -> int:
    """
    Return the mask of every cell from which `cells` free cells follow.

    The run length is doubled at each step (1, 2, 4 …), so a visit of n cells takes log2 n
    shifts.
    """
    runs, length = free, 1
    while length < cells:
        step = min(length, cells - length)
        runs &= runs >> step
        length += step
    return runs


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@dataclass(frozen=True)
class Span:
    """How many cells a visit needs: `before` to prepare, then from its start to the end."""

    cells: int
    before: int = 0

    @property
    def total(self) -> int:
        return self.before + self.cells

    def at(self, cell: int) -> int:
        """Return the cells of a visit that starts at `cell`; 0 if it does not fit the grid."""
        first = cell - self.before
        return run_mask(first, self.total) if 0 <= first <= CELLS - self.total else 0

    def starts(self, free: int) -> int:
        """Return the mask of every start whose whole visit lies in free cells."""
        return starts(free, self.total) << self.before


def span_for(*, minutes: int, before: int = 0, after: int = 0) -> Span:
    """Return the cells of a visit of so many minutes with its buffers (片付け・準備)."""
    return Span(cells=cells_for(minutes + after), before=cells_for(before))


# --- opening rules ---------------------------------------------------------------------------

WEEKDAY_NAMES = "月火水木金土日"
WEEK_NAMES = ("第1", "第2", "第3", "第4", "第5", "最終")
LAST_WEEK = 1 << 5  # in `weeks_of_month`; bit 0 is the first


class Absence(StrEnum):
    """Why a rule says nothing about a day."""

    NOT_YET = "not_yet"
    ENDED = "ended"
    WEEKDAY = "weekday"
    OTHER_WEEK = "other_week"
    WEEK_OF_MONTH = "week_of_month"


ABSENCE_LABELS = {
    Absence.NOT_YET: "適用開始日より前の日です",
    Absence.ENDED: "適用終了日を過ぎた日です",
    Absence.WEEKDAY: "この曜日の決まりではありません",
    Absence.OTHER_WEEK: "何週ごとの決まりで、この週には当たりません",
    Absence.WEEK_OF_MONTH: "第何週の決まりで、この週には当たりません",
}


@dataclass(frozen=True)
class Opening:
    """
    What one opening rule says; `service` None means every service of the counter.

    Everything is said in days and times of the wall clock, so no zone and no summer time can
    move it. Weeks begin on Monday (ISO 8601); `every_weeks` counts from the week of
    `valid_from`. An exception overrules whatever is not one.
    """

    weekdays: int  # bit 0 = Monday
    opens: time
    closes: time
    valid_from: date
    valid_until: date | None
    is_closure: bool
    service: int | None = None
    every_weeks: int = 1
    weeks_of_month: int = 0  # bits 0–4 the first to the fifth, bit 5 the last; 0 every week
    lunch: tuple[time, time] | None = None
    is_exception: bool = False
    rule: int = 0

    def absence(self, day: date) -> Absence | None:
        """Return why the rule says nothing about the day; None if it does."""
        if day < self.valid_from:
            return Absence.NOT_YET
        if self.valid_until is not None and day > self.valid_until:
            return Absence.ENDED
        if not self.weekdays >> day.weekday() & 1:
            return Absence.WEEKDAY
        if self.every_weeks > 1 and weeks_between(self.valid_from, day) % self.every_weeks:
            return Absence.OTHER_WEEK
        if self.weeks_of_month and not self.weeks_of_month & weeks_of(day):
            return Absence.WEEK_OF_MONTH
        return None

    def applies(self, day: date) -> bool:
        return self.absence(day) is None

    @property
    def mask(self) -> int:
        """Return the cells that the rule opens or shuts on a day on which it applies."""
        if self.is_closure:
            return touched_mask(self.opens, self.closes)
        lunch = touched_mask(*self.lunch) if self.lunch else 0
        return period_mask(self.opens, self.closes) & ~lunch


def weeks_between(first: date, day: date) -> int:
    """Return how many weeks after the week of `first` the day lies."""
    monday = first - timedelta(days=first.weekday())
    return (day - monday).days // 7


def weeks_of(day: date) -> int:
    """Return which of its weekday in the month the day is, as in `Opening.weeks_of_month`."""
    is_last = (day + timedelta(days=7)).month != day.month
    return 1 << (day.day - 1) // 7 | (LAST_WEEK if is_last else 0)


def pattern_words(opening: Opening) -> str:
    """Return 毎週月火, 2週ごと木, 第1・第3火 or 最終金."""
    days = "".join(name for i, name in enumerate(WEEKDAY_NAMES) if opening.weekdays >> i & 1)
    if opening.every_weeks > 1:
        return f"{opening.every_weeks}週ごと{days}"
    weeks = [name for i, name in enumerate(WEEK_NAMES) if opening.weeks_of_month >> i & 1]
    return ("・".join(weeks) or "毎週") + days


@dataclass(frozen=True)
class Ruling:
    """Which rules decide a day of a counter, and which of them had no say."""

    opening: list[Opening]
    closing: list[Opening]
    overruled: list[Opening]

    @property
    def mask(self) -> int:
        opened = closed = 0
        for rule in self.opening:
            opened |= rule.mask
        for rule in self.closing:
            closed |= rule.mask
        return opened & ~closed


def ruling(openings: Iterable[Opening], day: date, *, service: int | None) -> Ruling:
    """
    Return what decides the day for one service (None: for one that no rule names).

    Closures win over openings; where an exception opens, nothing but exceptions counts.
    """
    applying = [o for o in openings if o.service in (None, service) and o.applies(day)]
    exceptions = [o for o in applying if o.is_exception]
    deciding = exceptions if any(not o.is_closure for o in exceptions) else applying
    return Ruling(
        opening=[o for o in deciding if not o.is_closure],
        closing=[o for o in deciding if o.is_closure],
        overruled=[o for o in applying if o not in deciding],
    )


def opening_mask(
    openings: Iterable[Opening],
    day: date,
    *,
    hours: tuple[time, time] | None = None,
    service: int | None = None,
) -> int:
    """
    Return where a counter is open that day, within the site's hours (None: leave them aside).

    An opening that names a service is kept for that service alone; a closure that names one
    closes for that one. With `service` None: where the counter is open for any service. The
    order of the rules does not matter.
    """
    inside = WHOLE_DAY if hours is None else period_mask(*hours)
    if service is not None:
        return ruling(openings, day, service=service).mask & inside
    openings = list(openings)
    opened = 0
    for named in {None, *(o.service for o in openings)}:
        opened |= ruling(openings, day, service=named).mask
    return opened & inside


# --- when one may book -----------------------------------------------------------------------


def service_refusal(*, is_active: bool, stage: Stage, is_online: bool) -> str:
    """Return why a service takes no bookings this way; empty if it does."""
    if not is_active or (is_online and stage != Stage.ONLINE):
        return "この手続きは、オンラインでは予約できません。電話でお問い合わせください。"
    if stage == Stage.ANNOUNCED:
        return "この手続きは、まだ予約を受け付けていません（告知の段階です）。"
    return ""


@dataclass(frozen=True)
class Window:
    """From which moment on, up to which day and up to which share places are offered."""

    earliest: datetime
    last_day: date
    online_share: int = 100  # per cent of a counter's open cells that online bookings may take
    booking_share: int = 100  # … that all bookings together may take; the rest is for walk-ins


def booking_window(
    *,
    now: datetime,
    lead_minutes: int,
    opens_days_before: int,
    releases_at: time = RELEASE_AT,
    closes_days_before: int = 0,
    closes_at: time = CLOSE_AT,
) -> Window:
    """
    Return what a resident may book now.

    A new last day is released at `releases_at`, not at midnight: nobody need sit up for it.
    Booking for a day ends `closes_days_before` working days (開庁日) before it at `closes_at`,
    and `lead_minutes` before the start.
    """
    local = now.astimezone(JST)
    released = local.date() - timedelta(days=local.time() < releases_at)
    earliest = now + timedelta(minutes=lead_minutes)
    if closes_days_before:
        counted_from = local.date() - timedelta(days=local.time() < closes_at)
        first_day = add_open_days(counted_from, closes_days_before) + timedelta(days=1)
        earliest = max(earliest, datetime.combine(first_day, time(), JST))
    return Window(earliest=earliest, last_day=released + timedelta(days=opens_days_before))


@lru_cache(maxsize=512)  # asked once for every counter of every day
def mask_from(earliest: datetime, day: date) -> int:
    """Return the cells of the day that begin at `earliest` or later."""
    local = earliest.astimezone(JST)
    if day > local.date():
        return WHOLE_DAY
    if day < local.date():
        return 0
    minutes = _minutes(local.time()) + (1 if local.second or local.microsecond else 0)
    first = max(0, -(-minutes // CELL_MINUTES))
    return (WHOLE_DAY >> first) << first if first < CELLS else 0


class Question(StrEnum):
    """What is asked of every start before it is offered."""

    HOURS = "hours"
    TAKEN = "taken"
    TOO_SOON = "too_soon"
    NOT_RELEASED = "not_released"
    BOOKING_SHARE = "booking_share"
    ONLINE_SHARE = "online_share"


SHARES = {Question.BOOKING_SHARE, Question.ONLINE_SHARE}


class Cells(NamedTuple):
    """A counter's day as masks: where it is open, where taken, and what online bookings took."""

    open: int
    busy: int
    online: int = 0

    def taking(self, mask: int, *, is_online: bool) -> "Cells":
        online = self.online | mask if is_online else self.online
        return Cells(open=self.open, busy=self.busy | mask, online=online)

    def without(self, mask: int) -> "Cells":
        """Return the day as if these cells had not been booked."""
        return Cells(open=self.open, busy=self.busy & ~mask, online=self.online & ~mask)


def answers(
    cells: Cells, day: date, *, span: Span, window: Window
) -> tuple[tuple[Question, int], ...]:
    """
    Return for each question the starts that pass it. A start that passes all is offered.

    The search joins the answers, the explanation reads them one by one: there is no second
    place that decides.
    """
    total = span.total
    return (
        (Question.HOURS, span.starts(cells.open)),
        (Question.TAKEN, span.starts(~cells.busy & WHOLE_DAY)),
        (Question.TOO_SOON, mask_from(window.earliest, day)),
        (Question.NOT_RELEASED, WHOLE_DAY if day <= window.last_day else 0),
        (Question.BOOKING_SHARE, _within(window.booking_share, cells.busy, cells.open, total)),
        (Question.ONLINE_SHARE, _within(window.online_share, cells.online, cells.open, total)),
    )


def _within(share: int, taken: int, opened: int, total: int) -> int:
    """Return every start while the share leaves room for so many cells more, else none."""
    if share >= 100:  # whatever is free and open is within the whole
        return WHOLE_DAY
    fits = 100 * ((taken & opened).bit_count() + total) <= opened.bit_count() * share
    return WHOLE_DAY if fits else 0


def offered(cells: Cells, day: date, *, span: Span, window: Window) -> int:
    """Return the starts that are offered."""
    found = WHOLE_DAY
    for _, passing in answers(cells, day, span=span, window=window):
        found &= passing
    return found


def day_mark(*, is_open: bool, free_starts: int) -> str:
    """Return the calendar's mark for a day: ○ free, △ few left, × full, 休 closed."""
    if not is_open:
        return "休"
    if free_starts == 0:
        return "×"
    return "△" if free_starts <= FEW else "○"


# --- places that come back --------------------------------------------------------------------


class HoldKind(StrEnum):
    """Why a place is kept."""

    FORM = "form"
    RETURN = "return"
    OFFER = "offer"


HOLD_LABELS = {
    HoldKind.FORM: "入力中",
    HoldKind.RETURN: "取り消しから戻る前",
    HoldKind.OFFER: "キャンセル待ちの方に案内中",
}


class WaitingStatus(StrEnum):
    """How far somebody on the waiting list has come."""

    WAITING = "waiting"
    OFFERED = "offered"
    BOOKED = "booked"
    LAPSED = "lapsed"
    DECLINED = "declined"
    LEFT = "left"


WAITING_LABELS = {
    WaitingStatus.WAITING: "お待ち",
    WaitingStatus.OFFERED: "ご案内中",
    WaitingStatus.BOOKED: "予約済",
    WaitingStatus.LAPSED: "期限切れ",
    WaitingStatus.DECLINED: "辞退",
    WaitingStatus.LEFT: "取りやめ",
}

RETURN_AFTER = (5 * 60, 45 * 60)  # seconds: nobody can be ready at the moment it comes back
OFFER_BY_MAIL = timedelta(hours=2)
OFFER_BY_PHONE = timedelta(hours=4)  # staff must reach the person first
SHORTEST_OFFER = timedelta(minutes=15)


def return_at(*, start: datetime, at: datetime) -> datetime | None:
    """
    Return when a cancelled place is free again: by chance, and before half the time is gone.

    Who sells places cancels and books in the same second; a moment that nobody knows takes
    that away. None: it is too late to wait.
    """
    low, high = RETURN_AFTER
    after = timedelta(seconds=low + secrets.randbelow(high - low))
    after = min(after, (start - at) / 2)
    return at + after if after >= timedelta(minutes=1) else None


def offer_until(*, start: datetime, at: datetime, by_mail: bool) -> datetime | None:
    """Return until when an offered place is kept; None: too late to offer it."""
    kept = min(OFFER_BY_MAIL if by_mail else OFFER_BY_PHONE, (start - at) / 2)
    return at + kept if kept >= SHORTEST_OFFER else None


# --- numbers ---------------------------------------------------------------------------------


# 23 characters that no eye and hardly an ear takes for one another: no 0 O Q D, no 1 I L, no Z
# beside 2, no S beside 5, no B beside 8, no G beside 6, no U beside V, no N beside M. 23 is a
# prime, on which the check rests.
CODE_LETTERS = "23456789ACEFHJKMPRTVWXY"
CODE_LENGTH = 8


def check_letter(plain: str) -> str:
    """
    Return the character that makes the sum of place times value divisible by 23.

    The places count 1, 2, 3 …; both they and the values are below the prime, so that one wrong
    character changes the sum, and so do two that were swapped, neighbours or not (the scheme
    of ISBN-10, ISO 2108).
    """
    prime = len(CODE_LETTERS)
    total = sum(place * CODE_LETTERS.index(letter) for place, letter in enumerate(plain, 1))
    last = len(plain) + 1
    return CODE_LETTERS[-total * pow(last, -1, prime) % prime]


def new_number() -> str:
    """Return an appointment number: seven random characters (32 bits) and the check."""
    plain = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH - 1))
    return plain + check_letter(plain)


def new_token() -> str:
    """Return the secret of the appointment's address: 192 random bits."""
    return secrets.token_urlsafe(24)


def parse_number(text: str) -> str:
    """
    Read an appointment number as people type it: K7XM-3PWC, ｋ７ｘｍ ３ｐｗｃ.

    :raises ValueError: a character that no number has, too many or too few, or a wrong check.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    letters = re.sub(r"[\s\-‐‑–—―−ー]", "", plain)
    if strange := sorted(set(letters) - set(CODE_LETTERS)):
        raise ValueError(f"予約番号に「{strange[0]}」は使いません。似た文字をお確かめください。")
    if len(letters) != CODE_LENGTH:
        raise ValueError("予約番号は、英字と数字あわせて8文字です。")
    if check_letter(letters[:-1]) != letters[-1]:
        raise ValueError("予約番号のどこかが違うようです。もう一度お確かめください。")
    return letters


def token_in(text: str) -> str | None:
    """Return the token of an appointment's address as a scanner reads it; None if it is none."""
    found = re.search(r"/appointments/([A-Za-z0-9_-]{32})(?:/|$)", text.strip())
    return found[1] if found else None


def show_number(number: str) -> str:
    """Return K7XM-3PWC."""
    return f"{number[:4]}-{number[4:]}"


# Over a bad line "F" and "H" sound alike: each letter with a word everybody knows. With the
# readings that the paper slip prints.
SPOKEN = {
    "A": "アメリカのエー",
    "C": "カレンダーのシー",
    "E": "イングランドのイー",
    "F": "フランスのエフ",
    "H": "ハワイのエイチ",
    "J": "ジャパンのジェー",
    "K": "キログラムのケー",
    "M": "メートルのエム",
    "P": "ペンギンのピー",
    "R": "ラジオのアール",
    "T": "東京《とうきょう》のティー",
    "V": "ビクトリーのブイ",
    "W": "ワシントンのダブリュー",
    "X": "エックス線《せん》のエックス",
    "Y": "横浜《よこはま》のワイ",
}


def read_aloud(number: str) -> list[tuple[str, str]]:
    """Return each character of an appointment number with how to say it on the telephone."""
    return [(letter, readings.plain(words)) for letter, words in read_back(number)]


def read_back(number: str) -> list[tuple[str, str]]:
    """Return the same with readings over the 漢字, for a slip from which it is read back."""
    return [(letter, SPOKEN.get(letter, f"数字《すうじ》の{letter}")) for letter in number]


def phone_key(phone: str) -> str:
    """Return the digits of a telephone number, the country code folded: +81 90 → 090."""
    plain = unicodedata.normalize("NFKC", phone).strip()
    digits = re.sub(r"[^0-9]", "", plain)
    return f"0{digits[2:]}" if plain.startswith("+81") else digits


def fingerprint(*parts: str) -> str:
    """Return the digest by which a repeated request is told from another with the same key."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


# --- places ----------------------------------------------------------------------------------


def add_up(planes: list[int], mask: int) -> None:
    """
    Add one counter's starts to the count of every cell at once.

    `planes` is a vertical counter: plane k holds bit k of each cell's count.
    """
    for index, plane in enumerate(planes):
        planes[index], mask = plane ^ mask, plane & mask
        if not mask:
            return
    planes.append(mask)


def counts(planes: list[int]) -> dict[int, int]:
    """Return how many counters are free per cell, where any is."""
    somewhere = 0
    for plane in planes:
        somewhere |= plane
    found = dict.fromkeys(bits(somewhere), 0)
    for index, plane in enumerate(planes):
        for cell in bits(plane):
            found[cell] += 1 << index
    return found
