"""The people and rows on which the access matrix is played. All of them are real rows."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from django.core import signing
from django.test import Client
from django.utils import timezone

from madoguchi.booking import actions as booking
from madoguchi.booking import rules as grid
from madoguchi.booking.models import AppointmentPlace, CounterDay, OpeningRule, Service
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Case, Handover
from madoguchi.casework.rules import Result, Status, Understanding
from madoguchi.intake import actions as intake
from madoguchi.intake.models import Attachment, Submission
from madoguchi.intake.rules import File
from madoguchi.integrations.line import actions as line
from madoguchi.integrations.line.models import LineFriend
from madoguchi.introduction import actions as introduction
from madoguchi.introduction.models import StageChange
from madoguchi.introduction.rules import Event
from madoguchi.knowledge import actions as faqs
from madoguchi.knowledge.models import Faq
from madoguchi.letters import actions as letters
from madoguchi.letters.actions import Said
from madoguchi.letters.rules import Outcome
from madoguchi.messaging import actions as messaging
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import City, Counter, Division, OpeningDay, Site
from madoguchi.personnel import actions as personnel
from madoguchi.personnel.rules import Wanted
from madoguchi.reception import actions as reception
from madoguchi.reception.models import Visit
from madoguchi.residents.models import Resident
from madoguchi.rota import actions as rota
from madoguchi.rota.models import Absence, Duty, PlanRun, Rota, Skill, SwapRequest
from madoguchi.safety import actions as safety
from madoguchi.safety.models import Incident, Measure
from madoguchi.safety.rules.judgement import Demand, Effect, Facts, Manner
from madoguchi.safety.rules.judgement import Result as Judged
from madoguchi.safety.rules.measures import Measure as MeasureKind
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make


class Relation(StrEnum):
    """How the row relates to the reader: whose it is, and in what state."""

    OWN = "own"  # of the division 保育課, to which officers and supervisors belong
    OTHER = "other"  # of another division
    CLOSED = "closed"  # of the own division, closed
    SECRET = "secret"  # of the own division, of a resident with restricted display


ANONYMOUS = "anonymous"
Reader = Role | str
READERS: tuple[Reader, ...] = (ANONYMOUS, *Role)
IN_DIVISION = (Role.OFFICER, Role.SUPERVISOR)
ALL_DAY = grid.run_mask(6, 35)  # 8:30 to 17:15
SECRET_CONTACT: dict[str, Any] = {
    "phone": "08055550199",
    "email": "canary@kakurega.example",
    "address": "隠れ里市ひみつ町七丁目一番地",
}


class World:
    """One city with a row of each kind in each relation, and one browser for each reader."""

    def __init__(self) -> None:
        City.objects.get_or_create(pk=1, defaults={"name": "汐見市"})
        self.own = make.division("保育課")
        self.other = make.division("衛生課")
        self.people: dict[Role, User] = {
            role: make.staff(
                role,
                division=self.own if role in IN_DIVISION else make.centre(),
                username=f"matrix-{role}",
            )
            for role in Role
        }
        self.colleague = make.staff(Role.OFFICER, division=self.other)
        self.clients: dict[Reader, Client] = {ANONYMOUS: _client()}
        for role, user in self.people.items():
            self.clients[role] = _client()
            self.clients[role].force_login(user)
        self.residents: dict[Relation, Resident] = {
            relation: make.resident(**(SECRET_CONTACT | {"is_restricted": True}))
            if relation is Relation.SECRET
            else make.resident(phone="0312345678", address="汐見市本町1")
            for relation in Relation
        }
        for resident in self.residents.values():
            resident.accommodations.create(kind="筆談")

        self.offices: dict[str, Any] = {
            "site": make.site("港町支所"),
            "division": make.division("旧都市課"),
            "counter": make.counter("8番"),
            "room": make.room("相談室8"),
        }
        self.exception = OpeningDay.objects.create(
            site=self.offices["site"], on=make.NOW.date(), reason="工事"
        )
        self.faqs = {relation: self._faq(relation) for relation in Relation}
        self.proposed_faqs = {relation: self._faq(relation) for relation in Relation}
        for faq in self.proposed_faqs.values():
            faqs.propose(faq=faq, by=self.colleague, at=make.NOW)
        self.public_faq = self._faq(Relation.OWN)
        faqs.propose(faq=self.public_faq, by=self.colleague, at=make.NOW)
        faqs.approve(faq=self.public_faq, by=self.people[Role.CENTRE_HEAD], at=make.NOW)
        self.message = messaging.post(
            channel="mail", to="kakari@shiomi.example", subject="依頼", body="依頼", at=make.NOW
        )
        OutboundMessage.objects.filter(pk=self.message.pk).update(gave_up_at=make.NOW)

        self.site = make.site()
        always = {"closed_day_opens_at": "08:30", "closed_day_closes_at": "17:15"}
        Site.objects.filter(pk=self.site.pk).update(is_open_at_year_end=True, **always)
        self.third = make.division("税務課")
        self.category = make.category()
        self.result, self.understanding = Result.ADVISED.value, Understanding.AGREED.value
        self.cases = {relation: self._case(relation) for relation in Relation}
        self.closed = {relation: self._closed(self._case(relation)) for relation in Relation}
        self.closures = {relation: case.closures.get() for relation, case in self.closed.items()}
        self.handovers = {relation: self._handover(relation) for relation in Relation}
        self.accepted = {relation: self._handover(relation) for relation in Relation}
        for each in self.accepted.values():
            each.state = "accepted"
            each.accepted_at, each.accepted_by = make.NOW, self.colleague
            each.save()
        self.cases[Relation.CLOSED] = self._closed(self.cases[Relation.CLOSED])
        for each in (self.handovers[Relation.CLOSED], self.accepted[Relation.CLOSED]):
            Case.objects.filter(pk=each.case_id).update(
                status=Status.CLOSED.value, closed_at=make.NOW, closed_by=self.colleague
            )
        self.counters: dict[Relation, Counter] = {}
        self.services: dict[Relation, Service] = {}
        for relation in Relation:
            self.counters[relation], self.services[relation] = self._place(relation)
            self._came_by_booking(self.cases[relation], relation)
        today = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
        CounterDay.objects.bulk_create(
            CounterDay(day=today.date() + timedelta(days=n), counter=desk, open=ALL_DAY)
            for desk in self.counters.values()
            for n in range(1, 8)
        )
        self.free = today + timedelta(days=2, hours=1)
        self.visits = {
            r: make.visit(self.services[r], on=today.date(), arrived_at=timezone.now())
            for r in Relation
        }
        self.called = {relation: self._called(relation) for relation in Relation}
        self.started = {relation: self._called(relation) for relation in Relation}
        for visit in self.started.values():
            reception.start(visit=visit, by=self.colleague, at=make.NOW)
        self.waiting = {
            relation: make.waiting(self.services[relation], site=self.site)
            for relation in Relation
        }
        self.appointments = {
            relation: make.appointment(
                self.services[relation],
                start=today + timedelta(days=1),
                **self._booked_by(relation),
            )
            for relation in Relation
        }
        self.untold = {
            relation: AppointmentPlace.objects.create(
                appointment=row,
                counter=row.counter,
                day=row.day,
                mask=row.mask,
                is_online=True,
                taken_at=make.NOW,
                is_moved_by_office=True,
            )
            for relation, row in self.appointments.items()
        }
        self.opening_rules = {
            relation: OpeningRule.objects.create(
                counter=self._second_counter(relation),
                opens_at="09:00",
                closes_at="12:00",
                valid_from=make.NOW.date(),
                made_by=self.colleague.username,
                made_at=make.NOW,
            )
            for relation in Relation
        }

        self.busy = make.service("混んでいる手続き", counters=[make.counter("9番")])
        self.terminal, _ = reception.add_terminal(
            site=self.site, name="1階入口", by=self.colleague, at=timezone.now()
        )
        self.closed_counters = {relation: self._place(relation)[0] for relation in Relation}
        helping = {relation: self._place(relation)[0] for relation in Relation}
        for relation in Relation:
            done: dict[str, Any] = {"by": self.colleague, "at": timezone.now()}
            reception.close_counter(counter=self.closed_counters[relation], **done)
            reception.begin_support(counter=helping[relation], service=self.busy, **done)
        self.supports = {relation: counter.supports.get() for relation, counter in helping.items()}
        self.alerts = {
            relation: reception.raise_alert(
                counter=helping[relation], by=self.colleague, at=timezone.now()
            )
            for relation in Relation
        }
        self.stage_changes = {relation: self._planned(relation) for relation in Relation}
        self.desk_event = introduction.note_event(
            site=self.site,
            service=self.services[Relation.OWN],
            kind=Event.COMPLAINT,
            by=self.people[Role.RECEPTION],
            at=timezone.now(),
        )

        asking, asked = self._place(Relation.OWN)
        self.pending = make.appointment(
            asked,
            counter=asking,
            status="pending",
            email="kaori@mail.example",
            confirm_until=timezone.now() + timedelta(days=1),
        )
        self.feed_counters = {relation: self._place(relation)[0] for relation in Relation}
        self.feeds = {
            relation: booking.make_feed(
                counter=self._place(relation)[0], by=self.colleague, at=timezone.now()
            )
            for relation in Relation
        }
        self.feed = self.feeds[Relation.OWN]
        link = messaging.one_time_link(
            path="/", until=timezone.now() + timedelta(days=1), at=timezone.now()
        )
        self.one_time_link = link.rstrip("/").rpartition("/")[2]
        friend = LineFriend.objects.create(line_id="U0123", since_at=make.NOW)
        self.line_link = signing.dumps(friend.pk, salt=line.SALT)
        self.rota = RotaRows(self)
        self.letter = letters.receive(
            channel="mayor_letter",
            text="公園の遊具を直してください。",
            items=[Said("公園の遊具", "直してほしい。", "request", self.category, self.own)],
            received_on=make.NOW.date(),
            by=self.people[Role.COUNSELLOR],
            at=make.NOW,
        )
        item = self.letter.items.get()
        self._closed(item.case)
        letters.set_outcome(item=item, outcome=Outcome.DONE, by=self.colleague, at=make.NOW)
        self.incidents = {relation: self._incident(relation) for relation in Relation}
        self.measures = {relation: self._measure(relation) for relation in Relation}
        self.delegation = safety.delegate(user=self.colleague, by=self.colleague, at=make.NOW)
        self.moves = personnel.plan(
            effective_on=date(2099, 4, 1),
            wanted=[Wanted(self.colleague.pk, self.third.pk, Role.OFFICER.value, None)],
            by=self.colleague,
            at=make.NOW,
        )
        self.untaken = {relation: self._submission() for relation in Relation}
        self.submissions = {relation: self._taken(relation) for relation in Relation}
        self.attachments = {
            relation: Attachment.objects.get(message__submission=submission)
            for relation, submission in self.submissions.items()
        }
        heir = make.staff(Role.SUPERVISOR, division=self.other)
        self.moves.moves.update(successor=heir)

    def _incident(self, relation: Relation) -> Incident:
        division = self.other if relation == Relation.OTHER else self.own
        by = make.staff(Role.OFFICER, division=division)
        made = safety.open_incident(
            channel="counter", started_at=make.NOW, demand="免除してほしい。", by=by, at=make.NOW
        )
        facts = Facts(Demand.FAIR, Manner.FITTING, Effect.NONE)
        safety.judge(
            incident=made,
            facts=facts,
            result=Judged.NONE,
            reason="相当な話し方だった。",
            consulted=[],
            by=by,
            at=make.NOW,
        )
        # Ahead of the clock: may still be taken back when the matrix comes to it.
        ahead = timezone.now() + timedelta(hours=1)
        safety.write_note(incident=made, text="話を聞いた。", by=by, at=ahead)
        return made

    def _measure(self, relation: Relation) -> Measure:
        return safety.propose_measure(
            incident=self.incidents[relation],
            kind=MeasureKind.TIME_LIMIT,
            ground="長時間の応対が続いたため。",
            remains_open="窓口は予約で受けます。",
            review_on=timezone.localdate() + timedelta(days=30),
            by=self.incidents[relation].opened_by,
            at=timezone.now(),
        )

    def _submission(self) -> Submission:
        return intake.submit(
            kind="consultation",
            category=self.category,
            text="保育料のことで困っています。",
            name="山田 太郎",
            phone="0312345678",
            email="",
            wants_reply=True,
            key=uuid4(),
            at=make.NOW,
            files=[File(name="写真.jpg", media_type="image/jpeg", content=b"\xff\xd8\xff")],
        )

    def _taken(self, relation: Relation) -> Submission:
        submission = self._submission()
        case = intake.take_up(
            submission=submission,
            kind="consultation",
            category=self.category,
            title="保育料",
            owner=self.division(relation),
            by=self.colleague,
            at=make.NOW,
        )
        if relation is Relation.CLOSED:
            self._closed(case)
        return submission

    def _case(self, relation: Relation) -> Case:
        case = make.case(
            owner=self.division(relation),
            resident=self.residents[relation],
            category=self.category,
            by=self.colleague,
        )
        casework.write_contact(
            case=case,
            channel="counter",
            text="説明した。",
            minutes=5,
            by=self.colleague,
            at=make.NOW,
        )
        case.meetings.create(started_at=make.NOW, started_by=self.colleague)
        return Case.objects.get(pk=case.pk)

    def _closed(self, case: Case) -> Case:
        casework.close(
            case=case,
            conclusion="分かった。",
            result=self.result,
            reason="記入例で確かめた。",
            understanding=self.understanding,
            by=self.colleague,
            at=make.NOW,
        )
        return Case.objects.get(pk=case.pk)

    def _came_by_booking(self, case: Case, relation: Relation) -> None:
        """The case began with somebody who had booked and left a way to be reached."""
        booked = make.appointment(
            self.services[relation], status="arrived", **self._booked_by(relation)
        )
        case.visit = make.visit(
            booked.service,
            appointment=booked,
            booked_for=booked.start,
            resident=self.residents[relation],
        )
        case.save(update_fields=["visit"])

    def _booked_by(self, relation: Relation) -> dict[str, Any]:
        contact = SECRET_CONTACT if relation is Relation.SECRET else {"phone": "0312345678"}
        return {
            "resident": self.residents[relation],
            "phone": contact["phone"],
            "email": contact.get("email", ""),
        }

    def _handover(self, relation: Relation) -> Handover:
        return make.handover(self._case(relation), to=self.division(relation))

    def _place(self, relation: Relation) -> tuple[Counter, Service]:
        counter = make.counter(f"窓口{next(make._number)}", division=self.division(relation))
        service = make.service(
            f"相談{counter.pk}", counters=[counter], division=self.division(relation)
        )
        OpeningRule.objects.create(
            counter=counter,
            weekdays=0b1111111,
            opens_at=grid.GRID_START,
            closes_at=grid.GRID_END,
            valid_from=make.NOW.date() - timedelta(days=3650),
            made_by=self.colleague.username,
            made_at=make.NOW,
        )
        return counter, service

    def _second_counter(self, relation: Relation) -> Counter:
        """A counter of the service at which nobody is booked: its rules can go."""
        counter = make.counter(f"予備{relation}", division=self.division(relation))
        self.services[relation].counters.add(counter)
        return counter

    def _planned(self, relation: Relation) -> StageChange:
        """A service that is still announced, and to be booked online on a day not yet approved."""
        _, service = self._place(relation)
        service.stage = grid.Stage.ANNOUNCED.value
        service.save(update_fields=["stage"])
        return introduction.propose(
            service=service,
            stage=grid.Stage.ONLINE,
            on=date(2099, 4, 1),
            by=self.colleague,
            at=make.NOW,
        )

    def _called(self, relation: Relation) -> Visit:
        counter, service = self._place(relation)
        make.visit(service)
        visit = reception.call_next(counter=counter, by=self.colleague, at=make.NOW)
        assert visit
        return visit

    def division(self, relation: Relation) -> Division:
        return self.other if relation is Relation.OTHER else self.own

    def resident(self, relation: Relation) -> Resident:
        return self.residents[relation]

    def _faq(self, relation: Relation) -> Faq:
        return faqs.draft(
            question="保育所の申し込みに何が要りますか",
            answer="身分証をお持ちください。",
            category="子育て",
            division=self.division(relation),
            by=self.colleague,
            at=make.NOW,
        )


class RotaRows:
    """A draft, and a published rota in which counsellor and psychologist have duties."""

    def __init__(self, world: World) -> None:
        self.head = world.people[Role.CENTRE_HEAD]
        self.member = make.member(user=world.people[Role.COUNSELLOR])
        self.colleague = make.member(user=world.people[Role.PSYCHOLOGIST])
        self.skill = Skill.objects.get()
        self.second_site = make.site(
            "第二センター", closed_day_opens_at="09:00", closed_day_closes_at="15:00"
        )
        rota.set_need(
            site=self.member.site,
            day_kind="weekday",
            shift="day",
            skill=self.skill,
            count=1,
            by=self.head,
            at=make.NOW,
        )
        self.draft = self._rota(2098)
        self.published = self._rota(2099)
        Duty.objects.filter(pk__in=[self.draft.duties.all()[0].pk]).update(member=self.member)
        self.duties = list(self.published.duties.all()[:5])
        Duty.objects.filter(pk__in=[duty.pk for duty in self.duties]).update(member=self.member)
        rota.publish(rota=self.published, accept_holes=True, by=self.head, at=make.NOW)
        self.asked = self._swap(self.duties[1])
        self.agreed = self._swap(self.duties[2])
        rota.answer_swap(swap=self.agreed, agrees=True, by=self.colleague.user, at=make.NOW)
        self.open_run = rota.ask_plan(rota=self._rota(2097), by=self.head, at=make.NOW)
        self.proposal = self._proposal(self.duties[4])
        first = self.published.first
        self.leave = rota.take_leave(
            member=self.member, first=first, last=first, kind="trip", by=self.head, at=make.NOW
        )
        self.wish = rota.wish(
            member=self.member, on=first, kind="avoid", by=self.head, at=make.NOW
        )
        self.absences = {relation: self._absence(world, relation) for relation in Relation}

    def _rota(self, year: int) -> Rota:
        return rota.make(
            site=self.member.site,
            first=date(year, 6, 1),
            last=date(year, 6, 12),
            by=self.head,
            at=make.NOW,
        )

    def _swap(self, duty: Duty) -> SwapRequest:
        return rota.ask_swap(duty=duty, colleague=self.colleague, by=self.member.user, at=make.NOW)

    def _proposal(self, duty: Duty) -> PlanRun:
        change = {"duty": duty.pk, "was": self.member.pk, "then": self.colleague.pk}
        return self.published.runs.create(
            status="done",
            changes_from=duty.on,
            asked_by=self.head,
            asked_at=make.NOW,
            heard_at=make.NOW,
            holes=0,
            price=0,
            bound=0,
            proposal=[change],
        )

    def _absence(self, world: World, relation: Relation) -> Absence:
        person = make.staff(Role.OFFICER, division=world.division(relation))
        return rota.report_absence(
            user=person,
            first=make.NOW.date(),
            last=make.NOW.date(),
            kind="sick",
            by=self.head,
            at=make.NOW,
        )


def _client(**options: Any) -> Client:
    return Client(raise_request_exception=False, **options)
