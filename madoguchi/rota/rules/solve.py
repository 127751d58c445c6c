"""
Find a plan with CP-SAT (OR-Tools), and say how good it is at worst.

Stage by stage, each without giving up what the one before has reached: as few empty places as
possible; for a change of an existing plan, as few changed duties as possible; then the lowest
price by `duties.WEIGHTS`. Every stage ends with a proof or with a bound. Empty places are part
of the model, so an impossible year is answered by the places that stay empty, not by silence.

The search is deterministic (one worker, fixed seed) unless the clock ends it. One worker that
solves the full linear relaxation proves a year in a fraction of the time of several that do not.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic
from typing import Any

from madoguchi.rota.rules import duties
from madoguchi.rota.rules.duties import (
    Assignment,
    DayKind,
    Place,
    Problem,
    Shift,
    Soft,
)

LIMIT = 55.0  # seconds

Key = tuple[date, Shift, int, int]  # as the fields of Assignment


@dataclass(frozen=True)
class Progress:
    """How far the search is. `stage` holes, changes or price; `bound` cannot be undercut."""

    stage: str
    value: int
    bound: int
    seconds: float


@dataclass(frozen=True)
class Solution:
    """A plan, with the proof: `price` is at most `price - bound` above the best there is."""

    plan: frozenset[Assignment]
    holes: int
    holes_bound: int
    changes: int
    changes_bound: int
    price: int
    bound: int
    seconds: float

    @property
    def is_proven(self) -> bool:
        return (self.holes, self.changes, self.price) == (
            self.holes_bound,
            self.changes_bound,
            self.bound,
        )

    @property
    def gap(self) -> float:
        """Return how far from the best the price may be, as a part of the price."""
        return (self.price - self.bound) / self.price if self.price else 0.0


def solve(
    problem: Problem,
    *,
    limit: float = LIMIT,
    seed: int = 1,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Solution:
    """Return the best plan found within `limit` seconds."""
    return _Search(problem, limit=limit, seed=seed, tell=tell).run()


class _Search:
    """One run: the model with its variables, and the plan that stands at the end of a stage."""

    def __init__(
        self, problem: Problem, *, limit: float, seed: int, tell: Callable[[Progress], None]
    ) -> None:
        from ortools.sat.python import cp_model  # 100 MB that only a planning process needs

        self.cp: Any = cp_model
        self.problem = problem
        self.limit = limit
        self.seed = seed
        self.tell = tell
        self.started = monotonic()
        self.model: Any = cp_model.CpModel()
        self.taken: dict[Key, Any] = {}
        self.empty: list[Any] = []
        self.values: dict[int, int] = {}  # variable index: its value in the plan so far
        self._add_duties()
        self._keep_hard_rules()

    def run(self) -> Solution:
        holes, holes_bound = self._lower("holes", sum(self.empty), share=0.4)
        changes = changes_bound = 0
        if self.problem.previous:
            changes, changes_bound = self._lower("changes", self._changes(), share=0.6)
        price, bound = self._lower("price", self._price(), share=1.0)
        plan = frozenset(
            Assignment(*key) for key, var in self.taken.items() if self.values[var.index]
        )
        return Solution(
            plan | self.problem.fixed,
            holes=holes,
            holes_bound=holes_bound,
            changes=changes,
            changes_bound=changes_bound,
            price=price,
            bound=bound,
            seconds=monotonic() - self.started,
        )

    def _add_duties(self) -> None:
        """Make a variable for everyone who may stand in a place; what is fixed needs none."""
        fixed: dict[tuple[date, Shift, int], int] = defaultdict(int)
        for each in self.problem.fixed:
            fixed[each.on, each.shift, each.skill] += 1
        busy = {(each.person, each.on) for each in self.problem.fixed} | self.problem.around
        self.places: dict[Place, list[Any]] = {}
        for place in sorted(self.problem.places):
            able = [
                person
                for person in self.problem.people
                if (person.id, place.on) not in busy and duties.hindrance(person, place) is None
            ]
            count = place.count - fixed[place.on, place.shift, place.skill]
            row = []
            for person in able if count > 0 else ():
                key = (place.on, place.shift, place.skill, person.id)
                self.taken[key] = self.model.new_bool_var("")
                row.append(self.taken[key])
            self.places[place] = row
            if count > 0:
                empty = self.model.new_int_var(max(0, count - len(row)), count, "")
                self.empty.append(empty)
                self.model.add(sum(row) + empty == count)

    def _keep_hard_rules(self) -> None:
        on_day: dict[int, dict[date, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for (on, _, _, person), var in self.taken.items():
            on_day[person][on].append(var)
        certain = duties.duty_days(self.problem, self.problem.fixed)
        for person, days in on_day.items():
            for variables in days.values():
                if len(variables) > 1:
                    self.model.add_at_most_one(variables)
            self._keep_closed_days_apart(days, certain[person])
            self._keep_rest(days, certain[person])

    def _keep_closed_days_apart(self, days: dict[date, list[Any]], certain: set[date]) -> None:
        closed = {on for on in days if duties.day_kind(on) is DayKind.CLOSED}
        held = {on for on in certain if duties.day_kind(on) is DayKind.CLOSED}
        for on in sorted(closed):
            for step in range(1, self.problem.closed_gap + 1):
                later = on + timedelta(days=step)
                if later in closed:
                    self.model.add_at_most_one(days[on] + days[later])
                if later in held or on - timedelta(days=step) in held:
                    for var in days[on]:
                        self.model.add(var == 0)

    def _keep_rest(self, days: dict[date, list[Any]], certain: set[date]) -> None:
        length = self.problem.most_in_row + 1
        starts = {on - timedelta(days=back) for on in days for back in range(length)}
        for start in sorted(starts):
            window = [start + timedelta(days=step) for step in range(length)]
            held = sum(on in certain for on in window)
            free = [var for on in window for var in days.get(on, ())]
            possible = sum(on in days or on in certain for on in window)
            if free and possible == length and held < length:
                self.model.add(sum(free) <= self.problem.most_in_row - held)

    def _changes(self) -> Any:
        """Count the duties of the previous plan that nobody or somebody else has now."""
        variables = []
        certain = 0
        for each in sorted(self.problem.previous - self.problem.fixed):
            var = self.taken.get((each.on, each.shift, each.skill, each.person))
            if var is None:
                certain += 1
            else:
                variables.append(var)
        return certain + len(variables) - sum(variables)

    def _price(self) -> Any:
        return sum([*self._unfairness(), *self._wishes(), *self._turns()])

    def _unfairness(self) -> list[Any]:
        own: dict[tuple[int, duties.Burden], list[Any]] = defaultdict(list)
        for (on, _, _, person), var in self.taken.items():
            for burden in duties.burdens(on):
                own[person, burden].append(var)
        done = duties.counts(self.problem.fixed)
        terms = []
        for key, part in sorted(duties.fair_shares(self.problem).items()):
            low, high = duties.band(part)
            outside = self.model.new_int_var(0, max(low, done[key] + len(own[key])), "")
            days = sum(own[key]) + done[key]
            self.model.add(outside >= low - days)
            self.model.add(outside >= days - high)
            terms.append(duties.WEIGHTS[Soft(key[1].value)] * outside)
        return terms

    def _wishes(self) -> list[Any]:
        fixed = {(each.person, each.on) for each in self.problem.fixed}
        on_day: dict[tuple[int, date], list[Any]] = defaultdict(list)
        for (on, _, _, person), var in self.taken.items():
            on_day[person, on].append(var)
        terms = []
        for each in self.problem.people:
            for on in sorted(each.avoid):
                met = sum(on_day[each.id, on]) + ((each.id, on) in fixed)
                terms.append(duties.WEIGHTS[Soft.AVOID] * met)
            for soft, wanted in ((Soft.WANT, each.want), (Soft.MUST, each.must)):
                for on in duties.wishes_possible(each, wanted, self.problem):
                    if (each.id, on) not in fixed:
                        terms.append(duties.WEIGHTS[soft] * (1 - sum(on_day[each.id, on])))
        return terms

    def _turns(self) -> list[Any]:
        terms = []
        division = {person.id: person.division for person in self.problem.people}
        held = {
            (each.on, each.shift, each.skill, division.get(each.person))
            for each in self.problem.fixed
        }
        for place in duties.turn_places(self.problem):
            turn = self.problem.turns[place.on]
            if (place.on, place.shift, place.skill, turn) in held:
                continue
            theirs = [var for person, var in self._people_at(place) if division[person] == turn]
            missed = self.model.new_bool_var("")
            self.model.add(missed + sum(theirs) >= 1)
            terms.append(duties.WEIGHTS[Soft.TURN] * missed)
        return terms

    def _people_at(self, place: Place) -> list[tuple[int, Any]]:
        keys = ((place.on, place.shift, place.skill, person.id) for person in self.problem.people)
        return [(key[3], self.taken[key]) for key in keys if key in self.taken]

    def _lower(self, stage: str, amount: Any, *, share: float) -> tuple[int, int]:
        """Minimise the amount, keep it from rising again, and return it with its bound."""
        if isinstance(amount, int):
            return amount, amount
        self.model.minimize(amount)
        self.model.clear_hints()
        for index, value in self.values.items():
            self.model.add_hint(self.model.get_int_var_from_proto_index(index), value)
        solver = self.cp.CpSolver()
        solver.parameters.random_seed = self.seed
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        spent = monotonic() - self.started
        solver.parameters.max_time_in_seconds = max(2.0, self.limit * share - spent)
        status = solver.solve(self.model, self._listener(stage))
        if status not in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            raise NoPlanFound
        self.values = {
            index: solver.value(self.model.get_int_var_from_proto_index(index))
            for index in range(len(self.model.proto.variables))
        }
        value, bound = round(solver.objective_value), round(solver.best_objective_bound)
        self.model.add(amount <= value)
        return value, bound

    def _listener(self, stage: str) -> Any:
        search = self

        class Listener(self.cp.CpSolverSolutionCallback):  # type: ignore[misc, name-defined]
            def on_solution_callback(self) -> None:
                search.tell(
                    Progress(
                        stage,
                        value=round(self.objective_value),
                        bound=round(self.best_objective_bound),
                        seconds=monotonic() - search.started,
                    )
                )

        return Listener()


class NoPlanFound(Exception):
    """The clock ran out before there was any plan; with empty places allowed, one exists."""
