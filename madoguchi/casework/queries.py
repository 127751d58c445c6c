import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Prefetch, Q, Sum
from django.utils import timezone

from madoguchi.casework import index, rules
from madoguchi.casework.models import (
    Case,
    CaseQuerySet,
    Closure,
    Contact,
    Handover,
    HandoverQuerySet,
    Involvement,
    RecordTerm,
)
from madoguchi.casework.rules import Moment
from madoguchi.foundation.japanese import name_key, text_key
from madoguchi.knowledge.models import Faq
from madoguchi.residents import queries as residents
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User

# Whose part in a case is their division's: it owns the case or was asked about it; the centre
# follows every case.
_FOR_THE_DIVISION = (
    Q(case__owner=F("user__division"))
    | Q(case__handovers__to=F("user__division"))
    | Q(user__division__is_centre=True)
)


OPEN_MARKS = frozenset(f"m:s:{status}" for status in rules.OPEN)


def cases_found(
    cases: CaseQuerySet, wanted: Mapping[str, Any], *, finds_hidden_names: bool = False
) -> CaseQuerySet:
    """
    Narrow the cases to what the list's form asks for, newest first.

    `status` "open" (the list's beginning) leaves out what is closed, "" leaves out nothing. The
    definition of every list: pages take the same cases out of the index (`sought`), faster.
    """
    if wanted.get("status") == "open":
        cases = cases.open()
    elif wanted.get("status"):
        cases = cases.filter(status=wanted["status"])
    for field in ("kind", "channel", "category", "owner"):
        if wanted.get(field):
            cases = cases.filter(**{field: wanted[field]})
    if wanted.get("result"):
        cases = cases.filter(closures__result=wanted["result"], closures__reopened_at=None)
    if wanted.get("since"):
        cases = cases.filter(received_at__gte=_midnight(wanted["since"]))
    if wanted.get("until"):
        cases = cases.filter(received_at__lt=_midnight(wanted["until"] + timedelta(days=1)))
    if wanted.get("mine"):
        cases = cases.filter(involvements__user=wanted["mine"])
    return _matching(cases, wanted.get("q", ""), finds_hidden_names).order_by("-pk")


def _matching(cases: CaseQuerySet, text: str, finds_hidden_names: bool) -> CaseQuerySet:
    """Keep the cases holding every word, with this number, or of a person with this phone."""
    meant = Q()
    for word in words_of(text):
        holds = Q(search_text__text__contains=word)
        if finds_hidden_names:
            holds |= Q(search_text__names__contains=word)
        meant &= holds
    people = residents.with_phone(text)
    if people is not None:
        meant |= Q(resident__in=people)
    if number := rules.read_case_number(text):  # r8-12 means R8-00012, which does not hold it
        meant |= Q(number=number)
    return cases.filter(meant)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a search, each as the index compares them."""
    words = unicodedata.normalize("NFKC", text).split()
    return tuple(dict.fromkeys(key for word in words if (key := text_key(word))))


def sought(
    wanted: Mapping[str, Any], *, reach: Iterable[frozenset[str]], finds_hidden_names: bool
) -> index.Sought:
    """Say in the index's marks what the list's form asks for, within the reader's reach."""
    clauses = list(reach)
    if wanted.get("status") == "open":
        clauses.append(OPEN_MARKS)
    for field, letter in (("kind", "k"), ("channel", "c"), ("result", "x"), ("status", "s")):
        if wanted.get(field) and wanted[field] != "open":
            clauses.append(frozenset({f"m:{letter}:{wanted[field]}"}))
    for field, letter in (("category", "g"), ("owner", "o"), ("mine", "u")):
        if wanted.get(field):
            clauses.append(frozenset({f"m:{letter}:{wanted[field].pk}"}))
    if wanted.get("since") or wanted.get("until"):
        days = rules.days_as_marks(wanted.get("since"), wanted.get("until"))
        clauses.append(frozenset(f"m:{mark}" for mark in days))
    text = wanted.get("q", "")
    also: set[int] = set()
    people = residents.with_phone(text)
    if people is not None:
        also.update(Case.objects.filter(resident__in=people).values_list("pk", flat=True))
    number = rules.read_case_number(text)
    if number and text_key(number) not in words_of(text):  # the whole number is a word like others
        also.update(Case.objects.filter(number=number).values_list("pk", flat=True))
    return index.Sought(
        marks=tuple(clauses),
        words=words_of(text),
        finds_hidden_names=finds_hidden_names,
        also=frozenset(also),
    )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def open_cases_of(cases: CaseQuerySet, user: User) -> CaseQuerySet:
    """Return the open cases the user works on, the most urgent first."""
    mine = cases.open().filter(involvements__user=user)
    return mine.select_related("resident", "category", "owner").order_by("due_on", "-received_at")


def in_hand(users: Iterable[int]) -> dict[int, tuple[int, int, int]]:
    """
    Return what each of these people would hand over to a successor in their division.

    (open cases, restricted ones among them, requests in which they are the named officer)
    """
    wanted = list(users)
    cases = (
        Involvement.objects.filter(user__in=wanted, case__status__in=rules.OPEN)
        .filter(_FOR_THE_DIVISION)
        .values("user")
        .annotate(n=Count("case", distinct=True))
        .annotate(restricted=Count("case", distinct=True, filter=Q(case__is_sensitive=True)))
    )
    requests = (
        Handover.objects.outstanding()
        .filter(officer__in=wanted)
        .values("officer")
        .annotate(n=Count("pk"))
    )
    asked = {row["officer"]: row["n"] for row in requests}
    counts = {row["user"]: (row["n"], row["restricted"]) for row in cases}
    return {pk: (*counts.get(pk, (0, 0)), asked.get(pk, 0)) for pk in counts.keys() | asked.keys()}


def to_pass_on(leaver: User) -> CaseQuerySet:
    """Return the open cases in which this person stands for their division."""
    involvements = Involvement.objects.filter(_FOR_THE_DIVISION, user=leaver)
    cases: CaseQuerySet = Case.objects.open().filter(pk__in=involvements.values("case"))
    return cases


def requests_waiting(handovers: HandoverQuerySet) -> HandoverQuerySet:
    """Return what a division must still answer or report on: new ones first, then by due date."""
    waiting = handovers.outstanding()
    return waiting.order_by("accepted_at", "due_on", "pk")


def record_due_on(asked_on: date) -> date:
    """Return the due date this city gives for a record asked for on the day."""
    term = record_term()
    return rules.record_due_on(
        asked_on, days=term.days, counts_closed_days=term.counts_closed_days
    )


def record_term() -> RecordTerm:
    """Return the city's choice, or what a new city begins with."""
    return RecordTerm.objects.filter(pk=1).first() or RecordTerm()


def faq_texts(case: Case) -> dict[str, str]:
    """Return what a FAQ draft begins with: the title asks, the conclusion answers."""
    closure = closure_in_force(case)
    parts = [closure.conclusion, closure.reason] if closure else []
    return {
        "question": case.title,
        "answer": "\n".join(part for part in parts if part),
        "category": case.category.name,
    }


def same_person(named: Mapping[str, str]) -> Resident | None:
    """Return the one person known by this very name and phone: no program guesses a likeness."""
    if not (named["name"] and named["phone"]):
        return None
    found = residents.find_matches(name=named["name"], phone=named["phone"])
    same = [person for person in found[:20] if person.name_key == name_key(named["name"])]
    return same[0] if len(same) == 1 else None


def name_in_booking(case: Case) -> dict[str, str]:
    """Return what the visitor booked under, so that nobody types it again; no masked phone."""
    booked = case.visit.appointment if case.visit else None
    if booked is None:
        return {}
    is_masked = booked.contact.is_masked or is_restricted(case)
    return {
        "name": booked.name,
        "kana": booked.kana,
        "phone": "" if is_masked else booked.contact.phone,
    }


def is_restricted(case: Case) -> bool:
    """Say whether the case is of somebody whose phone, mail and address nobody may see."""
    return case.resident is not None and case.resident.is_restricted


def words_to_mask(case: Case) -> list[str]:
    """Return what a text of the case may hold: names of the staff, words about the resident."""
    words = set(case.involvements.values_list("user__name", flat=True))
    if case.resident is not None:
        words.update(residents.words_about(case.resident))
    words.update(name_in_booking(case).values())
    return sorted(word for word in words if word)


def note_for_division(case: Case) -> str:
    """Return the explanation that travels: the matter, then what was said and done so far."""
    parts = [f"【件名】{case.title}", f"【相談内容】\n{case.summary or '（聞き取り中）'}"]
    said = [contact.text for contact in contacts_in_force(case)]
    if said:
        parts.append("【これまでの対応】\n" + "\n".join(f"・{text}" for text in said))
    if case.resident_id and case.resident is not None:
        helps = [str(row) for row in accommodations_of(case)]
        if helps:
            parts.append("【配慮事項】" + "、".join(helps))
    return "\n\n".join(parts)


def accommodations_of(case: Case) -> list[str]:
    """Return what helps this person, each in one line; nothing for an anonymous one."""
    if case.resident is None:
        return []
    return [
        f"{row.kind}：{row.note}" if row.note else row.kind
        for row in case.resident.accommodations.all()
    ]


def contacts_in_force(case: Case) -> list[Contact]:
    """Return the exchanges as they now read, corrections in the place of what they correct."""
    return list(case.contacts.filter(correction=None).order_by("at", "pk"))


def minutes_spent(case: Case) -> int:
    """Return how many minutes the exchanges of the case took in all."""
    spent: int | None = case.contacts.filter(correction=None).aggregate(m=Sum("minutes"))["m"]
    return spent or 0


def closure_in_force(case: Case) -> Closure | None:
    return case.closures.filter(reopened_at=None).select_related("closed_by").first()


def faqs_from(case: Case) -> list[Faq]:
    return list(Faq.objects.filter(origin=case.number).order_by("pk"))


def handovers_of(case: Case) -> list[Handover]:
    """Return the requests of the case in the order they were made."""
    rows = case.handovers.select_related(
        "to",
        "room",
        "officer",
        "asked_by__division",
        "accepted_by",
        "arrived_by",
        "declined_by",
        "withdrawn_by",
        "returned_by",
    )
    return list(rows.order_by("asked_at", "pk"))


def timeline(case: Case, handovers: Iterable[Handover]) -> list[Moment]:
    """Return everything that happened to the case, oldest first; a fixed number of queries."""
    moments = [
        Moment(
            case.received_at,
            "received",
            f"{case.get_channel_display()}で受理",
            _who(case.received_by),
        )
    ]
    moments += _contact_moments(case)
    for handover in handovers:
        moments += _handover_moments(handover)
    for meeting in case.meetings.select_related("room", "ended_by").prefetch_related("attendees"):
        names = "、".join(user.name for user in meeting.attendees.all())
        where = f"（{meeting.room}）" if meeting.room else ""
        moments.append(
            Moment(meeting.started_at, "meeting", f"同席を開始{where}", names, id=meeting.pk)
        )
        if meeting.ended_at and meeting.ended_by:
            moments.append(
                Moment(meeting.ended_at, "meeting", "同席を終了", _who(meeting.ended_by))
            )
    for revision in case.revisions.select_related("by"):
        before = f"【書き換える前】\n{revision.title}\n{revision.summary}".strip()
        moments.append(
            Moment(revision.at, "revised", "相談内容を書き換え", _who(revision.by), note=before)
        )
    for closure in case.closures.select_related("closed_by", "reopened_by"):
        moments += _closure_moments(closure)
    return sorted(moments, key=lambda moment: moment.at)


def people_of(case: Case, handovers: Iterable[Handover]) -> set[int]:
    """Return whom a resident asks for: who received, who recorded, who came from a division."""
    people: set[int | None] = {case.received_by_id, *case.contacts.values_list("by", flat=True)}
    for handover in handovers:
        people |= {handover.officer_id, handover.accepted_by_id}
    return {pk for pk in people if pk is not None}


def _who(user: User | None) -> str:
    return user.name if user else ""


def _contact_moments(case: Case) -> list[Moment]:
    corrected = Contact.objects.only("id", "corrects_id")
    rows = case.contacts.select_related("by").prefetch_related(
        Prefetch("correction", queryset=corrected)
    )
    moments = []
    for row in rows.order_by("at", "pk"):
        took = f"（{row.minutes}分）" if row.minutes else ""
        is_replaced = hasattr(row, "correction")
        title = f"{row.get_channel_display()}で応対{took}"
        note = "この記録は、あとで訂正されています。" if is_replaced else ""
        if row.corrects_id:
            title, note = f"応対の記録を訂正{took}", f"訂正の理由：{row.correction_reason}"
        kind = "replaced" if is_replaced else "contact"
        moments.append(Moment(row.at, kind, title, _who(row.by), row.text, note, row.pk))
    return moments


def _handover_moments(handover: Handover) -> list[Moment]:
    what, to = handover.get_kind_display(), handover.to.name
    moments = [
        Moment(
            handover.asked_at,
            "asked",
            f"{to}へ{what}",
            _who(handover.asked_by),
            handover.note,
            id=handover.pk,
        )
    ]
    if handover.accepted_at:
        expected = timezone.localtime(handover.expected_at) if handover.expected_at else None
        when = f"（{expected.hour}:{expected:%M}ごろ到着）" if expected else ""
        moments.append(
            Moment(
                handover.accepted_at, "accepted", f"{to}が承諾{when}", _who(handover.accepted_by)
            )
        )
    if handover.arrived_at:
        moments.append(
            Moment(handover.arrived_at, "arrived", f"{to}が到着", _who(handover.arrived_by))
        )
    if handover.declined_at:
        moments.append(
            Moment(
                handover.declined_at,
                "declined",
                f"{to}が辞退",
                _who(handover.declined_by),
                handover.declined_reason,
            )
        )
    if handover.withdrawn_at:
        moments.append(
            Moment(
                handover.withdrawn_at,
                "withdrawn",
                f"{to}への依頼を取り下げ",
                _who(handover.withdrawn_by),
                handover.withdrawn_reason,
            )
        )
    if handover.returned_at:
        moments.append(
            Moment(
                handover.returned_at,
                "returned",
                f"{to}から対応記録",
                _who(handover.returned_by),
                handover.outcome,
            )
        )
    return moments


def _closure_moments(closure: Closure) -> list[Moment]:
    text = (
        f"結論：{closure.conclusion}\n理由：{closure.reason}\n"
        f"理解度の確認：{closure.get_understanding_display()}"
    )
    moments = [
        Moment(
            closure.closed_at,
            "closed",
            f"終了（{closure.get_result_display()}）",
            _who(closure.closed_by),
            text,
        )
    ]
    if closure.reopened_at:
        moments.append(
            Moment(
                closure.reopened_at,
                "reopened",
                "再開",
                _who(closure.reopened_by),
                closure.reopened_reason,
            )
        )
    return moments
