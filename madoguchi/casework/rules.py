"""How a case moves, what a request to a division may become, and what a closing needs."""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from madoguchi.foundation.dates import era_year, fiscal_year
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.rules import add_open_days


class StepNotAllowed(RuleBroken):
    """The case, or the request, cannot take this step from where it stands."""


class CaseClosed(RuleBroken):
    """A closed case is read, not written."""


class EditConflict(RuleBroken):
    """Somebody saved another text in between; nothing was overwritten."""


class RecordOutstanding(RuleBroken):
    """A division still owes its record, and no reason was given for closing without it."""


class OfficerMissing(RuleBroken):
    """A restricted case is handed to a named person, never to a whole division."""


class SurveyClosed(RuleBroken):
    """The survey was answered already, or its time is over."""


class Status(StrEnum):
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    HANDED_OVER = "handed_over"
    ANSWERED = "answered"
    CLOSED = "closed"


STATUS_LABELS = {
    Status.RECEIVED: "受理",
    Status.IN_PROGRESS: "対応中",
    Status.HANDED_OVER: "所管課へ依頼中",
    Status.ANSWERED: "対応記録受領",
    Status.CLOSED: "終了",
}

OPEN = tuple(status.value for status in Status if status is not Status.CLOSED)

STEPS: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.IN_PROGRESS, Status.HANDED_OVER, Status.CLOSED}),
    Status.IN_PROGRESS: frozenset({Status.IN_PROGRESS, Status.HANDED_OVER, Status.CLOSED}),
    Status.HANDED_OVER: frozenset(
        {Status.HANDED_OVER, Status.IN_PROGRESS, Status.ANSWERED, Status.CLOSED}
    ),
    Status.ANSWERED: frozenset(
        {Status.ANSWERED, Status.IN_PROGRESS, Status.HANDED_OVER, Status.CLOSED}
    ),
    Status.CLOSED: frozenset({Status.IN_PROGRESS}),
}


def check_step(now: Status, then: Status) -> None:
    """
    Let the case go from one status to the next.

    :raises CaseClosed: it is closed, and only reopening it is possible.
    :raises StepNotAllowed: the table of steps does not know the step.
    """
    if then in STEPS[now]:
        return
    if now is Status.CLOSED:
        raise CaseClosed("この案件は終了しています。続けるときは、先に再開してください。")
    raise StepNotAllowed(
        f"「{STATUS_LABELS[now]}」の案件を「{STATUS_LABELS[then]}」にはできません。"
    )


class Kind(StrEnum):
    CONSULTATION = "consultation"
    INQUIRY = "inquiry"
    COMPLAINT = "complaint"
    REQUEST = "request"
    PROPOSAL = "proposal"
    OPINION = "opinion"
    PETITION = "petition"
    THANKS = "thanks"
    REPORT = "report"


KIND_LABELS = {
    Kind.CONSULTATION: "相談",
    Kind.INQUIRY: "問い合わせ",
    Kind.COMPLAINT: "苦情",
    Kind.REQUEST: "要望",
    Kind.PROPOSAL: "提案",
    Kind.OPINION: "意見",
    Kind.PETITION: "陳情",
    Kind.THANKS: "感謝・お礼",
    Kind.REPORT: "情報提供・通報",
}


class Channel(StrEnum):
    COUNTER = "counter"
    PHONE = "phone"
    LETTER = "letter"
    FAX = "fax"
    MAIL = "mail"
    FORM = "form"
    MAYOR_LETTER = "mayor_letter"
    OPINION_BOX = "opinion_box"
    LINE = "line"
    ONLINE = "online"
    ONSITE = "onsite"
    INTERNAL = "internal"


CHANNEL_LABELS = {
    Channel.COUNTER: "窓口",
    Channel.PHONE: "電話",
    Channel.LETTER: "手紙・はがき",
    Channel.FAX: "FAX",
    Channel.MAIL: "メール",
    Channel.FORM: "問い合わせフォーム",
    Channel.MAYOR_LETTER: "市長への手紙",
    Channel.OPINION_BOX: "意見箱",
    Channel.LINE: "LINE",
    Channel.ONLINE: "オンライン相談",
    Channel.ONSITE: "訪問・現場",
    Channel.INTERNAL: "庁内・他機関からの引き継ぎ",
}


class HandoverKind(StrEnum):
    COME = "come"
    TAKE = "take"


HANDOVER_KIND_LABELS = {HandoverKind.COME: "出向依頼", HandoverKind.TAKE: "引き継ぎ"}


class HandoverState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    RETURNED = "returned"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


HANDOVER_STATE_LABELS = {
    HandoverState.ASKED: "返事待ち",
    HandoverState.ACCEPTED: "承諾",
    HandoverState.ARRIVED: "同席中",
    HandoverState.RETURNED: "対応記録あり",
    HandoverState.DECLINED: "辞退",
    HandoverState.WITHDRAWN: "取り下げ",
}

# A request whose record the centre still waits for.
OUTSTANDING = frozenset({HandoverState.ASKED, HandoverState.ACCEPTED, HandoverState.ARRIVED})
# A request that gives the division no sight of the case any more.
REFUSED = (HandoverState.DECLINED.value, HandoverState.WITHDRAWN.value)

HANDOVER_STEPS: dict[HandoverState, frozenset[HandoverState]] = {
    HandoverState.ASKED: frozenset(
        {
            HandoverState.ACCEPTED,
            HandoverState.ARRIVED,  # an officer who simply walks over need not press twice
            HandoverState.DECLINED,
            HandoverState.WITHDRAWN,
        }
    ),
    HandoverState.ACCEPTED: frozenset(
        {
            HandoverState.ARRIVED,
            HandoverState.RETURNED,
            HandoverState.DECLINED,
            HandoverState.WITHDRAWN,
        }
    ),
    HandoverState.ARRIVED: frozenset({HandoverState.RETURNED, HandoverState.WITHDRAWN}),
    HandoverState.RETURNED: frozenset(),
    HandoverState.DECLINED: frozenset(),
    HandoverState.WITHDRAWN: frozenset(),
}


def check_handover_step(now: HandoverState, then: HandoverState, *, kind: HandoverKind) -> None:
    """
    Let the request go from one state to the next; only a 出向依頼 has somebody arrive.

    :raises StepNotAllowed: the table of steps does not know the step.
    """
    if then is HandoverState.ARRIVED and kind is HandoverKind.TAKE:
        raise StepNotAllowed(
            "引き継ぎには到着がありません。対応したら、対応記録を返してください。"
        )
    if then not in HANDOVER_STEPS[now]:
        raise StepNotAllowed(
            f"この依頼は「{HANDOVER_STATE_LABELS[now]}」です。画面を読み込み直して、確認してください。"
        )


def status_of(states: Iterable[HandoverState]) -> Status:
    """Return the status of an open case from the states of its requests."""
    found = set(states)
    if found & OUTSTANDING:
        return Status.HANDED_OVER
    return Status.ANSWERED if HandoverState.RETURNED in found else Status.IN_PROGRESS


class Result(StrEnum):
    ADVISED = "advised"
    JOINED = "joined"
    PASSED_ON = "passed_on"
    RECORD_RETURNED = "record_returned"
    REFERRED = "referred"
    CONNECTED = "connected"
    SPECIALIST = "specialist"
    CONFERENCE = "conference"
    CONTINUED = "continued"
    WITHDRAWN = "withdrawn"
    OUT_OF_SCOPE = "out_of_scope"


RESULT_LABELS = {
    Result.ADVISED: "助言・情報提供で終了",
    Result.JOINED: "所管課が同席し解決",
    Result.PASSED_ON: "所管課へ引き継ぎ",
    Result.RECORD_RETURNED: "所管課から対応記録を受領",
    Result.REFERRED: "外部機関を紹介",
    Result.CONNECTED: "外部機関へ直接つないだ（同行・同席・オンライン）",
    Result.SPECIALIST: "専門相談を予約",
    Result.CONFERENCE: "支援会議へ付議",
    Result.CONTINUED: "継続（別の案件で対応）",
    Result.WITHDRAWN: "本人の意向で終了",
    Result.OUT_OF_SCOPE: "対象外",
}


class Understanding(StrEnum):
    AGREED = "agreed"
    UNDERSTOOD = "understood"
    PARTLY = "partly"
    NOT_AGREED = "not_agreed"
    UNKNOWN = "unknown"


UNDERSTANDING_LABELS = {
    Understanding.AGREED: "理解し、納得された",
    Understanding.UNDERSTOOD: "理解された（納得はされていない）",
    Understanding.PARTLY: "一部、理解されていない",
    Understanding.NOT_AGREED: "理解・納得されていない",
    Understanding.UNKNOWN: "確認できない（匿名・連絡がつかない）",
}

# 自立相談支援の標準様式: the sixteen worries of the intake sheet, the worst marked ◎.
WORRY_LABELS = {
    "health": "病気や健康、障害のこと",
    "housing": "住まいについて",
    "income": "収入・生活費のこと",
    "rent": "家賃やローンの支払いのこと",
    "taxes": "税金や公共料金等の支払いについて",
    "debt": "債務について",
    "job_search": "仕事探し、就職について",
    "job_trouble": "仕事上の不安やトラブル",
    "neighborhood": "地域との関係について",
    "family": "家族との関係について",
    "children": "子育てのこと",
    "care": "介護のこと",
    "withdrawal": "ひきこもり・不登校",
    "violence": "DV・虐待",
    "food": "食べるものがない",
    "other": "その他",
}

# The fields of consultation a new city starts with; it may rename and retire them.
STANDARD_CATEGORIES = (
    ("ADMIN", "行政手続・市政"),
    ("CONSUMER", "消費生活"),
    ("LEGAL", "法律（相続・離婚・金銭・契約）"),
    ("HOUSEHOLD", "家計・債務"),
    ("WELFARE", "福祉・生活困窮"),
    ("MENTAL", "こころ・心配ごと"),
    ("FAMILY", "家庭・家族関係"),
    ("CHILD", "子育て・教育"),
    ("ELDER", "高齢・介護"),
    ("DISAB", "障害"),
    ("DV", "DV・虐待・人権"),
    ("NEIGHBOR", "近隣・生活環境（騒音・空き家・ごみ・動物）"),
    ("HOUSING", "住まい・不動産・登記"),
    ("TAX", "税・保険・年金"),
    ("TRAFFIC", "交通事故"),
    ("LABOR", "仕事・労働"),
    ("BUSINESS", "経営・創業"),
    ("FOREIGN", "外国人・多文化"),
    ("DISASTER", "防災・防犯"),
    ("OTHER", "その他"),
)
SENSITIVE_CATEGORIES = frozenset({"DV"})


class SurveyItem(StrEnum):
    OVERALL = "overall"
    GREETING = "greeting"
    WORDS = "words"
    LISTENING = "listening"
    EXPLANATION = "explanation"
    FORMS = "forms"
    TIME = "time"
    SIGNS = "signs"
    WAITING = "waiting"
    PRIVACY = "privacy"
    APPEARANCE = "appearance"


SURVEY_LABELS = {
    SurveyItem.OVERALL: "窓口サービスの全体的な印象",
    SurveyItem.GREETING: "職員のあいさつ・声かけ",
    SurveyItem.WORDS: "言葉遣いのていねいさ",
    SurveyItem.LISTENING: "話を伺う態度",
    SurveyItem.EXPLANATION: "説明の分かりやすさ",
    SurveyItem.FORMS: "申請書類の記入のしやすさ",
    SurveyItem.TIME: "用件が済むまでの時間",
    SurveyItem.SIGNS: "案内表示の分かりやすさ",
    SurveyItem.WAITING: "待合場所の快適さ・清潔さ",
    SurveyItem.PRIVACY: "プライバシーへの配慮",
    SurveyItem.APPEARANCE: "身だしなみ",
}
# After a consultation only these are asked: a short survey is a survey that comes back.
ASKED_AFTER_CONSULTATION = (
    SurveyItem.OVERALL,
    SurveyItem.LISTENING,
    SurveyItem.EXPLANATION,
    SurveyItem.WORDS,
    SurveyItem.TIME,
    SurveyItem.PRIVACY,
)
SCORE_LABELS = {5: "満足", 4: "やや満足", 3: "どちらともいえない", 2: "やや不満", 1: "不満"}
ANSWER_WITHIN = timedelta(days=14)
SURVEY_OPEN_FOR = timedelta(days=90)
SURVEY_CODE_DIGITS = 12


def case_number(*, on: date, number: int) -> str:
    """Return R8-00012: the fiscal year of the day, and the number within it."""
    _, letter, year = era_year(fiscal_year(on))
    return f"{letter}{year}-{number:05d}"


_NUMBER = re.compile(r"^([A-Za-z])(\d{1,2})[-‐−ー](\d{1,6})$")


def read_case_number(text: str) -> str:
    """Return the number a text is, as we write it (r8-12 → R8-00012); "" for any other text."""
    found = _NUMBER.match(unicodedata.normalize("NFKC", text).strip())
    if not found:
        return ""
    return f"{found[1].upper()}{int(found[2])}-{int(found[3]):05d}"


def days_as_marks(since: date | None, until: date | None) -> set[str]:
    """
    Return a span of days as whole years, months and days: y:2026, m:202604, d:20260401.

    Without a beginning it reaches back to 1990, without an end forty years beyond.
    """
    first = since or date(1990, 1, 1)
    last = min(until or date(min(first.year, 9_900) + 40, 12, 31), date(9998, 12, 31))
    marks = set()
    day = first
    while day <= last:
        year_end, month_end = date(day.year, 12, 31), _month_end(day)
        if (day.month, day.day) == (1, 1) and year_end <= last:
            marks.add(f"y:{day:%Y}")
            day = year_end
        elif day.day == 1 and month_end <= last:
            marks.add(f"m:{day:%Y%m}")
            day = month_end
        else:
            marks.add(f"d:{day:%Y%m%d}")
        day += timedelta(days=1)
    return marks


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def record_due_on(day: date, *, days: int, counts_closed_days: bool) -> date:
    """
    Return when the record of a request made on the day is due; never on a closed day.

    石岡市・岡崎市の要綱 say 「5日以内」 and leave open which days: the city chooses.
    """
    if counts_closed_days:
        return add_open_days(day + timedelta(days=days), 0)
    return add_open_days(day, days)


def answer_due_on(received_on: date) -> date:
    """Return by when the resident is to have an answer: two weeks, then the next open day."""
    return add_open_days(received_on + ANSWER_WITHIN, 0)


def check_survey(*, closed_at: datetime, is_answered: bool, at: datetime) -> None:
    """
    Let the resident answer once, within ninety days of the closing.

    :raises SurveyClosed: it was answered, or the time is over.
    """
    if is_answered:
        raise SurveyClosed("このアンケートには、すでにお答えいただいています。")
    if at > closed_at + SURVEY_OPEN_FOR:
        raise SurveyClosed("このアンケートの受付は終わりました。")


def show_survey_code(code: str) -> str:
    """Return 1234-5678-9012."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


# H. M. Damm, "Total anti-symmetrische Quasigruppen" (2004): the check digit finds every single
# wrong digit and every swap of neighbours, the two slips people make when copying from paper.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """Return the check digit of a string of digits."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return str(interim)


def is_survey_code(code: str) -> bool:
    """Say whether the digits are a code we could have printed."""
    return len(code) == SURVEY_CODE_DIGITS and code.isdecimal() and check_digit(code) == "0"


@dataclass(frozen=True)
class Moment:
    """One line of the timeline of a case."""

    at: datetime
    kind: str  # received, contact, revised, asked, accepted, …: also the CSS class and the icon
    title: str
    by: str
    text: str = ""
    note: str = ""
    id: int = 0


def worries_as_text(worries: Mapping[str, bool]) -> str:
    """Return the worries as the sheet marks them: ◎住まいについて、○介護のこと."""
    return "、".join(
        f"{'◎' if worries[code] else '○'}{label}"
        for code, label in WORRY_LABELS.items()
        if code in worries
    )


# A run of one script is about a word; what has no script of its own stands alone.
_WORDS = re.compile(
    r"[一-鿿々〆ヶ\U00020000-\U0003FFFF]+|[ぁ-ゟ]+|[ァ-ヿー]+|[0-9A-Za-z０-９]+|\s+|.", re.DOTALL
)
_SENTENCES = re.compile(r"[^。\n]*[。\n]|[^。\n]+")
WORDS_COMPARED = (
    2_000  # longer texts are compared by sentences: the comparison grows by the square
)


class Side(StrEnum):
    """Where a piece of two compared texts stands."""

    BOTH = "both"
    SAVED = "saved"
    MINE = "mine"


def compare(saved: str, mine: str) -> list[tuple[Side, str]]:
    """
    Return the two texts as one, word by word: what both say, what one of them says alone.

    The pieces of BOTH and SAVED give `saved` again, those of BOTH and MINE give `mine`.
    """
    old, new = _WORDS.findall(saved), _WORDS.findall(mine)
    if max(len(old), len(new)) > WORDS_COMPARED:
        old, new = _SENTENCES.findall(saved), _SENTENCES.findall(mine)
    pieces: list[tuple[Side, str]] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for step, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if step == "equal":
            pieces.append((Side.BOTH, "".join(old[old_from:old_to])))
            continue
        pieces.append((Side.SAVED, "".join(old[old_from:old_to])))
        pieces.append((Side.MINE, "".join(new[new_from:new_to])))
    return [(side, text) for side, text in pieces if text]
