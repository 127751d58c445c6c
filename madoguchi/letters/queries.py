from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from madoguchi.casework import queries as casework
from madoguchi.casework.models import Closure
from madoguchi.foundation.dates import fiscal_year
from madoguchi.letters.models import LetterItem, MayorLetter
from madoguchi.letters.rules import OUTCOME_LABELS


def letters_found(wanted: dict[str, Any]) -> QuerySet[MayorLetter]:
    """Return the letters the list's form asks for, the latest first."""
    letters = MayorLetter.objects.all()
    if wanted.get("status") == "open":
        letters = letters.open()
    elif wanted.get("status") == "answered":
        letters = letters.filter(answered_at__isnull=False)
    if wanted.get("year"):
        first = date(int(wanted["year"]), 4, 1)
        letters = letters.filter(
            received_on__gte=first, received_on__lt=first.replace(year=first.year + 1)
        )
    if number := (wanted.get("q") or "").strip():
        letters = letters.filter(number__icontains=number)
    counted = letters.annotate(
        items_in_all=Count("items"),
        items_closed=Count("items", filter=Q(items__case__status="closed")),
    )
    return counted.select_related("resident").order_by("-received_on", "-pk")


def items_of(letter: MayorLetter) -> list[LetterItem]:
    """Return the items with their cases and how each was concluded."""
    in_force = Closure.objects.filter(reopened_at=None)
    rows = letter.items.select_related("case__category", "case__owner").prefetch_related(
        Prefetch("case__closures", queryset=in_force, to_attr="concluded")
    )
    return list(rows)


def drafted_answer(items: list[LetterItem]) -> str:
    """Return what the answer begins with: each item's conclusion and its reason."""
    parts = []
    for item in items:
        closure = casework.closure_in_force(item.case) if item.case.is_closed else None
        if closure is not None:
            parts.append(
                f"{item.position}　{item.case.title}\n{closure.conclusion}\n{closure.reason}"
            )
    return "\n\n".join(parts)


@dataclass(frozen=True)
class Figures:
    """One fiscal year: letters and items, each counted for itself."""

    year: int
    letters: int
    answered: int
    late: int
    items: int
    by_outcome: list[tuple[str, int]]
    by_field: list[tuple[str, int]]
    by_division: list[tuple[str, int]]


def figures(*, year: int, on: date) -> Figures:
    """Return the figures of a fiscal year; letters and items are never added up."""
    first = date(year, 4, 1)
    letters = MayorLetter.objects.filter(
        received_on__gte=first, received_on__lt=first.replace(year=year + 1)
    )
    items = LetterItem.objects.filter(letter__in=letters)
    outcomes = Counter(items.exclude(outcome="").values_list("outcome", flat=True))
    return Figures(
        year=year,
        letters=letters.count(),
        answered=letters.filter(answered_at__isnull=False).count(),
        late=letters.overdue(on=on).count(),
        items=items.count(),
        by_outcome=[(label, outcomes[each.value]) for each, label in OUTCOME_LABELS.items()],
        by_field=_counted(items, "case__category__name"),
        by_division=_counted(items, "case__owner__name"),
    )


def _counted(items: QuerySet[LetterItem], field: str) -> list[tuple[str, int]]:
    rows = items.values(field).annotate(n=Count("pk")).order_by("-n", field)
    return [(row[field], row["n"]) for row in rows]


def years(*, on: date) -> list[int]:
    """Return the fiscal years that have letters, the present one among them, latest first."""
    first = (
        MayorLetter.objects.order_by("received_on").values_list("received_on", flat=True).first()
    )
    now = fiscal_year(on)
    return list(range(now, (fiscal_year(first) if first else now) - 1, -1))
