"""
An office in which anything may happen next: the steps of the property test and of its benchmark.

Every step does one thing as staff or residents do it and then asks what must always hold: no
cell is taken twice, masks and rows agree, nobody who booked is left without a place, whatever
is shown can be booked and is explained as free, and whatever is not is refused.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from random import Random
from unittest.mock import patch

from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import Appointment, Errand, Hold, OpeningRule
from madoguchi.booking.why import explain
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Counter
from madoguchi.staff.rules import Role
from tests import make

DAYS = 4


class Violation(AssertionError):
    """Something that must always hold does not."""


class Office:
    """Two counters, two services, and a clock that moves a minute with every step."""

    def __init__(self, *, seed: int = 0) -> None:
        self.chance = Random(seed)  # of the moment at which a place comes back
        self.at = make.NOW
        self.first = make.NOW.date() + timedelta(days=1)
        self.site = make.site()
        self.admin = make.staff(Role.ADMIN)
        self.counters = [make.counter(f"{next(make._number)}番") for _ in range(2)]
        self.services = [
            make.service(f"相談{next(make._number)}", counters=self.counters, online_share=80),
            make.service(
                f"相談{next(make._number)}",
                counters=self.counters[:1],
                minutes=20,
                buffer_after=10,
            ),
        ]
        self.tokens: list[str] = []
        self.seen: list[tuple[datetime, int, Counter, datetime, bool]] = []
        self.done: dict[str, int] = {}
        for counter in self.counters:
            self._change(add=[self._rule(counter, opens=9, closes=12)])
        for service in self.services:
            actions.save_service(
                service=service,
                fields={},
                counters=list(service.counters.all()),
                by=self.admin,
                at=self.at,
            )

    def step(self, verb: int, a: int, b: int) -> None:
        """Do the step that the numbers stand for, and check."""
        self.at += timedelta(minutes=1)
        act = VERBS[verb % len(VERBS)]
        try:
            with patch("secrets.randbelow", self.chance.randrange):
                act(self, a, b)
            said = act.__name__
        except RuleBroken:
            said = f"{act.__name__}, refused"
        self.done[said] = self.done.get(said, 0) + 1
        self.check()

    def check(self) -> None:
        if pairs := queries.overlapping_appointments():
            raise Violation(f"taken twice: {pairs}")
        if differences := queries.mask_differences():
            raise Violation(f"masks and rows differ: {differences}")
        if orphans := queries.orphans(counters=self.counters, at=self.at):
            raise Violation(f"left without a place: {orphans}")

    # --- what may happen ---------------------------------------------------------------------

    def book(self, a: int, b: int) -> None:
        self._book(a, b, source=rules.Source.WEB)

    def book_by_staff(self, a: int, b: int) -> None:
        self._book(a, b, source=rules.Source.PHONE)

    def book_what_is_not_shown(self, a: int, b: int) -> None:
        errand = self._errand(a)
        start = rules.start_of(self.first + timedelta(days=b % DAYS), a % rules.CELLS)
        actions.release_lapsed(at=self.at)  # as booking does first, and the timetable each minute
        if start in self._shown(errand, rules.Source.WEB):
            return
        actions.book(service=errand.main, site=self.site, start=start, name="来庁者", at=self.at)
        raise Violation(f"given, though not shown: {start}")

    def hold(self, a: int, b: int) -> None:
        errand = self._errand(a)
        shown = sorted(self._shown(errand, rules.Source.WEB))
        if shown:
            made = actions.hold(
                service=errand.main, site=self.site, start=shown[b % len(shown)], at=self.at
            )
            self.tokens.append(made.token)

    def book_what_is_held(self, a: int, b: int) -> None:
        held = Hold.objects.filter(token__in=self.tokens).order_by("pk").first()
        if held is not None:
            actions.book(
                service=held.service,
                site=self.site,
                start=held.start,
                name="来庁者",
                hold=held.token,
                at=self.at,
            )

    def let_holds_lapse(self, a: int, b: int) -> None:
        self.at += rules.HOLD
        actions.release_lapsed(at=self.at)

    def cancel(self, a: int, b: int) -> None:
        if row := self._booked(a):
            actions.cancel(appointment=row, at=self.at)

    def reschedule(self, a: int, b: int) -> None:
        if row := self._booked(a):
            start = rules.start_of(self.first + timedelta(days=b % DAYS), 8 + a % 12)
            actions.reschedule(appointment=row, site=self.site, start=start, at=self.at)

    def add_rule(self, a: int, b: int) -> None:
        counter = self.counters[a % 2]
        rule = self._rule(counter, opens=9 + b % 4, closes=11 + b % 3)
        rule.is_closure, rule.is_exception = a % 3 == 0, a % 5 == 0
        rule.service = self.services[b % 2] if a % 7 == 0 else None
        rule.weekdays = b % 127 + 1
        self._change(add=[rule])

    def withdraw_rule(self, a: int, b: int) -> None:
        in_force = OpeningRule.objects.in_force().filter(counter__in=self.counters)
        rules_now = list(in_force.select_related("counter__site").order_by("pk"))
        if rules_now:
            self._change(withdraw=[rules_now[a % len(rules_now)]])

    def close_day(self, a: int, b: int) -> None:
        day = self.first + timedelta(days=a % DAYS)
        moves = self._approved(
            lambda moves: actions.close_day(
                counters=self.counters[b % 2 :], day=day, moves=moves, by=self.admin, at=self.at
            )
        )
        if moves:
            self.done["moved"] = self.done.get("moved", 0) + len(moves)

    def change_service(self, a: int, b: int) -> None:
        service = self.services[a % 2]
        service.refresh_from_db()
        self._approved(
            lambda moves: actions.save_service(
                service=service,
                fields={
                    "minutes": 15 + 15 * (b % 3),
                    "online_share": 70 + b % 11,
                    "booking_share": 80 + b % 21,
                },
                counters=self.counters[a % 3 % 2 :],
                moves=moves,
                by=self.admin,
                at=self.at,
            )
        )

    def look(self, a: int, b: int) -> None:
        """What is shown is explained as free, and nothing else is; remember some of it."""
        errand = self._errand(a)
        start = rules.start_of(self.first + timedelta(days=b % DAYS), 6 + a % 22)
        shown = self._shown(errand, rules.Source.WEB).get(start, 0)
        free = [
            explain(errand.main, counter=counter, start=start, at=self.at).is_offered
            for counter in self.counters
        ]
        if sum(free) != shown:
            raise Violation(f"{shown} shown, {free} explained: {start}")
        if not Hold.objects.exists():  # a hold leaves no record
            for counter, is_free in zip(self.counters, free, strict=True):
                self.seen.append((self.at, errand.main.pk, counter, start, is_free))

    def look_back(self, a: int, b: int) -> None:
        """What was explained then is explained the same now."""
        if not self.seen:
            return
        at, service, counter, start, was_free = self.seen[a % len(self.seen)]
        then = explain(
            next(each for each in self.services if each.pk == service),
            counter=counter,
            start=start,
            at=at,
            is_past=True,
        )
        if then.is_offered != was_free:
            raise Violation(f"{was_free} at {at}, now said to have been {then}")

    # --- how ---------------------------------------------------------------------------------

    def _errand(self, a: int) -> Errand:
        service = self.services[a % 2]
        service.refresh_from_db()
        return Errand((service,))

    def _shown(self, errand: Errand, source: rules.Source) -> dict[datetime, int]:
        found = queries.free_slots(
            errand,
            first=self.first,
            last=self.first + timedelta(days=DAYS - 1),
            window=queries.window_of(errand, at=self.at, source=source),
        )
        return {slot.start: slot.free for slot in found}

    def _book(self, a: int, b: int, *, source: rules.Source) -> None:
        errand = self._errand(a)
        shown = sorted(self._shown(errand, source))
        if not shown:
            return
        try:
            actions.book(
                service=errand.main,
                site=self.site,
                start=shown[b % len(shown)],
                name="来庁者",
                source=source,
                by=None if source == rules.Source.WEB else self.admin,
                at=self.at,
            )
        except RuleBroken as refusal:
            raise Violation(f"shown, but refused: {refusal}") from refusal

    def _booked(self, a: int) -> Appointment | None:
        coming = Appointment.objects.filter(
            counter__in=self.counters, status=rules.AppointmentStatus.BOOKED
        ).order_by("pk")
        return coming[a % count] if (count := coming.count()) else None

    def _rule(self, counter: Counter, *, opens: int, closes: int) -> OpeningRule:
        return OpeningRule(
            counter=counter,
            weekdays=0b1111111,
            opens_at=time(opens),
            closes_at=time(max(closes, opens + 1)),
            valid_from=date(2026, 11, 1),
        )

    def _change(
        self, *, add: list[OpeningRule] | None = None, withdraw: list[OpeningRule] | None = None
    ) -> None:
        self._approved(
            lambda moves: actions.change_hours(
                add=add or [], withdraw=withdraw or [], moves=moves, by=self.admin, at=self.at
            )
        )

    def _approved(self, change: Callable[[actions.Moves], object]) -> actions.Moves:
        """Make the change; if it would leave somebody out, approve what is proposed."""
        try:
            change({})
        except actions.WouldOrphan as reason:
            moves = {
                row.appointment.pk: row.start for row in reason.proposals if row.start is not None
            }
            change(moves)
            return moves
        return {}


VERBS = (
    Office.book,
    Office.book,
    Office.book_by_staff,
    Office.book_what_is_not_shown,
    Office.hold,
    Office.book_what_is_held,
    Office.let_holds_lapse,
    Office.cancel,
    Office.reschedule,
    Office.add_rule,
    Office.withdraw_rule,
    Office.close_day,
    Office.change_service,
    Office.look,
    Office.look,
    Office.look_back,
)
