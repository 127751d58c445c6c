"""
How well a FAQ answers a question: coarse weights, no labels, nothing tuned to one set.

BM25F (Robertson and Zaragoza 2009) over question, other wordings and answer is the main score.
Each further component is scaled to 0–1 by the best candidate and added with a small weight.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from re import compile as pattern

K1 = 1.2
B = 0.75
TITLE, BODY, ASKED = 2.0, 1.0, 1.0
_HIRAGANA = pattern("[ぁ-ゖー]+")
_LETTER = pattern(r"\w")


@dataclass(frozen=True)
class Weights:
    """What each component adds; a site changes them in SEARCH_WEIGHTS. 0 leaves one out."""

    main: float = 1.0
    senses: float = 0.15
    synonyms: float = 0.2
    characters: float = 0.2
    coverage: float = 0.2
    salience: float = 1.0  # 1: words weigh as question–answer pairs teach, 0: by rarity alone


@dataclass(frozen=True)
class Term:
    """In how many documents a word stands: any field, question, answer, both of these."""

    documents: int
    titles: int
    bodies: int
    both: int


@dataclass(frozen=True)
class Statistics:
    """The whole collection: number of documents, mean lengths in words, and its terms."""

    documents: int
    title_length: float
    body_length: float
    asked_length: float
    terms: Mapping[str, Term]

    def rarity(self, word: str) -> float:
        """Return the inverse document frequency of BM25; a word nobody used weighs most."""
        term = self.terms.get(word)
        here = term.documents if term else 0
        return log(1 + (self.documents - here + 0.5) / (here + 0.5))

    def salience(self, word: str) -> float:
        """
        Return how much a word of a question predicts the answer, about 0–1.

        A word that stands in questions and in their own answers says what the matter is; one
        that stands in every answer says nothing.
        """
        term = self.terms.get(word, Term(0, 0, 0, 0))
        tied = (term.both + 3) / (term.titles + 5)
        common = (term.bodies + 0.5) / (self.documents + 1)
        return sqrt(tied * max(0.0, 1 - common))


@dataclass(frozen=True)
class Query:
    """A question in words, their senses, its synonyms (word → why), and its characters."""

    words: tuple[str, ...]
    senses: tuple[str, ...]
    synonyms: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Document:
    pk: int
    title: Sequence[str]
    body: Sequence[str]
    asked: Sequence[str]
    senses: frozenset[str]
    title_text: str
    body_text: str


@dataclass(frozen=True)
class Ranked:
    """A document with its score 0–1 and the words that brought it."""

    pk: int
    score: float
    words: tuple[str, ...]
    synonyms: tuple[str, ...]


def rank(
    query: Query, documents: Iterable[Document], statistics: Statistics, weights: Weights
) -> list[Ranked]:
    """Return the documents best first; equal scores keep the older document first."""
    documents = list(documents)
    words = {
        word: statistics.rarity(word) * statistics.salience(word) ** weights.salience
        for word in query.words
    }
    synonyms = {word: statistics.rarity(word) for word in query.synonyms if word not in words}
    senses = {sense: statistics.rarity(sense) for sense in query.senses}
    parts = (
        (weights.main, [_bm25f(words, doc, statistics) for doc in documents]),
        (weights.synonyms, [_bm25f(synonyms, doc, statistics) for doc in documents]),
        (weights.senses, _shared(senses, documents)),
        (weights.characters, _characters(query.text, documents)),
        (weights.coverage, [_covered(doc, query, statistics) for doc in documents]),
    )
    totals = [0.0] * len(documents)
    for weight, scores in parts:
        best = max(scores, default=0.0)
        if best > 0 and weight:
            totals = [
                total + weight * score / best for total, score in zip(totals, scores, strict=True)
            ]
    # One factor for all: the order stays, and scores of different questions can be compared.
    possible = sum(words.values())
    match = min(1.0, max(parts[0][1], default=0.0) / possible) if possible else 0.0
    most = sum(weight for weight, _ in parts) or 1.0
    ranked = [
        Ranked(doc.pk, round(match * total / most, 6), *_reasons(doc, query))
        for doc, total in zip(documents, totals, strict=True)
    ]
    return sorted(ranked, key=lambda one: (-one.score, one.pk))


def _bm25f(words: Mapping[str, float], doc: Document, statistics: Statistics) -> float:
    """Return BM25F: frequencies are damped once, after the fields are put together."""
    score = 0.0
    fields = (
        (TITLE, Counter(doc.title), len(doc.title), statistics.title_length),
        (BODY, Counter(doc.body), len(doc.body), statistics.body_length),
        (ASKED, Counter(doc.asked), len(doc.asked), statistics.asked_length),
    )
    scales = [
        (weight / (1 - B + B * length / mean) if mean else 0.0, counts)
        for weight, counts, length, mean in fields
    ]
    for word, weight in words.items():
        frequency = sum(scale * counts[word] for scale, counts in scales)
        score += weight * frequency / (K1 + frequency)
    return score


def _shared(senses: Mapping[str, float], documents: Sequence[Document]) -> list[float]:
    """Return the weight of shared senses; a long text has many by chance, so it counts less."""
    mean = sum(len(doc.senses) for doc in documents) / max(1, len(documents)) or 1.0
    return [
        sum(weight for sense, weight in senses.items() if sense in doc.senses)
        / (1 - B + B * len(doc.senses) / mean)
        for doc in documents
    ]


def _covered(doc: Document, query: Query, statistics: Statistics) -> float:
    """Return the share of the question's weight that the query's words carry."""
    title = set(doc.title)
    whole = sum(statistics.rarity(word) for word in title)
    shared = sum(statistics.rarity(word) for word in title & set(query.words))
    return shared / whole if whole else 0.0


def _characters(text: str, documents: Sequence[Document]) -> list[float]:
    """Return the share of characters and pairs in common, rare ones weighing more."""
    grams = character_grams(text)
    holders = {
        gram: [
            (TITLE * doc.title_text.count(gram), BODY * doc.body_text.count(gram))
            for doc in documents
        ]
        for gram in grams
    }
    scores = [0.0] * len(documents)
    mean_title = sum(len(doc.title_text) for doc in documents) / max(1, len(documents))
    mean_body = sum(len(doc.body_text) for doc in documents) / max(1, len(documents))
    scales = [
        (
            1 / (1 - B + B * len(doc.title_text) / max(1.0, mean_title)),
            1 / (1 - B + B * len(doc.body_text) / max(1.0, mean_body)),
        )
        for doc in documents
    ]
    for counts in holders.values():
        here = sum(1 for title, body in counts if title or body)
        rarity = log(1 + (len(documents) - here + 0.5) / (here + 0.5))
        for place, (title, body) in enumerate(counts):
            frequency = title * scales[place][0] + body * scales[place][1]
            scores[place] += rarity * frequency / (K1 + frequency)
    return scores


def character_grams(text: str) -> frozenset[str]:
    """Return single characters and pairs of a text, without those of hiragana alone."""
    letters = [character for character in text if _LETTER.match(character)]
    grams = {*letters, *(first + second for first, second in pairwise(letters))}
    return frozenset(gram for gram in grams if not _HIRAGANA.fullmatch(gram))


def _reasons(doc: Document, query: Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the query's words that the document has, and the synonyms that it has instead."""
    there = {*doc.title, *doc.body, *doc.asked}
    words = tuple(word for word in query.words if word in there)
    synonyms = tuple(
        word for word, of in query.synonyms.items() if word in there and of not in there
    )
    return words, synonyms
