"""Japanese text for matching: variants, width, kana. What is stored and shown stays as written."""

import re
import unicodedata

import jaconv

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_VARIANTS = str.maketrans(
    "髙﨑邊邉齋齊斎濵濱德𠮷嶋嶌澤廣眞國黑槇栁冨惠櫻瀧龍會曾桒曻條藪靏關祗祇學壽舘峯淵籠",
    "高崎辺辺斉斉斉浜浜徳吉島島沢広真国黒槙柳富恵桜滝竜会曽桑昇条薮鶴関祇祇学寿館峰渕篭",
)


def fold_variants(text: str) -> str:
    """Return the text with variant characters (異体字) and width folded: 髙橋 and 高橋 agree."""
    return unicodedata.normalize("NFKC", _SELECTORS.sub("", text)).translate(_VARIANTS)


_TEXT = (
    _VARIANTS
    | {hiragana: hiragana + 0x60 for hiragana in range(0x3041, 0x3097)}
    | str.maketrans("ヶゖ", "ケケ")
)


def name_key(name: str) -> str:
    """Return the key under which a name is found, whatever its spelling: no blanks, one case."""
    folded = fold_variants(name).replace("ヶ", "ケ").casefold()
    return "".join(folded.split()).replace("・", "")


def kana_key(kana: str) -> str:
    """Return the key of a reading: full-width katakana, no blanks (たかはし → タカハシ)."""
    katakana: str = jaconv.hira2kata(unicodedata.normalize("NFKC", kana))
    return "".join(katakana.split()).replace("・", "")


def text_key(text: str) -> str:
    """
    Return the text as full-text search compares it: variants, width, case and kana folded.

    Blanks and line ends are gone, so that a word broken over two lines is found.
    """
    folded = unicodedata.normalize("NFKC", _SELECTORS.sub("", text)).casefold()
    return "".join(folded.translate(_TEXT).split())
