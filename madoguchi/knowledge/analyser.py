"""
Japanese text into words: the same pipeline for documents and queries.

Variation selectors out, NFKC, variant characters folded, Sudachi mode A for the ranked words and
mode C for compounds, content words only, normalised form, lower case, stop words out.
The dictionary is mapped on first use, so a process that never searches does not carry it.
"""

import hashlib
import re
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import sudachipy

from madoguchi.foundation.japanese import fold_variants

WORDS = Path(__file__).parent / "words"


def vocabulary(file: str) -> frozenset[str]:
    """Return the words of a list in `words/`: one a line, # begins a comment."""
    lines = (WORDS / file).read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and line[0] != "#")


REVISION_OF_CODE = "1"
CONTENT = frozenset(
    {
        "名詞",
        "動詞",
        "形容詞",
        "形状詞",
        "副詞",
        "代名詞",
        "接頭辞",
        "接尾辞",
        "感動詞",
        "連体詞",
    }
)
STOP = vocabulary("stop.txt")
LONGEST_WORD = 100
_PIECE = 12_000  # characters; Sudachi refuses more than 49,149 bytes at once
_BREAK = re.compile(r"(?<=[。\n])")
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f]")
_local = threading.local()  # a tokenizer serves one thread at a time


@dataclass(frozen=True)
class Words:
    """Ranked words in order, their synonym groups (語義) as `g000123`, and compounds."""

    words: tuple[str, ...]
    senses: tuple[str, ...]
    compounds: tuple[str, ...]


@cache
def _dictionary() -> sudachipy.Dictionary:
    return sudachipy.Dictionary(dict="core")


def _tokenizer(mode: sudachipy.SplitMode) -> sudachipy.Tokenizer:
    made: dict[str, sudachipy.Tokenizer] = _local.__dict__
    if str(mode) not in made:
        made[str(mode)] = _dictionary().tokenizer(mode=mode)
    return made[str(mode)]


@cache
def revision() -> str:
    """Return what the words depend on, as 16 characters: another revision, other words."""
    parts = [
        REVISION_OF_CODE,
        version("sudachipy"),
        version("sudachidict-core"),
        " ".join(sorted(STOP)),
        fold_variants("".join(map(chr, range(0x3400, 0xA000)))),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def fold(text: str) -> str:
    """Return the text for comparing characters: width, variants and case folded."""
    return fold_variants(text).lower()


def analyse(text: str) -> Words:
    """Return the words of a text of any length; an empty text has none."""
    words: list[str] = []
    senses: list[str] = []
    compounds: list[str] = []
    for piece in _pieces(_CONTROL.sub(" ", fold_variants(text))):
        short = _tokenizer(sudachipy.SplitMode.A).tokenize(piece)
        cut = set()
        for morpheme in short:
            cut.add((morpheme.begin(), morpheme.end()))
            if morpheme.part_of_speech()[0] not in CONTENT:
                continue
            word = morpheme.normalized_form().lower().strip()[:LONGEST_WORD]
            if not word or word in STOP or len(word.split()) != 1:
                continue
            words.append(word)
            senses += [f"g{group:06}" for group in morpheme.synonym_group_ids()]
        for morpheme in _tokenizer(sudachipy.SplitMode.C).tokenize(piece):
            if (morpheme.begin(), morpheme.end()) not in cut:
                compounds.append("".join(morpheme.normalized_form().split())[:LONGEST_WORD])
    return Words(tuple(words), tuple(senses), tuple(filter(None, compounds)))


def marked(text: str, words: Collection[str]) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether its normalised form is one of the words."""
    pieces: list[tuple[str, bool]] = []
    for piece in _pieces(text):
        for morpheme in _tokenizer(sudachipy.SplitMode.A).tokenize(_one_for_one(piece)):
            is_hit = morpheme.normalized_form().lower() in words
            surface = piece[morpheme.begin() : morpheme.end()]
            if pieces and pieces[-1][1] == is_hit:
                surface = pieces.pop()[0] + surface
            pieces.append((surface, is_hit))
    return pieces


def names(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of the personal names the dictionary knows, in the text as written."""
    offset = 0
    for piece in _pieces(text):
        yield from _names_of(piece, offset)
        offset += len(piece)


def _names_of(piece: str, offset: int) -> Iterator[tuple[int, int]]:
    """
    Yield runs of personal names: 佐藤 花子, グエン・ヴァン・アン.

    A run may hold one unknown word between blanks or ・ when names stand on both sides.
    """
    start = end = -1
    bridge = False
    for morpheme in _tokenizer(sudachipy.SplitMode.A).tokenize(_one_for_one(piece)):
        part = morpheme.part_of_speech()
        if part[:3] == ("名詞", "固有名詞", "人名"):
            if start < 0:
                start = morpheme.begin()
            end = morpheme.end()
            bridge = False
        elif start >= 0 and morpheme.surface() in (" ", "　", "・", "＝"):
            bridge = True
        elif bridge and part[0] == "名詞" and re.fullmatch("[ァ-ヺー]+", morpheme.surface()):
            end = morpheme.end()
            bridge = False
        elif start >= 0:
            yield offset + start, offset + end
            start = -1
            bridge = False
    if start >= 0:
        yield offset + start, offset + end


def _one_for_one(text: str) -> str:
    """Return the text folded where that keeps its length: places stay those of the text."""
    return "".join(
        folded if len(folded := fold_variants(character)) == 1 else character
        for character in _CONTROL.sub(" ", text)
    )


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that the tokenizer takes, cut after 。 or a line where possible."""
    if len(text) <= _PIECE:
        yield text
        return
    piece = ""
    for sentence in _BREAK.split(text):
        while len(sentence) > _PIECE:
            yield piece + sentence[: _PIECE - len(piece)]
            sentence = sentence[_PIECE - len(piece) :]
            piece = ""
        if len(piece) + len(sentence) > _PIECE:
            yield piece
            piece = ""
        piece += sentence
    yield piece
