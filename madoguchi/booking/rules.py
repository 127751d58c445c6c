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
from zoneinfo import ZoneInfo

from madoguchi.foundation.errors import RuleBroken

JST = ZoneInfo("Asia/Tokyo")
CELL_MINUTES = 15
CELLS = 62
GRID_START = time(7, 0)
GRID_END = time(22, 30)
WHOLE_DAY = (1 << CELLS) - 1

HORIZON_DAYS = 190  # how far ahead counter-days are laid out
MAX_OPENS_DAYS = 180
RELEASE_AT = time(8, 30)  # the last bookable day is released when the office is awake
HOLD = timedelta(minutes=15)  # how long a place is kept while the form is filled in
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
    BOOKED = "booked"
    ARRIVED = "arrived"
    MISSED = "missed"
    CANCELLED = "cancelled"


APPOINTMENT_LABELS = {
    AppointmentStatus.BOOKED: "予約済",
    AppointmentStatus.ARRIVED: "来庁",
    AppointmentStatus.MISSED: "来庁なし",
    AppointmentStatus.CANCELLED: "取消",
}
FREE_AGAIN = frozenset({AppointmentStatus.CANCELLED})  # every other status occupies its cells


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
    begin, end = _minutes(opens), _minutes(closes)
    first = max(0, -(-begin // CELL_MINUTES))
    last = min(CELLS, end // CELL_MINUTES)
    return run_mask(first, last - first) if last > first else 0


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
    return datetime.combine(day, GRID_START, JST) + timedelta(minutes=CELL_MINUTES * cell)


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


# --- opening rules ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Opening:
    """What one opening rule says; `service` None means every service of the counter."""

    weekdays: int  # bit 0 = Monday
    opens: time
    closes: time
    valid_from: date
    valid_until: date | None
    is_closure: bool
    service: int | None = None

    def applies(self, day: date) -> bool:
        within = self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
        return within and bool(self.weekdays >> day.weekday() & 1)


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
    opened = closed = 0
    for opening in openings:
        if not opening.applies(day):
            continue
        is_for_another = opening.service not in (None, service)
        if is_for_another and (opening.is_closure or service is not None):
            continue
        mask = period_mask(opening.opens, opening.closes)
        if opening.is_closure:
            closed |= mask
        else:
            opened |= mask
    inside = WHOLE_DAY if hours is None else period_mask(*hours)
    return opened & ~closed & inside


# --- when one may book -----------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """From which moment on, and up to which day, places are offered."""

    earliest: datetime
    last_day: date


def booking_window(*, now: datetime, lead_minutes: int, opens_days_before: int) -> Window:
    """
    Return what a resident may book now.

    A new last day is released at RELEASE_AT, not at midnight: nobody need sit up for it.
    """
    released = (now.astimezone(JST) - timedelta(hours=8, minutes=30)).date()
    return Window(
        earliest=now + timedelta(minutes=lead_minutes),
        last_day=released + timedelta(days=opens_days_before),
    )


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


def day_mark(*, is_open: bool, free_starts: int) -> str:
    """Return the calendar's mark for a day: ○ free, △ few left, × full, 休 closed."""
    if not is_open:
        return "休"
    if free_starts == 0:
        return "×"
    return "△" if free_starts <= FEW else "○"


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
    return {
        cell: sum((plane >> cell & 1) << index for index, plane in enumerate(planes))
        for cell in bits(somewhere)
    }
