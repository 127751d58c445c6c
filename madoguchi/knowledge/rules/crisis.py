"""Who searches in these words may be in danger: where help is comes before every answer."""

import re

import jaconv

from madoguchi.foundation.japanese import fold_variants

# In folded text without blanks: half-width, small letters, katakana as hiragana.
_DANGER = re.compile(
    "|".join(
        (
            r"死に(?:たい|たく|たかっ|そう)|死のう|死んで(?:しまいたい|もいい|楽に)",
            r"しに(?:たい(?![しすへせ])|たく|たかっ)",  # ひっこしにたいして is no such wish
            r"消えたい|きえたい|消えてしまいたい|いなくなりたい",
            r"(?:生|い)き(?:て(?:い|)たくない|たくない|るのが(?:つら|辛|苦し|嫌|いや))",
            r"自殺|自死|自傷|じさつ|りすとかっと|りすか|おーばーどーず",
            r"首を?(?:吊|つ[りるろ])|飛び降り|飛びおり|練炭",
            r"(?:殺|ころ)(?:され|したい|してや|しそう|すと言|すぞ)",
            r"(?<![a-z])dv(?![a-z])|でぃーぶい|どめすてぃっく",
            r"暴力(?!団)|(?:殴|なぐ|蹴|叩|たた)(?:られ|かれ)|首を?[しじ絞締]め|虐待|ぎゃくたい",
            r"監禁|すとーかー|(?:つき|付き|付)まと|(?:脅|おど)され|逃げたい",
            r"性(?:被害|暴力|犯罪)|れいぷ|強姦|痴漢",
        )
    )
)


def may_be_in_danger(text: str) -> bool:
    """
    Say whether the words speak of wanting to die, or of violence done to somebody.

    Leans to saying yes: whoever only looks for a leaflet reads past the notice.
    """
    folded = jaconv.kata2hira("".join(fold_variants(text).casefold().split()))
    return _DANGER.search(folded) is not None
