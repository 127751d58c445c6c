"""
Ordinary complaint or harassment (カスハラ)? The aid lays the city's standard beside the facts.

Two axes and the effect, as nearly all cities write it: is what is asked reasonable
(要求内容の妥当性), is the way of asking within what society accepts (手段・態様の相当性), is the
workplace harmed (就業環境への影響). The aid shows which lines of the standard speak and why; it
never decides. Law: 労働施策総合推進法 33条 (in force 2026-10-01); 厚生労働省 manual (2022).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from madoguchi.foundation.errors import RuleBroken


class NotReady(RuleBroken):
    """Something must be asked before this may be written."""


class Demand(StrEnum):
    FAIR = "fair"
    PARTLY = "partly"
    UNFAIR = "unfair"
    UNKNOWN = "unknown"


class Manner(StrEnum):
    FITTING = "fitting"
    UNFITTING = "unfitting"
    GRAVE = "grave"
    UNKNOWN = "unknown"


class Effect(StrEnum):
    NONE = "none"
    SLIGHT = "slight"
    HARMED = "harmed"
    GRAVE = "grave"


class Result(StrEnum):
    NONE = "none"
    WATCH = "watch"
    YES = "yes"
    CRIME = "crime"
    PENDING = "pending"


class Fault(StrEnum):
    """市側の不備."""

    NO = "no"
    PARTLY = "partly"
    YES = "yes"
    UNKNOWN = "unknown"


class Need(StrEnum):
    """配慮すべき事情 (障害・認知症・病気・言葉など)."""

    NOT_ASKED = "not_asked"
    NO = "no"
    MET = "met"
    OPEN = "open"


class Act(StrEnum):
    """The common set; a city renames its types and maps them to these."""

    TIME = "TIME"
    REPEAT = "REPEAT"
    ABUSE = "ABUSE"
    VIOLENCE = "VIOLENCE"
    THREAT = "THREAT"
    AUTHORITY = "AUTHORITY"
    OFFSITE = "OFFSITE"
    SNS = "SNS"
    SEXUAL = "SEXUAL"
    DISCRIM = "DISCRIM"
    EXCESS = "EXCESS"
    NITPICK = "NITPICK"
    OTHER = "OTHER"


DEMAND_LABELS = {
    Demand.FAIR: "妥当",
    Demand.PARTLY: "一部妥当",
    Demand.UNFAIR: "妥当性なし",
    Demand.UNKNOWN: "未確認",
}
MANNER_LABELS = {
    Manner.FITTING: "相当",
    Manner.UNFITTING: "不相当",
    Manner.GRAVE: "著しく不相当",
    Manner.UNKNOWN: "未確認",
}
EFFECT_LABELS = {
    Effect.NONE: "なし",
    Effect.SLIGHT: "軽微",
    Effect.HARMED: "あり",
    Effect.GRAVE: "重大",
}
RESULT_LABELS = {
    Result.NONE: "該当しない（通常の苦情・要望）",
    Result.WATCH: "該当のおそれ（引き続き見る）",
    Result.YES: "該当する",
    Result.CRIME: "該当し、犯罪に当たり得る",
    Result.PENDING: "判断を保留",
}
FAULT_LABELS = {
    Fault.NO: "なし",
    Fault.PARTLY: "一部あり",
    Fault.YES: "あり",
    Fault.UNKNOWN: "確認中",
}
NEED_LABELS = {
    Need.NOT_ASKED: "まだ確かめていない",
    Need.NO: "事情はない",
    Need.MET: "事情に配慮した",
    Need.OPEN: "事情があり、配慮がまだ",
}
ACT_LABELS = {
    Act.TIME: "時間拘束",
    Act.REPEAT: "繰り返し",
    Act.ABUSE: "暴言・侮辱",
    Act.VIOLENCE: "暴力",
    Act.THREAT: "威嚇・脅迫",
    Act.AUTHORITY: "権威・特別扱いの要求",
    Act.OFFSITE: "施設外での拘束",
    Act.SNS: "SNS・無断撮影",
    Act.SEXUAL: "性的な言動",
    Act.DISCRIM: "差別的な言動",
    Act.EXCESS: "過剰・不当な要求",
    Act.NITPICK: "揚げ足取り",
    Act.OTHER: "その他",
}


@dataclass(frozen=True)
class Facts:
    """What is known at this moment."""

    demand: Demand
    manner: Manner
    effect: Effect
    acts: frozenset[Act] = frozenset()
    fault: Fault = Fault.NO
    need: Need = Need.NO
    stop_requests: int = 0


@dataclass(frozen=True)
class Line:
    """
    One line of the city's standard.

    :param when: for each named fact the accepted values; all must hold. `acts`: one of them;
        `stop_requests`: at least so many.
    :param caps: the result may not be heavier than this one, whatever else speaks.
    """

    code: str
    result: Result
    words: str
    source: str
    when: Mapping[str, Any] = field(default_factory=dict)
    caps: bool = False

    def speaks(self, facts: Facts) -> bool:
        return all(_holds(name, wanted, facts) for name, wanted in self.when.items())


def _holds(name: str, wanted: Any, facts: Facts) -> bool:
    if name == "acts":
        return any(act in facts.acts for act in wanted)
    if name == "stop_requests":
        return facts.stop_requests >= int(wanted)
    return getattr(facts, name) in wanted


_MANUAL = "厚生労働省 対策企業マニュアル（2022）"
_TOKYO = "東京都 各団体共通マニュアル（2025）"
_LAW = "労働施策総合推進法33条（2026年10月施行）"

BUILT_IN: tuple[Line, ...] = (
    Line(
        "crime_violence",
        Result.CRIME,
        "暴力や物を壊す行為は、初めから警察に相談・通報する。",
        _TOKYO,
        {"acts": ["VIOLENCE"]},
    ),
    Line(
        "crime_threat",
        Result.CRIME,
        "危害を告げる脅しは、犯罪に当たり得る。",
        "札幌市 広聴部門の基準（2024）",
        {"acts": ["THREAT"], "manner": ["grave"]},
    ),
    Line(
        "crime_sexual",
        Result.CRIME,
        "体に触れる、つきまとう、盗撮するなどの性的な行為は、犯罪に当たり得る。",
        _TOKYO,
        {"acts": ["SEXUAL"], "manner": ["grave"]},
    ),
    Line(
        "grave_manner",
        Result.YES,
        "手段・態様が著しく不相当で、業務に支障があれば、要求が妥当でも該当する。",
        _MANUAL,
        {"manner": ["grave"], "effect": ["harmed", "grave"]},
    ),
    Line(
        "unfair_and_unfitting",
        Result.YES,
        "要求に妥当性がなく、手段・態様も不相当で、業務に支障がある。",
        _LAW,
        {"demand": ["unfair"], "manner": ["unfitting", "grave"], "effect": ["harmed", "grave"]},
    ),
    Line(
        "goes_on_after_requests",
        Result.YES,
        "要求に妥当な部分があっても、やめるよう二度求めたあとも不相当な行為が続いた。",
        _TOKYO,
        {
            "demand": ["fair", "partly", "unknown"],
            "manner": ["unfitting"],
            "effect": ["harmed", "grave"],
            "stop_requests": 2,
        },
    ),
    Line(
        "unfitting_once",
        Result.WATCH,
        "不相当な言動があったが、やめるよう求めて様子を見る段階である。",
        "大阪市 基本方針（2025）",
        {"manner": ["unfitting"], "demand": ["fair", "partly", "unknown"]},
    ),
    Line(
        "unfitting_slight",
        Result.WATCH,
        "言動は不相当だが、業務への支障は軽い。",
        _MANUAL,
        {"manner": ["unfitting", "grave"], "effect": ["none", "slight"]},
    ),
    Line(
        "manner_unknown",
        Result.PENDING,
        "どのような言動だったかを、見聞きした人に確かめてから判断する。",
        "福岡県の三段階の判断",
        {"manner": ["unknown"]},
    ),
    Line(
        "fitting",
        Result.NONE,
        "言い方・やり方が相当なら、要求が通らないもの、強い口調、長い話でも、通常の苦情である。",
        "東京都条例5条（顧客等の権利）",
        {"manner": ["fitting"]},
    ),
    Line(
        "own_fault",
        Result.WATCH,
        "市の不備がきっかけで要求も妥当なら、まず不備を直す。著しい言動でないかぎり該当としない。",
        "大阪市 基本方針（2025）",
        {"fault": ["yes"], "demand": ["fair"], "manner": ["unfitting"]},
        caps=True,
    ),
    Line(
        "needs_help",
        Result.WATCH,
        "障害・認知症・病気・言葉などの事情に、まだ配慮できていない。配慮が先である。",
        "東京都条例5条と障害者差別解消法の合理的配慮",
        {"need": ["open"]},
        caps=True,
    ),
)

_WEIGHT = {
    Result.NONE: 0,
    Result.WATCH: 1,
    Result.PENDING: 2,
    Result.YES: 3,
    Result.CRIME: 4,
}


@dataclass(frozen=True)
class Advice:
    """What the standard says to the facts, and what should be asked first."""

    result: Result
    lines: tuple[Line, ...]  # those that speak, the decisive one first
    missing: tuple[str, ...]


def advise(facts: Facts, standard: Sequence[Line] = BUILT_IN) -> Advice:
    """
    Lay the standard beside the facts.

    The heaviest line that speaks decides; a line that caps holds it down, but never below a
    crime. Where no line speaks the result is pending: the aid does not guess.
    """
    speaking = [line for line in standard if line.speaks(facts)]
    ruling = sorted(
        (line for line in speaking if not line.caps), key=lambda line: -_WEIGHT[line.result]
    )
    result = ruling[0].result if ruling else Result.PENDING
    caps = [line for line in speaking if line.caps]
    holding = [line for line in caps if _WEIGHT[line.result] < _WEIGHT[result]]
    if result != Result.CRIME and holding:
        result = min((line.result for line in holding), key=_WEIGHT.__getitem__)
        return Advice(result, (*holding, *ruling), _missing(facts))
    return Advice(result, (*ruling, *caps), _missing(facts))


def _missing(facts: Facts) -> tuple[str, ...]:
    asked = []
    if facts.need == Need.NOT_ASKED:
        asked.append("障害・認知症・病気・言葉など、配慮すべき事情がないかを確かめてください。")
    if facts.demand == Demand.UNKNOWN:
        asked.append("何を求めているのかを、言葉どおりに確かめてください。")
    if facts.fault == Fault.UNKNOWN:
        asked.append("市の側に不備がなかったかを、担当課に確かめてください。")
    return tuple(asked)


def check_judgement(*, result: Result, need: Need, reason: str, consulted: int) -> None:
    """
    Say whether this judgement may be written.

    :param consulted: how many others judged it together with the one who writes it.
    :raises NotReady: no reason; harassment said by one person alone, or before it was asked
        whether somebody needs help (東京都条例5条, 福岡県: a superior joins every judgement).
    """
    if not reason.strip():
        raise NotReady("理由を書いてください。該当しないときも、理由が要ります。")
    if result in (Result.YES, Result.CRIME):
        if consulted < 1:
            raise NotReady("該当の判断は、一人ではできません。一緒に判断した人を選んでください。")
        if need == Need.NOT_ASKED:
            raise NotReady("配慮すべき事情がないかを確かめてから、該当と判断してください。")


def standard_from(rows: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Return a city's stored standard as lines."""
    return tuple(Line(**{**row, "result": Result(row["result"])}) for row in rows)


def standard_to(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return lines as they are stored."""
    return [
        {
            "code": line.code,
            "result": line.result.value,
            "words": line.words,
            "source": line.source,
            "when": dict(line.when),
            "caps": line.caps,
        }
        for line in lines
    ]
