"""
What in a text may point at a person. Leans to finding too much: a person confirms each.

Patterns find what has a form (phones, addresses, numbers), the analyser finds names it knows,
and the names known from the case are found in every spelling.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.foundation.japanese import fold_variants
from madoguchi.knowledge import analyser


class Kind(StrEnum):
    NAME = "氏名"
    PHONE = "電話番号"
    MAIL = "メールアドレス"
    DATE = "年月日"
    ADDRESS = "住所"
    NUMBER = "番号"


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` to `end` of the text, and what they seem to be."""

    start: int
    end: int
    kind: Kind
    text: str

    @property
    def replacement(self) -> str:
        return f"［{self.kind}］"


_HYPHEN = "[-‐‑‒–—―−－]"
_BREAK = "[-‐‑‒–—―−ーｰ－ 　・.．()（）]"
_D = "[0-9０-９]"
_N = "[0-9０-９一二三四五六七八九十〇百]"
_KANJI = "[一-鿿々〆ヵヶ㐀-䶿豈-\ufaff\U00020000-\U0003134f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_KANA = "(?:[ァ-ヺー]{2,15}|[ぁ-ゖー]{2,6})"
_LATIN = "[A-Za-zＡ-Ｚａ-ｚ]"
_SPACE = "[ 　]?"
_TITLE = "(?:さん|様|さま|氏|君|くん|ちゃん|殿|どの|先生|議員|主任|係長|課長|部長|主査|主事)"
_ERA = "(?:明治|大正|昭和|平成|令和)"
_ERA_LETTER = "[MTSHRmtshrＭＴＳＨＲ]"
_DOT = r"[./．／\-－]"
_BORN = "(?:生まれ|生)"
# Every repetition has a bound: text from outside must not make the search take for ever.
_TOWN = (
    "(?:[一-鿿々ヶケ]{2,3}[都道府県])?"
    "(?:(?![はがにをのともでへや])[一-鿿々ヶケぁ-ん]{1,6}[市区町村郡]){0,2}"
)
_HOUSE = "(?:荘|ハイツ|マンション|コーポ|アパート|ビル|団地|住宅|ハイム|レジデンス)"
_FLAT = f"[A-ZＡ-Ｚ]?{_D}{{1,4}}(?:号室|号棟|棟|号)"


def _one(kind: Kind, *parts: str) -> tuple[Kind, re.Pattern[str]]:
    """Return a pattern of the parts in a row; a group named hit is what is masked of it."""
    return kind, re.compile("".join(parts))


_PATTERNS = (
    _one(Kind.MAIL, r"[\w.+\-＋．－]{1,64}[@＠][\w\-－]{1,64}(?:[.．][\w\-－]{1,64}){1,5}"),
    _one(
        Kind.PHONE,
        f"(?<!{_D})(?:[+＋]81{_BREAK}?{_D}{{1,4}}|(?:[(（](?={_D}+[)）]))?[0０]{_D}{{1,4}})",
        f"(?:{_BREAK}{{1,2}}{_D}{{1,4}}){{2}}(?!{_D})",
    ),
    _one(Kind.PHONE, f"(?<!{_D})(?:[+＋]81|[0０]){_D}{{9,10}}(?!{_D})"),
    _one(  # 電話は22の1234
        Kind.PHONE,
        "(?:電話|でんわ|TEL|Tel|tel|ＴＥＬ|携帯|内線|FAX|ＦＡＸ)[^0-9０-９\n。、]{0,8}",
        f"(?P<hit>{_D}{{2,4}}(?:(?:{_BREAK}|の){_D}{{2,4}}){{1,2}}|{_D}{{3,11}})(?!{_D}|年|月|日|時)",
    ),
    _one(
        Kind.DATE,
        f"(?:{_ERA}|(?<!{_LATIN}){_ERA_LETTER}){_SPACE}(?:元|{_N}{{1,3}})(?:年|{_DOT})",
        f"{_SPACE}{_N}{{1,3}}(?:月|{_DOT}){_SPACE}{_N}{{1,3}}日?{_BORN}?",
    ),
    _one(
        Kind.DATE,
        f"(?<!{_D})(?:[1１][89８９]|[2２][0０]){_D}{{2}}(?:年|{_DOT})",
        f"{_D}{{1,2}}(?:月|{_DOT}){_D}{{1,2}}日?{_BORN}?(?!{_D})",
    ),
    _one(
        Kind.DATE, f"(?:{_ERA}(?:元|{_N}{{1,3}})|{_D}{{4}}|{_ERA_LETTER}{_D}{{1,2}})年?早?{_BORN}"
    ),
    _one(Kind.DATE, f"{_N}{{1,2}}月{_N}{{1,3}}日{_BORN}"),
    _one(Kind.ADDRESS, f"(?:〒{_SPACE})?(?<!{_D}){_D}{{3}}[-－‐−ー]{_D}{{4}}(?!{_D}|{_HYPHEN})"),
    _one(  # 汐見市中央1丁目2番3号 汐見ハイツ201号室
        Kind.ADDRESS,
        f"{_TOWN}[一-鿿々ヶケァ-ヺ]{{1,8}}{_SPACE}{_N}{{1,4}}(?:丁目|番地|番町|番(?={_N})|条)",
        f"(?:{_SPACE}の?{_N}{{1,4}}(?:番地|番|号|丁目)?(?:(?:{_HYPHEN}|の){_D}{{1,4}})*)*",
        f"(?:{_SPACE}[一-鿿々ァ-ヺー]{{1,14}}{_HOUSE})?(?:{_SPACE}{_FLAT})*",
    ),
    _one(  # 中央1-2-3
        Kind.ADDRESS,
        f"{_TOWN}(?:大字|字)?[一-鿿々ヶケ]{{1,8}}{_SPACE}{_D}{{1,4}}(?:{_HYPHEN}{_D}{{1,4}}){{1,3}}",
        f"(?:号室|号)?(?!{_D}|月|日|年)",
    ),
    _one(  # 汐見ハイツ201号室, コーポ汐風102, 市営住宅3棟205号室
        Kind.ADDRESS,
        f"(?:[一-鿿々ァ-ヺーA-Za-zＡ-Ｚ]{{1,14}}{_HOUSE}|{_HOUSE}[一-鿿々ァ-ヺーA-Za-z]{{1,10}})",
        f"(?:{_SPACE}[A-ZＡ-Ｚ]?{_D}{{1,4}}(?:号室|号棟|棟|号)?)+",
    ),
    _one(Kind.NUMBER, f"(?<!{_D})(?:{_D}{{4}}[-－ 　]){{2,3}}{_D}{{4}}(?!{_D})"),
    _one(Kind.NUMBER, f"[RＲrHＨ]{_D}{{1,2}}{_HYPHEN}{_D}{{3,6}}(?!{_D})"),  # case numbers
    _one(
        Kind.NUMBER,
        "(?:口座|普通|当座|記号|番号|受付|整理|会員|証|ナンバー|No|NO|№|ID|ＩＤ)",
        f"[^0-9０-９\n。、]{{0,8}}(?P<hit>[A-ZＡ-Ｚ]?{_D}{{3,}}(?:(?:{_HYPHEN}|の){_D}+)*)(?!年)",
    ),
    _one(  # number plates: 品川 500 あ 12-34
        Kind.NUMBER,
        f"[一-鿿]{{2,4}}{_SPACE}{_D}{{2,3}}{_SPACE}[あ-ん]{_SPACE}{_D}{{1,2}}{_HYPHEN}?{_D}{{2}}",
    ),
    _one(Kind.NUMBER, f"(?<!{_D}){_D}{{6,}}(?!{_D})"),
    _one(Kind.NAME, f"(?P<hit>{_KANJI}{{1,4}}{_SPACE}{_KANJI}{{0,4}}){_TITLE}"),
    _one(Kind.NAME, f"(?P<hit>{_KANA}(?:[ 　・]{_KANA}){{0,3}}){_TITLE}"),
    _one(
        Kind.NAME, f"(?P<hit>{_LATIN}{{2,20}}(?:[ 　.・]{_LATIN}{{1,20}}){{0,3}}){_SPACE}{_TITLE}"
    ),
    _one(
        Kind.NAME,  # 氏名：…, 名前は…
        f"(?:氏名|名前|相談者|申請者|契約者|世帯主|名義)(?:は|：|:|＝|が){_SPACE}",
        f"(?P<hit>{_KANJI}{{1,5}}{_SPACE}{_KANJI}{{0,5}}|[ァ-ヺー・]{{2,}}",
        f"(?:[ 　][ァ-ヺー・]{{2,}})?|{_LATIN}+(?: {_LATIN}+)*)",
    ),
)

# Words that stand before さん・様・先生 without being anybody's name.
_NOBODY = analyser.vocabulary("nobody.txt")


def mask_candidates(text: str, *, known: Iterable[str] = ()) -> list[Span]:
    """
    Return the spans that may point at a person, in order, without overlaps.

    `known` are names, phones and addresses from the case itself: resident, staff, family. Each
    is found in every spelling (髙橋 or 高橋, full or half width, with or without a blank).
    """
    found = [*_known(text, known), *_patterned(text), *_named(text)]
    spans: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if spans and span.start < spans[-1].end:
            if span.end > spans[-1].end:
                last = spans.pop()
                spans.append(Span(last.start, span.end, last.kind, text[last.start : span.end]))
            continue
        spans.append(span)
    return spans


def mask(text: str, spans: Iterable[Span]) -> str:
    """Return the text with each span replaced by what it is: ［氏名］さんが来庁した。"""
    for span in sorted(spans, reverse=True):
        text = text[: span.start] + span.replacement + text[span.end :]
    return text


def _patterned(text: str) -> Iterator[Span]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span("hit") if "hit" in pattern.groupindex else match.span()
            hit = text[start:end]
            if kind is Kind.NAME and hit.strip() in _NOBODY:
                continue
            yield Span(start, end, kind, hit)


def _named(text: str) -> Iterator[Span]:
    for start, end in analyser.names(text):
        if text[start:end] not in _NOBODY:
            yield Span(start, end, Kind.NAME, text[start:end])


def _known(text: str, known: Iterable[str]) -> Iterator[Span]:
    folded, places = _folded(text)
    for name in known:
        for part in {name, *re.split(r"[ 　・]", name)}:
            wanted = "".join(_folded(part)[0].split())
            if len(wanted) < (1 if part == name else 2):
                continue
            kind = Kind.NUMBER if wanted.isdigit() else Kind.NAME
            for match in re.finditer(r"\s*".join(map(re.escape, wanted)), folded):
                start, end = places[match.start()], places[match.end() - 1] + 1
                while end < len(text) and unicodedata.combining(text[end]):
                    end += 1
                yield Span(start, end, kind, text[start:end])


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and for each of its characters the place in the original."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for one in fold_variants(character).casefold():
            folded.append(one)
            places.append(place)
    return "".join(folded), places
