from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from madoguchi.casework import queries as casework
from madoguchi.casework.models import Case
from madoguchi.offices.models import Division
from madoguchi.personnel import rules
from madoguchi.personnel.models import Move, MoveList
from madoguchi.personnel.rules import Held, Line, Person, Problem, Wanted
from madoguchi.staff.models import User
from madoguchi.staff.rules import ROLE_LABELS, Role


@dataclass(frozen=True)
class Prospect:
    """One line of the preview: who goes where, what they hold, and who takes it over."""

    move: Move
    held: Held
    heir: User | None


def people() -> dict[int, Person]:
    """Return everybody who works here."""
    fields = ("pk", "username", "name", "role", "division_id", "is_active")
    return {row[0]: Person(*row) for row in User.objects.values_list(*fields)}


def understood(lines: Sequence[Line]) -> tuple[list[Wanted], list[Problem]]:
    """Read a list against the people and divisions the city has now."""
    divisions = Division.objects.filter(is_active=True, is_outside=False)
    return rules.read(
        lines,
        people={person.username: person for person in people().values()},
        divisions={rules.plain(name): pk for pk, name in divisions.values_list("pk", "name")},
        roles={label: role.value for role, label in ROLE_LABELS.items()},
    )


def supervisors() -> dict[int, list[int]]:
    """Return who leads each division and is still here, the longest serving first."""
    leads = (Role.SUPERVISOR.value, Role.CENTRE_HEAD.value)
    found: dict[int, list[int]] = defaultdict(list)
    rows = User.objects.filter(role__in=leads, is_active=True).order_by("pk")
    for pk, division in rows.values_list("pk", "division"):
        found[division].append(pk)
    return found


def prospects(each: MoveList) -> list[Prospect]:
    """Return the list line by line as it would be carried out now."""
    moves = list(
        each.moves.select_related("user__division", "division", "successor").order_by(
            "user__division", "user__username"
        )
    )
    held = casework.in_hand([move.user_id for move in moves])
    heirs = heirs_of(moves)
    names = User.objects.in_bulk({pk for pk in heirs.values() if pk})
    return [
        Prospect(
            move,
            Held(*held.get(move.user_id, (0, 0, 0))),
            names.get(heirs[move.user_id] or 0),
        )
        for move in moves
    ]


def heirs_of(moves: Sequence[Move]) -> dict[int, int | None]:
    """Return who takes over from each person of the list."""
    everybody, leads = people(), supervisors()
    moving = frozenset(move.user_id for move in moves)
    return {
        move.user_id: rules.successor_of(
            move.wanted, people=everybody, moving=moving, supervisors=leads
        )
        for move in moves
    }


def weaknesses(each: MoveList) -> list[Problem]:
    """Return what the list would leave behind if it were carried out as it stands."""
    moves = list(each.moves.all())
    counted = Case.objects.open().values("owner").annotate(n=Count("pk"))
    held = casework.in_hand([move.user_id for move in moves])
    return rules.weaknesses(
        [move.wanted for move in moves],
        people=people(),
        held={pk: Held(*counts) for pk, counts in held.items()},
        heirs=heirs_of(moves),
        admin_role=Role.ADMIN.value,
        division_names=dict(Division.objects.values_list("pk", "name")),
        open_cases={row["owner"]: row["n"] for row in counted},
    )


def progress(each: MoveList) -> tuple[int, int]:
    """Return how many of the list's people have moved, and how many there are."""
    counts = each.moves.aggregate(
        done=Count("pk", filter=Q(done_at__isnull=False)), all=Count("pk")
    )
    return counts["done"], counts["all"]
