"""What happened in 汐見市 in the two years until now: who came, with what, and how it ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, TypeAlias

from madoguchi.booking.models import Service
from madoguchi.booking.rules import JST, Source
from madoguchi.casework import rules
from madoguchi.casework.models import Case, Category
from madoguchi.casework.rules import Channel, HandoverKind, Kind, Result, Understanding
from madoguchi.demo import city, people, texts
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.offices.rules import closed_day_reason
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import Remark
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

DAYS = 730
RECORD_DAYS = 5

CHANNELS = {
    Channel.COUNTER: 46,
    Channel.PHONE: 34,
    Channel.MAIL: 5,
    Channel.FORM: 4,
    Channel.LINE: 4,
    Channel.ONLINE: 3,
    Channel.INTERNAL: 1.5,
    Channel.LETTER: 1,
    Channel.MAYOR_LETTER: 0.8,
    Channel.FAX: 0.5,
    Channel.OPINION_BOX: 0.4,
}
KINDS = {
    "NEIGHBOR": {Kind.REQUEST: 5, Kind.COMPLAINT: 3, Kind.CONSULTATION: 3, Kind.REPORT: 1},
    "OTHER": {Kind.COMPLAINT: 4, Kind.OPINION: 3, Kind.REQUEST: 3, Kind.PROPOSAL: 1},
    "ADMIN": {Kind.CONSULTATION: 5, Kind.INQUIRY: 6, Kind.OPINION: 1},
    "DISASTER": {Kind.CONSULTATION: 4, Kind.REPORT: 3, Kind.REQUEST: 2},
}
ORDINARY = {Kind.CONSULTATION: 8, Kind.INQUIRY: 2}
WITHOUT_DIVISION = {
    Result.ADVISED: 66,
    Result.REFERRED: 10,
    Result.CONNECTED: 6,
    Result.SPECIALIST: 11,
    Result.WITHDRAWN: 4,
    Result.OUT_OF_SCOPE: 2,
    Result.CONTINUED: 1,
}
UNDERSTOOD = {
    Understanding.AGREED: 62,
    Understanding.UNDERSTOOD: 24,
    Understanding.PARTLY: 8,
    Understanding.NOT_AGREED: 6,
}
# Months in which more people come for it (申込期, 納期, 出水期 …).
SEASONS = {
    "CHILD": {10: 1.8, 11: 2.2, 12: 1.6, 2: 1.5, 3: 1.4},
    "TAX": {6: 1.9, 7: 1.8, 2: 1.6, 3: 1.8},
    "DISASTER": {7: 2.0, 8: 1.8, 9: 2.2, 10: 1.4},
    "ADMIN": {3: 1.8, 4: 1.7},
    "NEIGHBOR": {5: 1.3, 6: 1.5, 7: 1.7, 8: 1.6},
    "CONSUMER": {11: 1.3, 12: 1.4},
    "MENTAL": {4: 1.2, 5: 1.5, 9: 1.2},
}
WALK_IN_REASONS = {
    Remark.DID_NOT_KNOW: 34,
    Remark.PREFERS_QUEUE: 20,
    Remark.URGENT: 16,
    Remark.NO_SMARTPHONE: 9,
    Remark.PHONED: 8,
    Remark.CANNOT_OPERATE: 6,
    Remark.FULL: 4,
    Remark.OTHER: 3,
}


# The verbs a story is told with: a `Chronicle`, or the actions under the same names.
Office: TypeAlias = Any


@dataclass(frozen=True)
class Cast:
    """Who and what a story may use."""

    site: Site
    centre: Division
    divisions: dict[str, Division]
    categories: dict[str, Category]
    officers: dict[str, list[User]]
    users: dict[str, User]
    desks: list[Counter]
    rooms: list[Room]
    services: dict[str, Service]
    general: Service


@dataclass
class Plan:
    """One matter on one day, before it is told."""

    at: datetime
    matter: texts.Matter
    channel: Channel


def gather() -> Cast:
    """Look up the people and places of the city."""
    officers: dict[str, list[User]] = {}
    users = {user.username: user for user in User.objects.select_related("division")}
    for user in users.values():
        if user.role in (Role.OFFICER, Role.SUPERVISOR):
            officers.setdefault(user.division.name, []).append(user)
    divisions = {division.name: division for division in Division.objects.all()}
    site = Site.objects.get(name=city.CENTRE_SITE)
    services = {service.code: service for service in Service.objects.all()}
    return Cast(
        site=site,
        centre=divisions[city.CENTRE],
        divisions=divisions,
        categories={category.code: category for category in Category.objects.all()},
        officers=officers,
        users=users,
        desks=list(site.counters.filter(kind="desk").select_related("site").order_by("pk")),
        rooms=list(site.rooms.order_by("pk")),
        services=services,
        general=services["sougou"],
    )


def plans(*, count: int, until: datetime, rng: Random) -> list[Plan]:
    """Spread the matters over the days and hours until now, in the order of time."""
    last = until.astimezone(JST).date()
    days = [last - timedelta(days=offset) for offset in range(DAYS, -1, -1)]
    weights = [_crowd(day) * (1 + 0.25 * index / DAYS) for index, day in enumerate(days)]
    found = []
    for day in rng.choices(days, weights, k=count):
        matters = texts.matters()
        season = [
            matter.weight * SEASONS.get(matter.category, {}).get(day.month, 1.0)
            for matter in matters
        ]
        matter = rng.choices(matters, season)[0]
        channel = _pick(CHANNELS, rng)
        if matter.category == "DV" and channel not in (Channel.COUNTER, Channel.PHONE):
            channel = Channel.PHONE
        found.append(Plan(_moment(day, rng), matter, channel))
    return sorted((plan for plan in found if plan.at < until), key=lambda plan: plan.at)


def _crowd(day: date) -> float:
    """A closed day brings a quarter of a weekday; Mondays and days after holidays bring more."""
    if closed_day_reason(day):
        return 0.25
    return 1.25 if closed_day_reason(day - timedelta(days=1)) else 1.0


def _moment(day: date, rng: Random) -> datetime:
    opens, closes = ((9, 0), (14, 30)) if closed_day_reason(day) else ((8, 35), (16, 40))
    first = opens[0] * 60 + opens[1]
    last = closes[0] * 60 + closes[1]
    minute = int(rng.triangular(first, last, first + (last - first) * 0.3))
    return datetime.combine(day, time(minute // 60, minute % 60, rng.randrange(60)), tzinfo=JST)


class Teller:
    """Tells story after story to an office, none of them beyond now."""

    def __init__(self, *, office: Office, cast: Cast, until: datetime, rng: Random) -> None:
        self.office = office
        self.cast = cast
        self.until = until
        self.rng = rng
        self._known: list[Resident] = []
        self._people: dict[int, people.Person] = {}
        self._taken: set[tuple[int, datetime]] = set()
        self._at_desk: Visit | None = None

    def tell_all(self, told: list[Plan]) -> None:
        for plan in told:
            self.tell(plan)

    def tell(self, plan: Plan) -> None:
        """Tell one matter from the door to the survey, or as far as it has come by now."""
        for moment in self._story(plan):
            if moment >= self.until and self._at_desk is None:
                return

    def _story(self, plan: Plan) -> Iterator[datetime]:
        """Do the steps one by one; yield when the next one falls due, before it is done."""
        rng, office, cast = self.rng, self.office, self.cast
        telling = texts.tell(plan.matter, rng=rng, is_in_person=plan.channel is Channel.COUNTER)
        by = self._counsellor(plan.matter)
        in_charge = cast.divisions[plan.matter.division]
        is_by_division = (
            plan.channel is not Channel.COUNTER
            and in_charge.name in cast.officers
            and plan.matter.category != "DV"
            and rng.random() < 0.2
        )
        if is_by_division:
            by = self._officer(in_charge)
        at = plan.at
        resident = self._resident(plan, by=by, at=at)

        visit = None
        if plan.channel is Channel.COUNTER:
            visit, at = self._visit(resident, plan, by=by)
        case = office.receive(
            kind=_pick(KINDS.get(plan.matter.category, ORDINARY), rng).value,
            channel=plan.channel.value,
            category=cast.categories[plan.matter.category],
            title=telling.title,
            summary=telling.summary,
            resident=resident,
            owner=in_charge if is_by_division else cast.centre,
            by=by,
            at=at,
            visit=visit,
        )
        at += timedelta(minutes=rng.randint(3, 12))
        yield at
        minutes = rng.randint(10, 45)
        office.write_contact(
            case=case,
            channel=plan.channel.value,
            text=telling.first_contact,
            minutes=minutes,
            by=by,
            at=at,
        )

        is_division_asked = (
            in_charge.name in cast.officers and not is_by_division and rng.random() < 0.55
        )
        result = _pick(WITHOUT_DIVISION, rng)
        if is_division_asked:
            result = None
            for moment in self._ask(case, in_charge, telling, plan, by=by, at=at):
                if isinstance(moment, Result):
                    result = moment
                else:
                    at = moment
                    yield at
        at += timedelta(minutes=rng.randint(8, 35))
        yield at
        office.write_contact(
            case=case,
            channel=plan.channel.value,
            text=telling.advice,
            minutes=rng.randint(5, 40),
            by=by,
            at=at,
        )
        at = self._leave(by=by, at=at)

        for _ in range(rng.choices((0, 1, 2), (70, 23, 7))[0]):
            at = self._centre_hour(at + timedelta(days=rng.randint(1, 12)))
            yield at
            office.write_contact(
                case=case,
                channel=rng.choice((Channel.PHONE, Channel.PHONE, Channel.MAIL)).value,
                text=rng.choice(texts.FOLLOW_UPS),
                minutes=rng.randint(3, 15),
                by=by,
                at=at,
            )

        if rng.random() < 0.55:
            at += timedelta(minutes=rng.randint(2, 20))
        else:
            at = self._centre_hour(at + timedelta(days=rng.randint(1, 16)))
        yield at
        understanding = _pick(UNDERSTOOD, rng)
        if resident is None and rng.random() < 0.5:
            understanding = Understanding.UNKNOWN
        closure = office.close(
            case=case,
            conclusion=telling.conclusion,
            result=(result or Result.ADVISED).value,
            reason=telling.reason,
            understanding=understanding.value,
            by=by,
            at=at,
        )

        if resident is not None and rng.random() < 0.3:
            at += timedelta(days=rng.randint(0, 14), hours=rng.randint(2, 9))
            yield at
            self._answer(closure, understanding, at=at)

    def _ask(
        self,
        case: Case,
        to: Division,
        telling: texts.Telling,
        plan: Plan,
        *,
        by: User,
        at: datetime,
    ) -> Iterator[datetime | Result]:
        """Ask the division, wait for it, and get its record; ends with what came of it."""
        rng, office = self.rng, self.office
        is_here = plan.channel is Channel.COUNTER and not closed_day_reason(at.date())
        kind = HandoverKind.COME if is_here and rng.random() < 0.75 else HandoverKind.TAKE
        officer = self._officer(to)
        at += timedelta(minutes=rng.randint(2, 9))
        yield at
        handover = office.ask_division(
            case=case,
            kind=kind.value,
            to=to,
            note=telling.note,
            due_on=rules.record_due_on(at.date(), days=RECORD_DAYS, counts_closed_days=False),
            room=rng.choice(self.cast.rooms) if kind is HandoverKind.COME else None,
            by=by,
            at=at,
            officer=officer if case.is_sensitive else None,
        )
        wait = timedelta(minutes=rng.randint(1, 7))
        if kind is HandoverKind.TAKE:
            at = self._leave(by=by, at=at)
        at = at + wait if kind is HandoverKind.COME else self._working_hour(at + wait * 12)
        yield at
        if rng.random() < 0.04:
            office.decline(handover=handover, reason=rng.choice(texts.DECLINES), by=officer, at=at)
            self._leave(by=by, at=at)
            yield Result.ADVISED
            return
        expected = at + timedelta(minutes=rng.choice((5, 10, 10, 15, 20)))
        office.accept(
            handover=handover,
            expected_at=expected if kind is HandoverKind.COME else None,
            by=officer,
            at=at,
        )
        if kind is HandoverKind.COME:
            at = expected + timedelta(minutes=rng.randint(-4, 8))
            yield at
            meeting = office.arrive(handover=handover, by=officer, at=at)
            at += timedelta(minutes=rng.randint(12, 50))
            yield at
            office.end_meeting(meeting=meeting, by=officer, at=at)
            at = self._leave(by=by, at=at) + timedelta(minutes=rng.randint(2, 25))
            if rng.random() < 0.35:
                at = self._working_hour(at + timedelta(days=rng.randint(1, 6)))
        else:
            at = self._working_hour(at + timedelta(days=rng.choice((0, 1, 1, 2, 3, 4, 6, 9, 13))))
        yield at
        office.return_record(handover=handover, outcome=telling.outcome, by=officer, at=at)
        yield Result.JOINED if kind is HandoverKind.COME else Result.RECORD_RETURNED

    def _visit(self, resident: Resident | None, plan: Plan, *, by: User) -> tuple[Any, datetime]:
        """Come through the door: with a booking, more and more of them, or without."""
        rng, office, cast = self.rng, self.office, self.cast
        age = (self.until - plan.at).days / DAYS
        service = cast.services.get(SERVICE_OF.get(plan.matter.category, ""), cast.general)
        desk = rng.choice(cast.desks)
        reception = cast.users["uketsuke"]
        at = plan.at
        start = at.replace(minute=at.minute // 15 * 15, second=0) + timedelta(minutes=15)
        is_free = (desk.pk, start) not in self._taken
        if resident is not None and is_free and rng.random() < 0.58 - 0.42 * age:
            self._taken.add((desk.pk, start))
            person = self._people[resident.pk]
            source = rng.choices(list(Source), (6, 3, 1))[0]
            appointment = office.book(
                service=service,
                counter=desk,
                start=start,
                name=person.name,
                kana=person.kana,
                phone=person.phone,
                email=person.email,
                source=source,
                resident=None,
                by=None if source is Source.WEB else reception,
                at=at - timedelta(days=rng.randint(1, 20), minutes=rng.randint(0, 300)),
            )
            visit = office.check_in(appointment=appointment, site=cast.site, by=reception, at=at)
            at = max(at + timedelta(minutes=2), start + timedelta(minutes=rng.randint(-5, 6)))
        else:
            visit = office.walk_in(
                site=cast.site,
                service=service,
                reason=self._reason(age),
                resident=resident,
                by=reception,
                at=at,
            )
            at += timedelta(minutes=rng.randint(3, 38))
        office.call(visit=visit, counter=desk, by=by, at=at)
        at += timedelta(minutes=rng.randint(1, 3))
        office.start(visit=visit, by=by, at=at)
        self._at_desk = visit
        return visit, at + timedelta(minutes=1)

    def _leave(self, *, by: User, at: datetime) -> datetime:
        """Let the visitor, if there is one at the desk, go home."""
        if self._at_desk is None:
            return at
        at += timedelta(minutes=self.rng.randint(1, 6))
        self.office.finish(visit=self._at_desk, by=by, at=at)
        self._at_desk = None
        return at

    def _reason(self, age: float) -> Remark:
        """Fewer and fewer did not know of booking."""
        known = WALK_IN_REASONS | {Remark.DID_NOT_KNOW: 12 + 40 * age}
        reason: Remark = _pick(known, self.rng)
        return reason

    def _resident(self, plan: Plan, *, by: User, at: datetime) -> Resident | None:
        """Nobody, somebody known, or somebody new, who may need this or that."""
        rng = self.rng
        is_dv = plan.matter.category == "DV"
        if rng.random() < ANONYMOUS.get(plan.channel, 0.15) and not is_dv:
            return None
        if self._known and rng.random() < 0.22 and not is_dv:
            return rng.choice(self._known)
        person = people.invent(rng)
        resident: Resident = self.office.register(
            name=person.name,
            kana=person.kana,
            birth_on=date(person.birth_year, rng.randint(1, 12), rng.randint(1, 28)),
            phone=person.phone,
            email=person.email,
            address=person.address,
            language=person.language,
            is_restricted=is_dv,
            contact_note="電話は平日10時〜14時だけ、非通知で。" if is_dv else "",
            by=by,
            at=at - timedelta(minutes=1),
        )
        self._people[resident.pk] = person
        if rng.random() < 0.07:
            kind, note = rng.choice(people.ACCOMMODATIONS)
            self.office.add_accommodation(resident=resident, kind=kind, note=note, by=by, at=at)
        if not is_dv:
            self._known.append(resident)
        return resident

    def _answer(self, closure: Any, understanding: Understanding, *, at: datetime) -> None:
        rng = self.rng
        likes = {Understanding.NOT_AGREED: 2.4, Understanding.PARTLY: 3.2}.get(understanding, 4.4)
        scores = {
            item.value: min(5, max(1, round(rng.gauss(likes, 0.8))))
            for item in rules.ASKED_AFTER_CONSULTATION
        }
        self.office.answer_survey(
            closure=closure,
            scores=scores,
            comment=rng.choice(texts.COMMENTS) if rng.random() < 0.4 else "",
            is_from_paper=rng.random() < 0.45,
            at=at,
        )

    def _counsellor(self, matter: texts.Matter) -> User:
        specialists = {"MENTAL": "shinri", "DV": "shinri", "CONSUMER": "shohi"}
        users = self.cast.users
        if matter.category in specialists:
            return users[specialists[matter.category]]
        return users[self.rng.choice(("soudan", "soudan", "kinoshita", "aoki", "center"))]

    def _officer(self, division: Division) -> User:
        officers = self.cast.officers[division.name]
        return self.rng.choices(officers, [3] + [1] * (len(officers) - 1))[0]

    def _working_hour(self, at: datetime) -> datetime:
        """Move on to an hour in which divisions work."""
        local = at.astimezone(JST)
        if local.hour >= 17 or local.hour < 8:
            day = local.date() + timedelta(days=1 if local.hour >= 17 else 0)
            local = datetime.combine(day, time(8, 40), tzinfo=JST) + timedelta(
                minutes=self.rng.randint(0, 460)
            )
        while closed_day_reason(local.date()):
            local += timedelta(days=1)
        return local

    def _centre_hour(self, at: datetime) -> datetime:
        """Put the time of day where the centre is open, whatever the day."""
        return _moment(at.astimezone(JST).date(), self.rng)


def leave_open(*, office: Office, cast: Cast, until: datetime, rng: Random) -> None:
    """Leave work lying about, as on any day: requests to answer, records late, cases open."""
    matters = {matter.division: matter for matter in reversed(texts.matters())}
    for division, days, step in UNFINISHED:
        matter, to = matters[division], cast.divisions[division]
        telling = texts.tell(matter, rng=rng, is_in_person=False)
        by = cast.users["soudan"]
        day = until.astimezone(JST).date() - timedelta(days=days)
        while closed_day_reason(day):
            day -= timedelta(days=1)
        at = datetime.combine(day, time(rng.randint(9, 15), rng.randint(0, 59)), tzinfo=JST)
        case = office.receive(
            kind=Kind.CONSULTATION.value,
            channel=Channel.PHONE.value,
            category=cast.categories[matter.category],
            title=telling.title,
            summary=telling.summary,
            resident=None,
            owner=cast.centre,
            by=by,
            at=at,
        )
        at += timedelta(minutes=5)
        office.write_contact(
            case=case,
            channel=Channel.PHONE.value,
            text=telling.first_contact,
            minutes=rng.randint(8, 25),
            by=by,
            at=at,
        )
        at += timedelta(minutes=4)
        handover = office.ask_division(
            case=case,
            kind=HandoverKind.TAKE.value,
            to=to,
            note=telling.note,
            due_on=rules.record_due_on(day, days=RECORD_DAYS, counts_closed_days=False),
            room=None,
            by=by,
            at=at,
        )
        officer, at = cast.officers[division][0], at + timedelta(minutes=20)
        if step in ("accepted", "returned"):
            office.accept(handover=handover, expected_at=None, by=officer, at=at)
        if step == "returned":
            at += timedelta(minutes=50)
            office.return_record(handover=handover, outcome=telling.outcome, by=officer, at=at)


# (division, days ago, how far it has come): what the desks of today show.
UNFINISHED = (
    ("保育課", 13, "accepted"),
    ("保育課", 11, "asked"),
    ("保育課", 6, "accepted"),
    ("保育課", 3, "asked"),
    ("保育課", 2, "returned"),
    ("環境課", 15, "accepted"),
    ("納税課", 12, "asked"),
    ("道路公園センター", 4, "accepted"),
    ("保険年金課", 1, "asked"),
)

# Which service people of a field come for, where it is not the general one.
SERVICE_OF = {"CHILD": "hoiku", "CONSUMER": "shohi", "LEGAL": "houritsu", "MENTAL": "kokoro"}
ANONYMOUS = {
    Channel.COUNTER: 0.06,
    Channel.PHONE: 0.35,
    Channel.LINE: 0.5,
    Channel.OPINION_BOX: 0.95,
    Channel.LETTER: 0.3,
    Channel.MAYOR_LETTER: 0.2,
    Channel.INTERNAL: 0.05,
}


def _pick(weights: dict[Any, Any], rng: Random) -> Any:
    return rng.choices(list(weights), list(weights.values()))[0]
