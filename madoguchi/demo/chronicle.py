"""
Two years of work, written at once.

A `Chronicle` has the verbs of casework, booking and residents under their own names, and
leaves the rows those leave, the trail included: a test tells one story both ways. What it does
not write are live updates, which nobody keeps for more than a day.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import Max
from django.template.loader import render_to_string
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.booking import rules as booking
from madoguchi.booking.actions import SUBJECTS
from madoguchi.booking.models import Appointment, Service
from madoguchi.casework import index, rules
from madoguchi.casework.models import (
    Case,
    Category,
    Closure,
    Contact,
    Handover,
    Involvement,
    JointMeeting,
    SurveyReply,
    SurveyScore,
)
from madoguchi.foundation.dates import fiscal_year
from madoguchi.foundation.models import Sequence
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.reception import rules as reception
from madoguchi.reception.models import Visit
from madoguchi.residents.models import Accommodation, Resident
from madoguchi.staff.models import User

Row = TypeVar("Row", bound=models.Model)
Attendance: type[models.Model] = JointMeeting.attendees.through

# In this order: a row stands before the rows that point at it.
WRITTEN: tuple[type[models.Model], ...] = (
    Resident,
    Accommodation,
    Appointment,
    Visit,
    Case,
    Involvement,
    Contact,
    Handover,
    JointMeeting,
    Attendance,
    Closure,
    SurveyReply,
    SurveyScore,
    OutboundMessage,
)


class Chronicle:
    """The verbs of the office, kept in memory until `write`."""

    def __init__(self, *, rng: Random) -> None:
        self.rng = rng
        self._rows: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._last: dict[type[models.Model], int] = {
            model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0
            for model in WRITTEN
        }
        self._numbers: dict[tuple[str, int], int] = defaultdict(int)
        self._trail: list[audit.Entry] = []
        self._involved: set[tuple[int, int]] = set()
        self._handovers: dict[int, list[Handover]] = defaultdict(list)
        self._meetings: dict[int, JointMeeting] = {}

    @transaction.atomic
    def write(self) -> None:
        """Write everything told so far, and its trail in the order of time."""
        for model in WRITTEN:
            model._default_manager.bulk_create(self._rows[model], batch_size=500)
        for (series, year), last in self._numbers.items():
            Sequence.objects.update_or_create(series=series, year=year, defaults={"last": last})
        with connection.cursor() as cursor:  # our keys were not taken from the database
            for statement in connection.ops.sequence_reset_sql(no_style(), WRITTEN):
                cursor.execute(statement)
        index.rebuild()
        audit.record_all(entries=sorted(self._trail, key=lambda entry: entry.at))

    # --- residents ---------------------------------------------------------------------------

    def register(self, *, by: User | None, at: datetime, **fields: Any) -> Resident:
        resident = self._add(Resident, created_at=at, **fields)
        actor = by.get_username() if by else "resident"
        self._note("resident.register", resident, actor=actor, person=resident.pk, at=at)
        return resident

    def add_accommodation(
        self, *, resident: Resident, kind: str, note: str, by: User, at: datetime
    ) -> Accommodation:
        accommodation = self._add(Accommodation, resident=resident, kind=kind, note=note)
        self._note(
            "resident.add_accommodation",
            resident,
            actor=by.get_username(),
            person=resident.pk,
            at=at,
            accommodation=accommodation.pk,
        )
        return accommodation

    # --- appointments and visits -------------------------------------------------------------

    def book(
        self,
        *,
        service: Service,
        counter: Counter,
        start: datetime,
        name: str,
        kana: str,
        phone: str,
        email: str,
        source: booking.Source,
        resident: Resident | None,
        by: User | None,
        at: datetime,
    ) -> Appointment:
        plain = "".join(self.rng.choices(booking.CODE_LETTERS, k=booking.CODE_LENGTH - 1))
        appointment = self._add(
            Appointment,
            number=plain + booking.check_letter(plain),
            token=f"{self.rng.getrandbits(192):048x}",
            fingerprint=booking.fingerprint(
                service.code,
                counter.site.code,
                start.astimezone(booking.JST).isoformat(),
                name,
                kana,
                phone,
                email,
            ),
            service=service,
            counter=counter,
            start=start,
            minutes=service.minutes,
            cells=service.cells,
            source=source.value,
            name=name,
            kana=kana,
            phone=phone,
            email=email,
            resident=resident,
            booked_at=at,
        )
        if appointment.email:
            link = f"{settings.SITE_URL}{appointment.address}"
            self._post(
                to=appointment.email,
                subject=f"{SUBJECTS['book']}（{appointment.shown_number}）",
                body=render_to_string(
                    "booking/mail/book.txt", {"appointment": appointment, "link": link}
                ),
                about=appointment.number,
                at=at,
            )
        self._note(
            "appointment.book",
            appointment,
            key=appointment.number,
            actor=by.get_username() if by else "resident",
            person=appointment.resident_id,
            at=at,
            source=appointment.source,
            service=service.code,
        )
        return appointment

    def check_in(self, *, appointment: Appointment, site: Site, by: User, at: datetime) -> Visit:
        appointment.status = booking.AppointmentStatus.ARRIVED.value
        return self._arrive(
            "visit.check_in",
            site=site,
            by=by,
            at=at,
            service=appointment.service,
            appointment=appointment,
            booked_for=appointment.start,
            resident_id=appointment.resident_id,
        )

    def walk_in(
        self,
        *,
        site: Site,
        service: Service,
        reason: reception.Remark,
        resident: Resident | None,
        by: User,
        at: datetime,
    ) -> Visit:
        return self._arrive(
            "visit.walk_in",
            site=site,
            by=by,
            at=at,
            service=service,
            reason_without_booking=reason.value,
            resident_id=resident.pk if resident else None,
        )

    def call(self, *, visit: Visit, counter: Counter, by: User, at: datetime) -> Visit:
        visit.status, visit.counter, visit.officer = (
            reception.VisitStatus.CALLED.value,
            counter,
            by,
        )
        visit.called_at, visit.calls = at, visit.calls + 1
        return self._seen("visit.call_next", visit, by=by, at=at)

    def start(self, *, visit: Visit, by: User, at: datetime) -> Visit:
        visit.status, visit.started_at = reception.VisitStatus.SERVING.value, at
        return self._seen("visit.start", visit, by=by, at=at)

    def finish(self, *, visit: Visit, by: User, at: datetime) -> Visit:
        visit.status, visit.finished_at = reception.VisitStatus.DONE.value, at
        return self._seen("visit.finish", visit, by=by, at=at)

    def _arrive(self, verb: str, *, site: Site, by: User, at: datetime, **fields: Any) -> Visit:
        day = timezone.localdate(at)
        ticket = self._number(f"visit.{site.pk}.{day:%Y%m%d}", fiscal_year(day))
        visit = self._add(Visit, site=site, on=day, ticket=ticket, arrived_at=at, **fields)
        return self._seen(verb, visit, by=by, at=at)

    def _seen(self, verb: str, visit: Visit, *, by: User, at: datetime) -> Visit:
        self._note(
            verb,
            visit,
            actor=by.get_username(),
            person=visit.resident_id,
            at=at,
            ticket=visit.ticket,
            counter=visit.counter_id,
        )
        return visit

    # --- cases -------------------------------------------------------------------------------

    def receive(
        self,
        *,
        kind: str,
        channel: str,
        category: Category,
        title: str,
        summary: str,
        resident: Resident | None,
        owner: Division,
        by: User,
        at: datetime,
        visit: Visit | None = None,
    ) -> Case:
        on = timezone.localdate(at)
        case = self._add(
            Case,
            number=rules.case_number(on=on, number=self._number("case", fiscal_year(on))),
            kind=kind,
            channel=channel,
            category=category,
            title=title,
            summary=summary,
            resident=resident,
            owner=owner,
            is_sensitive=category.code in rules.SENSITIVE_CATEGORIES,
            received_at=at,
            received_by=by,
            changed_at=at,
            changed_by=by,
            visit=visit,
            due_on=rules.answer_due_on(on),
        )
        self._involve(case, by, by=by, at=at)
        self._tell("case.receive", case, by=by, at=at)
        return case

    def write_contact(
        self, *, case: Case, channel: str, text: str, minutes: int, by: User, at: datetime
    ) -> Contact:
        contact = self._add(
            Contact, case=case, channel=channel, text=text, minutes=minutes, at=at, by=by
        )
        if case.status == rules.Status.RECEIVED:
            case.status = rules.Status.IN_PROGRESS.value
        self._involve(case, by, by=by, at=at)
        self._tell("case.write_contact", case, by=by, at=at, contact=contact.pk)
        return contact

    def ask_division(
        self,
        *,
        case: Case,
        kind: str,
        to: Division,
        note: str,
        due_on: date,
        room: Room | None,
        by: User,
        at: datetime,
        officer: User | None = None,
    ) -> Handover:
        handover = self._add(
            Handover,
            case=case,
            kind=kind,
            to=to,
            officer=officer,
            note=note,
            due_on=due_on,
            room=room,
            asked_at=at,
            asked_by=by,
        )
        self._handovers[case.pk].append(handover)
        case.status = rules.Status.HANDED_OVER.value
        self._involve(case, by, by=by, at=at)
        if officer is not None:
            self._involve(case, officer, by=by, at=at)
        if to.email:
            self._post(
                to=to.email,
                subject=f"{handover.get_kind_display()} {case.number}",
                body="新しい依頼があります。内容は、まどぐちの「依頼」の画面で確認してください。",
                about=case.number,
                at=at,
            )
        self._tell("case.ask_division", case, by=by, at=at, handover=handover.pk, to=to.pk)
        return handover

    def accept(
        self, *, handover: Handover, expected_at: datetime | None, by: User, at: datetime
    ) -> Handover:
        handover.state = rules.HandoverState.ACCEPTED.value
        handover.accepted_at, handover.accepted_by = at, by
        handover.expected_at = expected_at
        self._involve(handover.case, by, by=by, at=at)
        self._tell("case.accept", handover.case, by=by, at=at, handover=handover.pk)
        return handover

    def decline(self, *, handover: Handover, reason: str, by: User, at: datetime) -> Handover:
        handover.state = rules.HandoverState.DECLINED.value
        handover.declined_at, handover.declined_by = at, by
        handover.declined_reason = reason
        self._settle(handover.case)
        self._tell("case.decline", handover.case, by=by, at=at, handover=handover.pk)
        return handover

    def arrive(self, *, handover: Handover, by: User, at: datetime) -> JointMeeting:
        case = handover.case
        handover.state = rules.HandoverState.ARRIVED.value
        handover.arrived_at, handover.arrived_by = at, by
        self._involve(case, by, by=by, at=at)
        meeting = self._add(
            JointMeeting, case=case, room=handover.room, started_at=at, started_by=by
        )
        self._meetings[case.pk] = meeting
        for attendee in (handover.asked_by, by):
            self._add(Attendance, jointmeeting=meeting, user=attendee)
        self._tell("case.arrive", case, by=by, at=at, handover=handover.pk, meeting=meeting.pk)
        return meeting

    def end_meeting(self, *, meeting: JointMeeting, by: User, at: datetime) -> JointMeeting:
        meeting.ended_at, meeting.ended_by = at, by
        self._tell("case.end_meeting", meeting.case, by=by, at=at, meeting=meeting.pk)
        return meeting

    def return_record(
        self, *, handover: Handover, outcome: str, by: User, at: datetime
    ) -> Handover:
        handover.state = rules.HandoverState.RETURNED.value
        handover.returned_at, handover.returned_by = at, by
        handover.outcome = outcome
        self._involve(handover.case, by, by=by, at=at)
        self._settle(handover.case)
        self._tell("case.return_record", handover.case, by=by, at=at, handover=handover.pk)
        return handover

    def close(
        self,
        *,
        case: Case,
        conclusion: str,
        result: str,
        reason: str,
        understanding: str,
        by: User,
        at: datetime,
    ) -> Closure:
        digits = f"{self.rng.randrange(10 ** (rules.SURVEY_CODE_DIGITS - 1)):011}"
        closure = self._add(
            Closure,
            case=case,
            conclusion=conclusion,
            result=result,
            reason=reason,
            understanding=understanding,
            closed_at=at,
            closed_by=by,
            survey_token=f"{self.rng.getrandbits(170):043x}",
            survey_code=digits + rules.check_digit(digits),
        )
        case.status = rules.Status.CLOSED.value
        case.closed_at, case.closed_by = at, by
        self._involve(case, by, by=by, at=at)
        self._tell("case.close", case, by=by, at=at, closure=closure.pk)
        return closure

    def answer_survey(
        self,
        *,
        closure: Closure,
        scores: Mapping[str, int],
        comment: str,
        is_from_paper: bool,
        at: datetime,
    ) -> SurveyReply:
        reply = self._add(
            SurveyReply, closure=closure, comment=comment, is_from_paper=is_from_paper, at=at
        )
        for item, score in scores.items():
            self._add(SurveyScore, reply=reply, item=item, score=score)
        self._note("survey.answer", reply, actor="resident", person=None, at=at)
        return reply

    # -----------------------------------------------------------------------------------------

    def _add(self, model: type[Row], **fields: Any) -> Row:
        self._last[model] += 1
        row = model(pk=self._last[model], **fields)
        self._rows[model].append(row)
        return row

    def _post(self, *, to: str, subject: str, body: str, about: str, at: datetime) -> None:
        """A mail of the past has left; the row in the out-tray says when."""
        self._add(
            OutboundMessage,
            key=UUID(int=self.rng.getrandbits(128), version=4),
            channel="mail",
            to=to,
            subject=subject,
            body=body,
            about=about,
            created_at=at,
            next_try_at=at,
            tries=1,
            sent_at=at + timedelta(seconds=2),
        )

    def _number(self, series: str, year: int) -> int:
        self._numbers[series, year] += 1
        return self._numbers[series, year]

    def _involve(self, case: Case, user: User, *, by: User, at: datetime) -> None:
        if (case.pk, user.pk) not in self._involved:
            self._involved.add((case.pk, user.pk))
            self._add(Involvement, case=case, user=user, since_at=at, added_by=by)

    def _settle(self, case: Case) -> None:
        states = (rules.HandoverState(each.state) for each in self._handovers[case.pk])
        case.status = rules.status_of(states).value

    def _tell(self, verb: str, case: Case, *, by: User, at: datetime, **detail: int) -> None:
        self._note(
            verb,
            case,
            key=case.number,
            actor=by.get_username(),
            person=case.resident_id,
            at=at,
            **detail,
        )

    def _note(
        self,
        verb: str,
        target: models.Model,
        *,
        actor: str,
        person: int | None,
        at: datetime,
        key: str = "",
        **detail: Any,
    ) -> None:
        self._trail.append(
            audit.Entry(
                verb=verb,
                actor=actor,
                at=at,
                target_label=target._meta.label,
                key=key or str(target.pk),
                person=person,
                detail=detail,
            )
        )
