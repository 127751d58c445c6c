"""How good a ranking is, measured on judged questions (Järvelin and Kekäläinen 2002, et al.)."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import log2

GAIN = {1: 1, 2: 3}  # 1 = answers partly, 2 = answers it; 2^grade − 1
RESAMPLES = 10_000
SEED = 20_261_122


@dataclass(frozen=True)
class Judged:
    """A question with the grade, 1 or 2, of every FAQ that answers it."""

    query: str
    grades: Mapping[str, int]


@dataclass(frozen=True)
class Scores:
    """The measures of one question, or their means; Hit@3 is None without a grade 2."""

    average_precision: float
    reciprocal_rank: float
    ndcg_10: float
    recall_10: float
    hit_3: float | None


def read_judgements(lines: Iterable[str]) -> list[Judged]:
    """
    Read lines of `query TAB id[,id…] TAB grade`; rows of one query are merged, # comments.

    :raises ValueError: a line is not of that form; the text says which.
    """
    merged: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != 3 or cells[2].strip() not in ("1", "2"):
            raise ValueError(f"{number}行目: 「質問 TAB id TAB 1か2」の形ではありません。")
        grades = merged.setdefault(cells[0].strip(), {})
        for key in filter(None, (key.strip() for key in cells[1].split(","))):
            grades[key] = max(grades.get(key, 0), int(cells[2]))
    return [Judged(query, grades) for query, grades in merged.items()]


def measure(ranked: Sequence[str], grades: Mapping[str, int]) -> Scores:
    """Measure one ranking; an id that was not returned contributes nothing."""
    hits = [place for place, key in enumerate(ranked, start=1) if key in grades]
    precision = sum(count / place for count, place in enumerate(hits, start=1))
    gains = [GAIN[grades[key]] if key in grades else 0 for key in ranked[:10]]
    ideal = sorted((GAIN[grade] for grade in grades.values()), reverse=True)[:10]
    best = {key for key, grade in grades.items() if grade == 2}
    return Scores(
        average_precision=precision / len(grades),
        reciprocal_rank=1 / hits[0] if hits else 0.0,
        ndcg_10=_discounted(gains) / _discounted(ideal),
        recall_10=sum(place <= 10 for place in hits) / len(grades),
        hit_3=float(bool(best & set(ranked[:3]))) if best else None,
    )


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / log2(place + 1) for place, gain in enumerate(gains, start=1))


def means(scores: Sequence[Scores]) -> dict[str, float]:
    """Return the mean of each measure over the questions that have it."""
    return {
        one.name: _mean([value for s in scores if (value := getattr(s, one.name)) is not None])
        for one in fields(Scores)
    }


def differences(
    ours: Sequence[Scores], theirs: Sequence[Scores]
) -> dict[str, tuple[float, float, float]]:
    """Return per measure the mean paired difference and its 95 % interval by bootstrap."""
    chance = random.Random(SEED)  # noqa: S311 (resampling, not a secret)
    found = {}
    for one in fields(Scores):
        pairs = [
            (getattr(a, one.name), getattr(b, one.name)) for a, b in zip(ours, theirs, strict=True)
        ]
        gains = [a - b for a, b in pairs if a is not None and b is not None]
        resampled = sorted(
            _mean(chance.choices(gains, k=len(gains))) for _ in range(RESAMPLES if gains else 0)
        )
        low, high = (
            (resampled[RESAMPLES * 25 // 1000], resampled[RESAMPLES * 975 // 1000 - 1])
            if resampled
            else (0.0, 0.0)
        )
        found[one.name] = (_mean(gains), low, high)
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
