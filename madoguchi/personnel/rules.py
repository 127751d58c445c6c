"""
The list of 1 April: who goes where, who takes over, and what is wrong with the list.

A list is written for one day. It is checked as a whole, because whether somebody may go
depends on who else does: a division needs people, the city an administrator, and every open
matter somebody who stays.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken


class Status(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    DONE = "done"
    STOPPED = "stopped"


STATUS_LABELS = {
    Status.DRAFT: "確認中",
    Status.APPROVED: "承認済み",
    Status.DONE: "実施済み",
    Status.STOPPED: "取りやめ",
}
STEPS: Mapping[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.APPROVED, Status.STOPPED}),
    Status.APPROVED: frozenset({Status.DONE, Status.STOPPED}),
    Status.DONE: frozenset(),
    Status.STOPPED: frozenset(),
}
COLUMNS = (
    "職員ID",
    "氏名",
    "今の部署",
    "今の役割",
    "異動先",
    "新しい役割",
    "退職",
    "後任の職員ID",
)
MOST = 5_000  # people on one list
LEAVES = frozenset({"○", "〇", "◯", "1", "はい", "退職", "レ", "✓"})


class StepNotAllowed(RuleBroken):
    """The list is not where this step begins."""


class ListNotReady(RuleBroken):
    """The list names nobody, lies in the past, or leaves a matter without anybody."""


@dataclass(frozen=True)
class Person:
    """A member of staff, and what is in their hands."""

    pk: int
    username: str
    name: str
    role: str
    division: int
    is_active: bool


@dataclass(frozen=True)
class Line:
    """One line as it was written; `row` is its number in the file."""

    row: int
    username: str
    name: str = ""
    to: str = ""
    role: str = ""
    leaves: str = ""
    successor: str = ""


@dataclass(frozen=True)
class Wanted:
    """One line as it was understood; no division and no role mean that the person leaves."""

    user: int
    division: int | None
    role: str
    successor: int | None

    @property
    def leaves(self) -> bool:
        return self.division is None


@dataclass(frozen=True)
class Problem:
    """What is wrong; `row` 0 speaks of the whole list."""

    row: int
    text: str


def check_step(now: Status, then: Status) -> None:
    if then not in STEPS[now]:
        raise StepNotAllowed(
            f"この一覧は「{STATUS_LABELS[now]}」なので、「{STATUS_LABELS[then]}」にできません。"
        )


def check_day(effective_on: date, *, today: date) -> None:
    """A list is for a coming day: at its first minute the old rights have to end."""
    if effective_on <= today:
        raise ListNotReady("異動日は、明日以降にしてください。")


def plain(text: str) -> str:
    """Return the text of a cell as it is compared: one width, nothing around it."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def read(
    lines: Sequence[Line],
    *,
    people: Mapping[str, Person],
    divisions: Mapping[str, int],
    roles: Mapping[str, str],
) -> tuple[list[Wanted], list[Problem]]:
    """
    Understand the lines, or say line by line why not.

    :param people: by 職員ID; `divisions`: ids by name in `plain` form; `roles`: codes by label.
    A line that changes nothing is left out; a name that is not the person's is an error, for
    a mistyped ID would move somebody else.
    """
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    seen: dict[int, int] = {}
    for line in lines:
        if not any((line.to, line.role, line.leaves)):
            continue
        found, problem = _understand(line, people=people, divisions=divisions, roles=roles)
        if found is not None and found.user in seen:
            problem = f"{seen[found.user]}行目と同じ職員です。どちらかを消してください。"
        if problem:
            problems.append(Problem(line.row, problem))
        elif found is not None:
            seen[found.user] = line.row
            wanted.append(found)
    return wanted, problems


def _understand(
    line: Line,
    *,
    people: Mapping[str, Person],
    divisions: Mapping[str, int],
    roles: Mapping[str, str],
) -> tuple[Wanted | None, str]:
    person = people.get(line.username)
    if person is None or not person.is_active:
        return None, f"職員ID「{line.username}」の在職中の職員がいません。"
    if line.name and plain(line.name) != plain(person.name):
        return None, f"職員ID「{line.username}」は「{person.name}」さんです。氏名が違います。"
    successor = people.get(line.successor) if line.successor else None
    if line.successor and (successor is None or not successor.is_active):
        return None, f"後任の職員ID「{line.successor}」の在職中の職員がいません。"
    if successor is not None and successor.pk == person.pk:
        return None, "本人を後任にはできません。"
    heir = successor.pk if successor else None
    if line.leaves:
        if plain(line.leaves) not in LEAVES:
            return None, "「退職」の列には、退職するときだけ「○」を入れてください。"
        if line.to or line.role:
            return None, "退職する人には、異動先と新しい役割を入れないでください。"
        return Wanted(person.pk, None, "", heir), ""
    division = divisions.get(plain(line.to)) if line.to else person.division
    if division is None:
        return None, f"異動先の部署「{line.to}」がありません。名称を確かめてください。"
    role = roles.get(plain(line.role)) if line.role else person.role
    if role is None:
        return (
            None,
            f"新しい役割「{line.role}」がありません。「{'」「'.join(roles)}」のどれかです。",
        )
    if (division, role) == (person.division, person.role):
        return None, ""
    return Wanted(person.pk, division, role, heir), ""


@dataclass(frozen=True)
class Held:
    """What one person has in hand: open cases, those only named people may see, requests."""

    cases: int = 0
    restricted: int = 0
    requests: int = 0

    @property
    def is_something(self) -> bool:
        return bool(self.cases or self.requests)


def successor_of(
    move: Wanted,
    *,
    people: Mapping[int, Person],
    moving: frozenset[int],
    supervisors: Mapping[int, Sequence[int]],
) -> int | None:
    """
    Return who takes over: the one named, else the first supervisor of the old division who stays.

    Whoever is moving too has matters of their own to hand over and takes none, unless they
    come into this very division.
    """
    if move.successor is not None:
        return move.successor
    old = people[move.user].division
    return next((pk for pk in supervisors.get(old, ()) if pk not in moving), None)


def weaknesses(
    moves: Iterable[Wanted],
    *,
    people: Mapping[int, Person],
    held: Mapping[int, Held],
    heirs: Mapping[int, int | None],
    admin_role: str,
    division_names: Mapping[int, str],
    open_cases: Mapping[int, int],
) -> list[Problem]:
    """
    Return what the list would leave behind: matters without anybody, empty divisions, no admin.

    :param open_cases: how many open cases each division has.
    """
    moves = list(moves)
    then = {
        person.pk: (person.division, person.role) for person in people.values() if person.is_active
    }
    for move in moves:
        if move.division is None:
            then.pop(move.user, None)
        else:
            then[move.user] = (move.division, move.role)
    problems = []
    for move in moves:
        person, has, heir = people[move.user], held.get(move.user, Held()), heirs.get(move.user)
        if not has.is_something:
            continue
        if heir is None:
            what = _words(has)
            text = f"{person.name}さんの後任がいません（{what}）。後任の職員IDを入れてください。"
            problems.append(Problem(0, text))
        elif then.get(heir, (0, ""))[0] != person.division:
            old = division_names.get(person.division, "元の部署")
            text = (
                f"{person.name}さんの後任は、異動日に{old}にいません。別の人を後任にしてください。"
            )
            problems.append(Problem(0, text))
    staffed = {division for division, _ in then.values()}
    for division in sorted({people[move.user].division for move in moves} - staffed):
        if count := open_cases.get(division, 0):
            name = division_names.get(division, "部署")
            text = f"{name}に職員がいなくなります（開いている案件 {count}件）。"
            problems.append(Problem(0, text))
    if not any(role == admin_role for _, role in then.values()):
        problems.append(Problem(0, "システム管理者が、だれもいなくなります。"))
    return problems


def _words(held: Held) -> str:
    parts = []
    if held.cases:
        restricted = f"、うち限定 {held.restricted}件" if held.restricted else ""
        parts.append(f"案件 {held.cases}件{restricted}")
    if held.requests:
        parts.append(f"依頼 {held.requests}件")
    return "、".join(parts)
