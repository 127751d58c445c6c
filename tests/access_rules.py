"""
Who may open which address: the office's own statement, written down apart from the code.

One `Rule` for each name of the site map. `roles` are written out and not taken from
`staff.rules.MAY`, because this table is what that one is checked against. A new address needs
a new rule here; the matrix (tests/test_access_matrix.py) fails until it has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.utils import timezone

from madoguchi.staff.rules import Role
from tests.access_world import READERS, Reader, Relation, World

R = Relation
EVERYBODY = frozenset(Role)
COUNSEL = frozenset(
    {Role.COUNSELLOR, Role.PSYCHOLOGIST, Role.CONSUMER_COUNSELLOR, Role.CENTRE_HEAD}
)
DIVISION = frozenset({Role.OFFICER, Role.SUPERVISOR})
APPROVERS = frozenset({Role.SUPERVISOR, Role.CENTRE_HEAD})
ADMIN = frozenset({Role.ADMIN})
AUDITOR = frozenset({Role.AUDITOR})

Parts = Callable[[World, Relation], Mapping[str, Any]]


def nothing(world: World, relation: Relation) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Rule:
    """
    What the matrix expects of one address.

    :param roles: who gets in; None = everybody, without log in.
    :param methods: what the address answers; any other method must be refused.
    :param kwargs: the parts of the address, for a row in the given relation.
    :param query: what is asked for, for the same row.
    :param hidden: who is told that the row does not exist (404), by relation.
    :param forbidden: who may know of the row and not do this (403), by relation.
    :param post: a filled-in form with which a POST succeeds and changes something.
    :param json: the POST is JSON.
    :param changes: a POST that succeeds changes something and stands in the trail.
    :param reads: a GET shows one person's record: exactly one event in the trail.
    :param leads_to_log_in: the answer to everybody is the log in page's address.
    :param csrf: a POST from another site is refused; False needs a reason beside it.
    """

    roles: frozenset[Role] | None
    methods: tuple[str, ...] = ("GET",)
    kwargs: Parts = nothing
    query: Parts = nothing
    hidden: Mapping[Relation, frozenset[Any]] = field(default_factory=dict)
    forbidden: Mapping[Relation, frozenset[Any]] = field(default_factory=dict)
    post: Parts | None = None
    json: bool = False
    changes: bool = True
    reads: bool = False
    leads_to_log_in: bool = False
    csrf: bool = True


FORM = ("GET", "POST")
TOKEN_ONLY = Rule(None, FORM, leads_to_log_in=True, changes=False, csrf=False)
BUTTON = ("POST",)


def of_resident(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.resident(relation).pk}


def of_accommodation(world: World, relation: Relation) -> Mapping[str, Any]:
    resident = world.resident(relation)
    return {"pk": resident.pk, "accommodation": resident.accommodations.get().pk}


def of_colleague(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.colleague.pk}


def a_person(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"name": "佐藤 次郎", "role": Role.OFFICER.value, "division": world.other.pk}


def a_reason(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"reason": "本人から電話で頼まれた"}


def of_faq(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"key": world.faqs[relation].key}


def of_public_faq(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"key": world.public_faq.key}


def a_faq(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"question": "何が必要ですか", "answer": "身分証です。", "category": "子育て"}


NOBODY: Mapping[Relation, frozenset[Reader]] = dict.fromkeys(R, frozenset(READERS))
# A draft may hold words of a case: other divisions do not know of it.
NOT_OURS = {R.OTHER: DIVISION}

PUBLIC = {
    "publicsite:home": Rule(None),
    "publicsite:offices": Rule(None),
    "publicsite:site_map": Rule(None),
    "publicsite:accessibility": Rule(None),
    "publicsite:live": Rule(None, query=lambda w, r: {"topic": "public.display.1"}),
    "knowledge:faq": Rule(None),
    "knowledge:answer": Rule(None, kwargs=of_public_faq),
    # A counter on the answer, nobody's record: not in the trail.
    "knowledge:rate": Rule(
        None, BUTTON, kwargs=of_public_faq, post=lambda w, r: {"helped": "yes"}, changes=False
    ),
    # The same text for every method: it takes nothing in.
    "api:openapi-json": Rule(None, ("GET", "POST", "PUT", "PATCH", "DELETE"), changes=False),
    "api:api-root": Rule(
        None, ("GET", "POST", "PUT", "PATCH", "DELETE"), hidden=NOBODY, changes=False
    ),
    "health": Rule(None),
    "csp_report": Rule(
        None,
        BUTTON,
        json=True,
        post=lambda w, r: {"csp-report": {"effective-directive": "script-src"}},
        changes=False,
        csrf=False,  # the browser sends it by itself, without a token
    ),
}

STAFF = {
    "staff:log_in": Rule(None, FORM, changes=False),
    "staff:second_factor": Rule(None, FORM, changes=False, leads_to_log_in=True),
    "staff:enrol": Rule(None, FORM, changes=False, leads_to_log_in=True),
    "staff:log_out": Rule(None, BUTTON, leads_to_log_in=True),
    "staff:change_password": Rule(EVERYBODY, FORM, changes=False),
    "staff:save_draft": Rule(
        EVERYBODY,
        BUTTON,
        kwargs=lambda w, r: {"form": "case.R8-00012.contact"},
        post=lambda w, r: {"text": "書きかけ"},
        changes=False,  # one's own unfinished text
    ),
    "staff:people": Rule(ADMIN),
    "staff:add_person": Rule(
        ADMIN, FORM, post=lambda w, r: {"username": "jiro", **a_person(w, r)}
    ),
    "staff:edit_person": Rule(ADMIN, FORM, kwargs=of_colleague, post=a_person),
    "staff:deactivate": Rule(ADMIN, BUTTON, kwargs=of_colleague, post=nothing),
    "staff:reactivate": Rule(ADMIN, BUTTON, kwargs=of_colleague, post=nothing),
    "staff:reset_password": Rule(ADMIN, BUTTON, kwargs=of_colleague, post=nothing),
    "staff:reset_second_factor": Rule(ADMIN, BUTTON, kwargs=of_colleague, post=nothing),
    "staff:audit": Rule(AUDITOR),
    "staff:audit_excel": Rule(AUDITOR),
    "staffsite:live": Rule(
        EVERYBODY,
        query=lambda w, r: {"topic": f"division.{w.division(r).pk}"},
        forbidden={
            # Own topics, and for the counsellors every division's; nobody else's.
            relation: EVERYBODY - COUNSEL - (frozenset() if relation is R.OTHER else DIVISION)
            for relation in R
        },
    ),
    "staffsite:today": Rule(EVERYBODY),
    "staffsite:resident_history": Rule(COUNSEL | DIVISION, kwargs=of_resident, reads=True),
    # Its sample form is shown with errors and saved nowhere.
    "staffsite:components": Rule(EVERYBODY, FORM, changes=False),
    "staffsite:signed_in": Rule(EVERYBODY),
    "mail:caught": Rule(EVERYBODY, hidden=NOBODY),  # the demo alone has it
    "messaging:operations": Rule(ADMIN),
    "messaging:retry": Rule(ADMIN, BUTTON, kwargs=lambda w, r: {"pk": w.message.pk}, post=nothing),
}

RESIDENTS = {
    "residents:list": Rule(COUNSEL | DIVISION, query=lambda w, r: {"q": "山田"}),
    "residents:register": Rule(COUNSEL | DIVISION, FORM, post=lambda w, r: {"name": "佐藤 次郎"}),
    "residents:detail": Rule(COUNSEL | DIVISION, kwargs=of_resident, reads=True),
    "residents:update": Rule(
        COUNSEL | DIVISION,
        FORM,
        kwargs=of_resident,
        post=lambda w, r: {"name": "佐藤 次郎"},
        reads=True,
    ),
    "residents:reveal": Rule(COUNSEL, BUTTON, kwargs=of_resident, post=a_reason),
    "residents:restrict": Rule(COUNSEL | DIVISION, BUTTON, kwargs=of_resident, post=a_reason),
    "residents:lift_restriction": Rule(COUNSEL, BUTTON, kwargs=of_resident, post=a_reason),
    "residents:add_accommodation": Rule(
        COUNSEL | DIVISION, BUTTON, kwargs=of_resident, post=lambda w, r: {"kind": "手話通訳"}
    ),
    "residents:remove_accommodation": Rule(
        COUNSEL | DIVISION, BUTTON, kwargs=of_accommodation, post=nothing
    ),
    "residents:access_report": Rule(AUDITOR, kwargs=of_resident, reads=True),
}

KNOWLEDGE = {
    "knowledge:faqs": Rule(COUNSEL | DIVISION),
    "knowledge:draft": Rule(COUNSEL | DIVISION, FORM, post=a_faq),
    "knowledge:detail": Rule(COUNSEL | DIVISION, kwargs=of_faq, hidden=NOT_OURS),
    "knowledge:edit": Rule(COUNSEL | DIVISION, FORM, kwargs=of_faq, post=a_faq, hidden=NOT_OURS),
    "knowledge:propose": Rule(
        COUNSEL | DIVISION, BUTTON, kwargs=of_faq, post=nothing, hidden=NOT_OURS
    ),
    "knowledge:approve": Rule(
        APPROVERS,
        BUTTON,
        kwargs=lambda w, r: {"key": w.proposed_faqs[r].key},
        post=nothing,
        hidden=NOT_OURS,
    ),
    "knowledge:send_back": Rule(
        APPROVERS,
        BUTTON,
        kwargs=lambda w, r: {"key": w.proposed_faqs[r].key},
        post=a_reason,
        hidden=NOT_OURS,
    ),
    "knowledge:retire": Rule(
        APPROVERS,
        BUTTON,
        kwargs=lambda w, r: {"key": w.proposed_faqs[r].key},
        post=nothing,
        hidden=NOT_OURS,
    ),
}


def _offices(kind: str, new: Parts) -> dict[str, Rule]:
    def row(world: World, relation: Relation) -> Mapping[str, Any]:
        return {"pk": world.offices[kind].pk}

    return {
        f"offices:add_{kind}": Rule(ADMIN, FORM, post=new),
        f"offices:change_{kind}": Rule(ADMIN, FORM, kwargs=row, post=new),
        f"offices:switch_{kind}": Rule(ADMIN, BUTTON, kwargs=row, post=nothing),
    }


def of_day(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.offices["site"].pk, "on": world.exception.on}


OFFICES = {
    "offices:index": Rule(ADMIN),
    "offices:set_up": Rule(ADMIN),
    "offices:name_city": Rule(ADMIN, FORM, post=lambda w, r: {"name": "汐見台市"}),
    "offices:add_divisions": Rule(ADMIN, FORM, post=lambda w, r: {"text": "市民税課"}),
    "offices:calendar": Rule(ADMIN, kwargs=lambda w, r: {"pk": w.offices["site"].pk}),
    "offices:set_opening_day": Rule(
        ADMIN, FORM, kwargs=of_day, post=lambda w, r: {"is_open": "shut", "reason": "停電"}
    ),
    "offices:clear_opening_day": Rule(ADMIN, BUTTON, kwargs=of_day, post=nothing),
    **_offices(
        "site",
        lambda w, r: {"name": "山手支所", "opens_at": "8:30", "closes_at": "17:15"},
    ),
    **_offices("division", lambda w, r: {"name": "市民税課"}),
    **_offices(
        "counter",
        lambda w, r: {
            "name": "9番",
            "site": w.offices["site"].pk,
            "division": w.own.pk,
            "kind": "desk",
        },
    ),
    **_offices("room", lambda w, r: {"name": "相談室9", "site": w.offices["site"].pk, "seats": 4}),
}


def of_case(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"number": world.cases[relation].number}


def of_handover(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"handover_id": world.handovers[relation].pk}


def of_accepted(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"handover_id": world.accepted[relation].pk}


def of_contact(world: World, relation: Relation) -> Mapping[str, Any]:
    case = world.cases[relation]
    return {"number": case.number, "contact_id": case.contacts.earliest("pk").pk}


def of_meeting(world: World, relation: Relation) -> Mapping[str, Any]:
    case = world.cases[relation]
    return {"number": case.number, "meeting_id": case.meetings.earliest("pk").pk}


def of_closed_case(world: World, relation: Relation) -> Mapping[str, Any]:
    """Read on a case that is closed in every relation but that of the open ones."""
    return {"number": world.closed[relation].number}


def a_record(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "version": world.cases[relation].version,
        "kind": "consultation",
        "category": world.category.pk,
        "title": "保育所の申し込み",
        "summary": "書き方が分からない。",
        "channel": "counter",
        "text": "記入例を渡した。",
        "minutes": 10,
    }


def a_case(world: World, relation: Relation) -> Mapping[str, Any]:
    return {**a_record(world, relation), "name": "", "without_person": "on", "save": "1"}


def a_request(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "kind": "come",
        "to": world.third.pk,
        "note": "申請書の書き方を説明してほしい。",
        "due_on": "2099-12-01",
    }


def a_closing(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "result": world.result,
        "conclusion": "申し込みの方法が分かった。",
        "reason": "記入例で確かめた。",
        "understanding": world.understanding,
        "without_record_reason": "電話で確かめた。",
    }


CASES = COUNSEL | DIVISION
CLOSERS = COUNSEL | {Role.SUPERVISOR}
ASKED = COUNSEL | DIVISION
# Who may know of a case may not always change it: other divisions do not even know of it, and
# a closed case is read, not changed.
CHANGING: dict[str, Any] = {"hidden": NOT_OURS, "forbidden": {R.CLOSED: CASES}}

CASEWORK = {
    "casework:survey_code": Rule(None, FORM, post=lambda w, r: {"code": "000000"}, changes=False),
    "casework:survey_thanks": Rule(None),
    "casework:survey": Rule(
        None,
        FORM,
        kwargs=lambda w, r: {"token": w.closures[r].survey_token},
        post=lambda w, r: {"comment": "わかりやすかった"},
    ),
    "casework:cases": Rule(CASES),
    "casework:cases_excel": Rule(CASES),
    "casework:receive": Rule(CASES, FORM, post=a_case),
    "casework:settings": Rule(ADMIN),
    "casework:set_record_term": Rule(ADMIN, FORM, post=lambda w, r: {"days": 10}),
    "casework:add_category": Rule(
        ADMIN, FORM, post=lambda w, r: {"name": "あたらしい分野", "code": "OTHER"}
    ),
    "casework:save_category": Rule(
        ADMIN,
        FORM,
        kwargs=lambda w, r: {"category_id": w.category.pk},
        post=lambda w, r: {"name": "あたらしい分野", "code": "OTHER"},
    ),
    "casework:open_from_visit": Rule(
        CASES,
        BUTTON,
        kwargs=lambda w, r: {"visit_id": w.called[r].pk},
        post=nothing,
        hidden=NOT_OURS,
    ),
    "casework:case": Rule(CASES, kwargs=of_case, hidden=NOT_OURS, reads=True),
    "casework:sheet": Rule(CASES, kwargs=of_case, hidden=NOT_OURS, reads=True),
    "casework:write_record": Rule(
        CASES, FORM, kwargs=of_case, post=a_record, reads=True, **CHANGING
    ),
    "casework:correct_contact": Rule(
        CASES,
        FORM,
        kwargs=of_contact,
        post=lambda w, r: {"text": "正しくはこう。", "minutes": 5, "reason": "書き間違い"},
        reads=True,
        **CHANGING,
    ),
    "casework:identify": Rule(
        CASES,
        FORM,
        kwargs=of_case,
        post=lambda w, r: {"person": str(w.resident(R.OWN).pk)},
        reads=True,
        **CHANGING,
    ),
    "casework:restrict": Rule(CASES, FORM, kwargs=of_case, post=a_reason, reads=True, **CHANGING),
    "casework:involve": Rule(
        CASES,
        FORM,
        kwargs=of_case,
        post=lambda w, r: {"user": w.people[Role.SUPERVISOR].pk},
        reads=True,
        **CHANGING,
    ),
    "casework:ask_division": Rule(
        COUNSEL,
        FORM,
        kwargs=of_case,
        post=a_request,
        forbidden={R.CLOSED: COUNSEL},
        reads=True,
    ),
    "casework:end_meeting": Rule(CASES, BUTTON, kwargs=of_meeting, post=nothing, **CHANGING),
    "casework:close": Rule(CLOSERS, FORM, kwargs=of_case, post=a_closing, reads=True, **CHANGING),
    "casework:reopen": Rule(
        CLOSERS, FORM, kwargs=of_closed_case, post=a_reason, hidden=NOT_OURS, reads=True
    ),
    "casework:survey_card": Rule(CLOSERS, kwargs=of_closed_case, hidden=NOT_OURS, reads=True),
    "casework:draft_faq": Rule(
        CASES,
        FORM,
        kwargs=of_closed_case,
        post=lambda w, r: {
            "question": "申し込みに何が要りますか",
            "answer": "身分証です。",
            "category": "子育て",
            "checked": "on",
        },
        hidden=NOT_OURS,
        reads=True,
    ),
    "casework:requests": Rule(DIVISION),
    "casework:overdue": Rule(ASKED),
    "casework:handover": Rule(ASKED, kwargs=of_handover, hidden=NOT_OURS, reads=True),
    # The division answers for itself; the centre only for bodies without a screen.
    "casework:accept": Rule(
        ASKED,
        BUTTON,
        kwargs=of_handover,
        post=lambda w, r: {"minutes": "10"},
        hidden=NOT_OURS,
        forbidden=dict.fromkeys(R, COUNSEL) | {R.CLOSED: ASKED},
    ),
    "casework:decline": Rule(
        ASKED,
        FORM,
        kwargs=of_handover,
        post=a_reason,
        hidden=NOT_OURS,
        forbidden=dict.fromkeys(R, COUNSEL) | {R.CLOSED: ASKED},
        reads=True,
    ),
    "casework:withdraw": Rule(
        COUNSEL,
        FORM,
        kwargs=of_handover,
        post=a_reason,
        forbidden={R.CLOSED: COUNSEL},
        reads=True,
    ),
    "casework:arrive": Rule(
        ASKED,
        BUTTON,
        kwargs=of_accepted,
        post=nothing,
        hidden=NOT_OURS,
        forbidden=dict.fromkeys(R, COUNSEL) | {R.CLOSED: ASKED},
    ),
    "casework:return_record": Rule(
        ASKED,
        FORM,
        kwargs=of_accepted,
        post=lambda w, r: {"outcome": "窓口で説明し、申請書を受け取った。"},
        hidden=NOT_OURS,
        forbidden=dict.fromkeys(R, COUNSEL) | {R.CLOSED: ASKED},
        reads=True,
    ),
}


def of_site(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"code": world.site.code}


def of_service(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"code": world.services[relation].code}


def of_counter(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.counters[relation].pk}


def of_call(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.counters[relation].pk, "visit": world.visits[relation].pk}


def of_visit(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.visits[relation].pk}


def of_called(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.called[relation].pk}


def of_started(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.started[relation].pk}


def by_ticket(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"signed": world.visits[relation].address.split("/")[2]}


def by_pending_link(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"token": world.pending.token}


def by_link(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"token": world.appointments[relation].token}


def of_waiting(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"token": world.waiting[relation].token}


def of_appointment(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"number": world.appointments[relation].number}


def a_place(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"site": world.site.code, "start": world.free.isoformat()}


def a_booking(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"service": world.services[R.OWN].code, "name": "佐藤 次郎", **a_place(world, relation)}


def a_service(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "name": "保育所の転園相談",
        "code": "hoiku-tenen",
        "division": world.own.pk,
        "minutes": 30,
        "stage": "online",
        "counters": world.counters[R.OWN].pk,
        "lead_minutes": 60,
        "opens_days_before": 90,
        "order": 100,
        "is_active": "on",
    }


def opening_hours(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "counter": world.counters[relation].pk,
        "weekdays": ["0", "1"],
        "opens_at": "13:00",
        "closes_at": "15:00",
        "valid_from": "2099-04-01",
    }


RECEIVERS = COUNSEL | {Role.RECEPTION}
CALLERS = RECEIVERS | DIVISION
SETTERS = APPROVERS | ADMIN
# An officer calls to the counters of his own division; its supervisor sets up its services.
NOT_OUR_SERVICE = {R.OTHER: frozenset({Role.SUPERVISOR})}

BOOKING = {
    "booking:services": Rule(None),
    "booking:service": Rule(None, kwargs=of_service),
    "booking:book": Rule(
        None, FORM, kwargs=of_service, query=a_place, post=lambda w, r: {"name": "佐藤 次郎"}
    ),
    # Cells kept for a quarter of an hour, nobody's record: not in the trail.
    "booking:hold": Rule(None, BUTTON, kwargs=of_service, post=a_place, changes=False),
    # The form is refused where no day is full; to join is tried in test_waiting.
    "booking:join_waiting": Rule(None, FORM, kwargs=of_service, changes=False),
    "booking:waiting": Rule(None, kwargs=of_waiting),
    # Nothing is offered: the page says so.
    "booking:take_offer": Rule(None, BUTTON, kwargs=of_waiting, post=nothing, changes=False),
    "booking:leave_waiting": Rule(None, BUTTON, kwargs=of_waiting, post=nothing),
    "booking:waiting_list": Rule(CALLERS),
    "booking:take_offer_for_resident": Rule(
        CALLERS, BUTTON, kwargs=of_waiting, post=nothing, changes=False
    ),
    "booking:leave_waiting_for_resident": Rule(CALLERS, BUTTON, kwargs=of_waiting, post=nothing),
    # It looks a booking up.
    "booking:find_booking": Rule(None, FORM, changes=False),
    # Whoever has the link may read, change and cancel: it is the key.
    "booking:appointment": Rule(None, kwargs=by_link),
    "booking:sheet": Rule(None, kwargs=by_link),
    "booking:slip": Rule(None, kwargs=by_link),
    "booking:qr": Rule(None, kwargs=by_link),
    "booking:calendar": Rule(None, kwargs=by_link),
    "booking:reschedule": Rule(None, FORM, kwargs=by_link, query=a_place, post=nothing),
    "booking:cancel": Rule(None, FORM, kwargs=by_link, post=nothing),
    # A choice of the browser's own, kept in its cookie: nobody's record, no harm from elsewhere.
    "set_language": Rule(
        None, BUTTON, post=lambda w, r: {"language": "en", "next": "/"}, changes=False, csrf=False
    ),
    "open_link": Rule(
        None, FORM, kwargs=lambda w, r: {"token": w.one_time_link}, post=nothing, changes=False
    ),
    # Without the secret of a channel there is no such address; tested of its own.
    "line:webhook": Rule(None, BUTTON, hidden=NOBODY, changes=False, csrf=False),
    "line:follow": Rule(None, FORM, kwargs=lambda w, r: {"signed": w.line_link}, changes=False),
    "booking:confirm": Rule(None, FORM, kwargs=by_pending_link, post=nothing),
    "booking:counter_calendar": Rule(None, kwargs=lambda w, r: {"token": w.feed.token}),
    "reception:display": Rule(None, kwargs=of_site),
    "reception:congestion": Rule(None),
    # Whoever holds the ticket may follow it: its link is signed.
    "reception:own_ticket": Rule(None, kwargs=by_ticket),
    "reception:ticket_qr": Rule(None, kwargs=by_ticket),
    # A screen in the hall: nobody but the machine that has been given the key, whoever signs in.
    "reception:terminal": Rule(None, kwargs=of_site, hidden=NOBODY),
    "reception:check_in_at_terminal": Rule(
        None, BUTTON, kwargs=of_site, hidden=NOBODY, changes=False
    ),
    "reception:walk_in_at_terminal": Rule(
        None, BUTTON, kwargs=of_site, hidden=NOBODY, changes=False
    ),
    "reception:book_at_terminal": Rule(
        None,
        FORM,
        kwargs=lambda w, r: {"code": w.site.code, "service": w.services[r].code},
        hidden=NOBODY,
        changes=False,
    ),
    "reception:panel": Rule(CALLERS, kwargs=of_site),
    "reception:set_queue_rule": Rule(
        SETTERS,
        FORM,
        kwargs=of_site,
        post=lambda w, r: {
            "order": "by_time",
            "grace_minutes": 10,
            "delay_minutes": 15,
            "busy_minutes": 30,
        },
    ),
    "reception:terminals": Rule(
        SETTERS, FORM, kwargs=of_site, post=lambda w, r: {"name": "1階入口"}
    ),
    "reception:withdraw_terminal": Rule(
        SETTERS, BUTTON, kwargs=lambda w, r: {"pk": w.terminal.pk}, post=nothing
    ),
    "reception:close_counter": Rule(
        CALLERS, BUTTON, kwargs=of_counter, post=nothing, hidden=NOT_OURS
    ),
    "reception:open_counter": Rule(
        CALLERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.closed_counters[r].pk},
        post=nothing,
        hidden=NOT_OURS,
    ),
    "reception:begin_support": Rule(
        CALLERS,
        BUTTON,
        kwargs=of_counter,
        post=lambda w, r: {"service": w.busy.code},
        hidden=NOT_OURS,
    ),
    "reception:end_support": Rule(
        CALLERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.supports[r].pk},
        post=nothing,
        hidden=NOT_OURS,
    ),
    "reception:raise_alert": Rule(
        CALLERS, BUTTON, kwargs=of_counter, post=nothing, hidden=NOT_OURS
    ),
    # Every colleague may come to help, whatever the division.
    "reception:acknowledge_alert": Rule(
        CALLERS, BUTTON, kwargs=lambda w, r: {"pk": w.alerts[r].pk}, post=nothing
    ),
    "reception:park": Rule(CALLERS, BUTTON, kwargs=of_called, post=nothing, hidden=NOT_OURS),
    "reception:transfer": Rule(
        CALLERS,
        FORM,
        kwargs=of_called,
        post=lambda w, r: {"service": w.busy.pk, "when": "now", "note": "書類は確かめました。"},
        hidden=NOT_OURS,
    ),
    "reception:receptions": Rule(RECEIVERS),
    "reception:reception": Rule(RECEIVERS, kwargs=of_site),
    "reception:check_in": Rule(
        RECEIVERS,
        BUTTON,
        kwargs=of_site,
        post=lambda w, r: {"code": w.appointments[r].number},
    ),
    "reception:walk_in": Rule(
        RECEIVERS,
        BUTTON,
        kwargs=of_site,
        post=lambda w, r: {"service": w.services[r].pk, "reason": "did_not_know"},
    ),
    "reception:ticket": Rule(
        RECEIVERS, kwargs=lambda w, r: {"code": w.site.code, "pk": w.visits[r].pk}
    ),
    "reception:remarks": Rule(RECEIVERS | {Role.SUPERVISOR}, kwargs=of_site),
    "reception:calling": Rule(CALLERS),
    "reception:counter": Rule(CALLERS, kwargs=of_counter, hidden=NOT_OURS),
    "reception:call_next": Rule(CALLERS, BUTTON, kwargs=of_counter, post=nothing, hidden=NOT_OURS),
    "reception:call": Rule(
        CALLERS, BUTTON, kwargs=of_call, post=nothing, hidden=NOT_OURS, changes=False
    ),
    "reception:recall": Rule(CALLERS, BUTTON, kwargs=of_called, post=nothing, hidden=NOT_OURS),
    "reception:mark_absent": Rule(
        CALLERS, BUTTON, kwargs=of_called, post=nothing, hidden=NOT_OURS
    ),
    "reception:return_to_queue": Rule(
        CALLERS, BUTTON, kwargs=of_called, post=nothing, hidden=NOT_OURS
    ),
    "reception:start": Rule(CALLERS, BUTTON, kwargs=of_called, post=nothing, hidden=NOT_OURS),
    "reception:finish": Rule(CALLERS, BUTTON, kwargs=of_started, post=nothing, hidden=NOT_OURS),
    "booking:book_for_resident": Rule(CALLERS),
    "booking:choose_for_resident": Rule(CALLERS, kwargs=of_service),
    "booking:hold_for_resident": Rule(
        CALLERS, BUTTON, kwargs=of_service, post=a_place, changes=False
    ),
    "booking:book_by_phone": Rule(
        CALLERS,
        FORM,
        kwargs=of_service,
        query=a_place,
        post=lambda w, r: {"name": "佐藤 次郎", "source": "phone"},
    ),
    "booking:appointment_for_resident": Rule(CALLERS, kwargs=of_appointment, reads=True),
    "booking:reschedule_for_resident": Rule(
        CALLERS, FORM, kwargs=of_appointment, query=a_place, post=nothing, reads=True
    ),
    "booking:cancel_for_resident": Rule(
        CALLERS, FORM, kwargs=of_appointment, post=nothing, reads=True
    ),
    "booking:confirm_for_resident": Rule(
        CALLERS, BUTTON, kwargs=lambda w, r: {"number": w.pending.number}, post=nothing
    ),
    "booking:counter_feeds": Rule(SETTERS),
    "booking:make_feed": Rule(
        SETTERS,
        BUTTON,
        post=lambda w, r: {"counter": w.feed_counters[r].pk},
        hidden=NOT_OUR_SERVICE,
    ),
    "booking:withdraw_feed": Rule(
        SETTERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.feeds[r].pk},
        post=nothing,
        hidden=NOT_OUR_SERVICE,
    ),
    "booking:service_settings": Rule(SETTERS),
    "booking:new_service": Rule(SETTERS, FORM, post=a_service),
    "booking:save_service": Rule(
        SETTERS, FORM, kwargs=of_service, post=a_service, hidden=NOT_OUR_SERVICE
    ),
    "booking:opening_rules": Rule(
        SETTERS, FORM, kwargs=of_service, post=opening_hours, hidden=NOT_OUR_SERVICE
    ),
    "booking:change_opening_rule": Rule(
        SETTERS,
        FORM,
        kwargs=lambda w, r: {"code": w.services[r].code, "pk": w.opening_rules[r].pk},
        post=opening_hours,
        hidden=NOT_OUR_SERVICE,
    ),
    "booking:why": Rule(SETTERS, kwargs=of_service, hidden=NOT_OUR_SERVICE),
    "booking:service_history": Rule(SETTERS, kwargs=of_service, hidden=NOT_OUR_SERVICE),
    "booking:close_day": Rule(
        SETTERS,
        BUTTON,
        kwargs=of_service,
        post=lambda w, r: {"day": "2099-04-01"},
        hidden=NOT_OUR_SERVICE,
    ),
    "booking:mark_told": Rule(
        SETTERS,
        BUTTON,
        kwargs=lambda w, r: {"code": w.services[r].code, "pk": w.untold[r].pk},
        post=nothing,
        hidden=NOT_OUR_SERVICE,
    ),
    "booking:withdraw_opening_rule": Rule(
        SETTERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.opening_rules[r].pk},
        post=lambda w, r: {"service": w.services[r].code},
        hidden=NOT_OUR_SERVICE,
    ),
}


def introduced(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"code": world.stage_changes[relation].service.code}


def of_change(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.stage_changes[relation].pk}


def a_question(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "0",
        "form-0-question": "予約なしの場合は？",
        "form-0-answer": "空いた時間にご案内します。",
    }


INTRODUCTION = {
    "introduction:introductions": Rule(SETTERS),
    "introduction:introduction": Rule(SETTERS, kwargs=introduced, hidden=NOT_OUR_SERVICE),
    "introduction:propose": Rule(
        SETTERS,
        FORM,
        kwargs=introduced,
        post=lambda w, r: {"stage": "required", "on": "R12.4.1"},
        hidden=NOT_OUR_SERVICE,
    ),
    # Who says GO decides about citizens' access: not the administrator of the system.
    "introduction:approve": Rule(
        APPROVERS, BUTTON, kwargs=of_change, post=nothing, hidden=NOT_OUR_SERVICE
    ),
    "introduction:stop": Rule(
        SETTERS, FORM, kwargs=of_change, post=a_reason, hidden=NOT_OUR_SERVICE
    ),
    "introduction:go_back": Rule(
        SETTERS,
        FORM,
        kwargs=of_service,
        post=lambda w, r: {"stage": "announced", **a_reason(w, r)},
        hidden=NOT_OUR_SERVICE,
    ),
    "introduction:trial": Rule(
        SETTERS,
        FORM,
        kwargs=introduced,
        post=lambda w, r: {
            "site": w.site.pk,
            "share_booking": 60,
            "no_show": 10,
            "per_hour": 4,
            "counters": 1,
        },
        hidden=NOT_OUR_SERVICE,
    ),
    "introduction:save_questions": Rule(
        SETTERS, FORM, kwargs=introduced, post=a_question, hidden=NOT_OUR_SERVICE
    ),
    "introduction:save_notice": Rule(
        SETTERS,
        FORM,
        kwargs=introduced,
        post=lambda w, r: dict.fromkeys(("title", "body", "easy_title", "easy_body"), "よやく"),
        hidden=NOT_OUR_SERVICE,
    ),
    "introduction:print_notice": Rule(
        SETTERS,
        BUTTON,
        kwargs=lambda w, r: {**introduced(w, r), "size": "a5"},
        post=nothing,
        hidden=NOT_OUR_SERVICE,
    ),
    **{
        f"introduction:{name}": Rule(SETTERS, kwargs=introduced, hidden=NOT_OUR_SERVICE)
        for name in ("follow_up", "follow_up_excel", "report")
    },
    "introduction:note_event": Rule(
        RECEIVERS,
        BUTTON,
        kwargs=lambda w, r: {**of_site(w, r), "kind": "sent_home"},
        post=lambda w, r: {"service": w.services[r].pk, "reason": "no_smartphone"},
    ),
    # One takes back what one has counted oneself.
    "introduction:take_back_event": Rule(
        RECEIVERS,
        FORM,
        kwargs=lambda w, r: {**of_site(w, r), "pk": w.desk_event.pk},
        post=nothing,
        hidden=dict.fromkeys(R, COUNSEL),
    ),
}

STATISTICS = {
    f"statistics:{name}": Rule(CLOSERS)
    for name in (
        "month",
        "month_excel",
        "visits",
        "records",
        "transfers",
        "transfers_excel",
        "transfers_listed",
    )
}

API = {
    # By a token alone, whoever is signed in; what a token may do is tried in casework's test_api.
    "api:cases": TOKEN_ONLY,
    "api:receive": TOKEN_ONLY,
    "api:case": replace(TOKEN_ONLY, methods=("GET",), kwargs=of_case),
    "api:search": Rule(None, query=lambda w, r: {"q": "保育"}),
    "api:services": Rule(None),
    "api:slots": Rule(None, kwargs=of_service),
    # No cookie, no session: another site has nothing to borrow.
    "api:book": Rule(None, BUTTON, json=True, post=a_booking, csrf=False),
    "api:booking": Rule(None, ("GET", "DELETE"), kwargs=by_link),
    "api:cancel": Rule(None, ("GET", "DELETE"), kwargs=by_link),
}


def a_month(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"year": 2099, "month": 6}


def of_draft(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.rota.draft.pk}


def of_member(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.rota.member.pk}


def of_absence(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.rota.absences[relation].pk}


def a_member(world: World, relation: Relation) -> Mapping[str, Any]:
    member = world.rota.member
    return {
        "user": member.user_id,
        "skills": [world.rota.skill.pk],
        "serves_weekdays": "on",
        "weekdays": ["月", "火"],
        "share": 80,
    }


def all_needs(world: World, relation: Relation) -> Mapping[str, Any]:
    skill = world.rota.skill.pk
    return {
        f"{skill}_{kind}_{shift}": 2
        for kind in ("weekday", "closed")
        for shift in ("day", "morning", "afternoon")
    }


ROTA_READERS = COUNSEL | DIVISION | {Role.RECEPTION, Role.SAFETY_DESK}
ROTA_EDITORS = frozenset({Role.CENTRE_HEAD})
ABSENCES = COUNSEL | DIVISION | {Role.RECEPTION}


def all_but(*roles: Role) -> Mapping[Relation, frozenset[Any]]:
    """Every reader of the rota but these, whatever the row: it is one person's own."""
    return dict.fromkeys(R, ROTA_READERS - set(roles))


OWN_WISHES: dict[str, Any] = {
    "kwargs": of_member,
    "forbidden": all_but(Role.COUNSELLOR, Role.CENTRE_HEAD),
}

ROTA = {
    "rota:month": Rule(ROTA_READERS, kwargs=a_month),
    "rota:month_print": Rule(ROTA_READERS, kwargs=a_month),
    "rota:month_pdf": Rule(ROTA_READERS, kwargs=a_month),
    "rota:month_excel": Rule(ROTA_READERS, kwargs=a_month),
    "rota:today": Rule(ROTA_READERS),
    "rota:mine": Rule(ROTA_READERS),
    "rota:person": Rule(ROTA_READERS, kwargs=of_member),
    "rota:report_absence": Rule(
        ABSENCES,
        FORM,
        post=lambda w, r: {"user": w.colleague.pk, "first": "2099-12-01", "kind": "sick"},
    ),
    "rota:name_stand_in": Rule(
        ABSENCES,
        FORM,
        kwargs=of_absence,
        post=lambda w, r: {"note": "鍵は棚"},
        forbidden={R.OTHER: DIVISION},
    ),
    "rota:end_absence": Rule(
        ABSENCES, BUTTON, kwargs=of_absence, post=nothing, forbidden={R.OTHER: DIVISION}
    ),
    "rota:contacts": Rule(ROTA_READERS, reads=True),
    "rota:contacts_print": Rule(ROTA_READERS, reads=True),
    "rota:fairness": Rule(ROTA_READERS),
    "rota:fairness_excel": Rule(ROTA_READERS),
    "rota:save_contacts": Rule(  # a division writes its own, the head of the centre any
        ABSENCES,
        FORM,
        kwargs=lambda w, r: {"pk": w.division(r).pk},
        post=lambda w, r: {"form-TOTAL_FORMS": 0, "form-INITIAL_FORMS": 0},
        forbidden={
            relation: ABSENCES - ROTA_EDITORS - (DIVISION if relation is not R.OTHER else set())
            for relation in R
        },
    ),
    "rota:wishes": Rule(ROTA_READERS, **OWN_WISHES),
    "rota:calendar": Rule(ROTA_READERS, **OWN_WISHES),
    "rota:wish": Rule(
        ROTA_READERS, BUTTON, post=lambda w, r: {"on": "2099-06-05", "kind": "want"}, **OWN_WISHES
    ),
    "rota:take_leave": Rule(
        ROTA_READERS,
        BUTTON,
        post=lambda w, r: {"first": "2099-06-05", "kind": "trip"},
        **OWN_WISHES,
    ),
    "rota:unwish": Rule(
        ROTA_READERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.wish.pk},
        post=nothing,
        hidden=all_but(Role.COUNSELLOR, Role.CENTRE_HEAD),
    ),
    "rota:cancel_leave": Rule(
        ROTA_READERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.leave.pk},
        post=nothing,
        hidden=all_but(Role.COUNSELLOR, Role.CENTRE_HEAD),
    ),
    "rota:swaps": Rule(ROTA_READERS),
    "rota:ask_swap": Rule(
        ROTA_READERS,
        FORM,
        kwargs=lambda w, r: {"pk": w.rota.duties[3].pk},
        post=lambda w, r: {"colleague": w.rota.colleague.pk},
        hidden=all_but(Role.COUNSELLOR),
    ),
    "rota:answer_swap": Rule(
        ROTA_READERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.asked.pk},
        post=lambda w, r: {"answer": "agree"},
        hidden=all_but(Role.PSYCHOLOGIST),
    ),
    "rota:withdraw_swap": Rule(
        ROTA_READERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.asked.pk},
        post=nothing,
        hidden=all_but(Role.COUNSELLOR),
    ),
    "rota:decide_swap": Rule(  # asked by the centre: not for another division's supervisor
        APPROVERS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.agreed.pk},
        post=lambda w, r: {"answer": "approve"},
        hidden=dict.fromkeys(R, frozenset({Role.SUPERVISOR})),
    ),
    "rota:rotas": Rule(ROTA_EDITORS),
    "rota:make": Rule(
        ROTA_EDITORS,
        FORM,
        post=lambda w, r: {
            "first": "2096-06-01",
            "last": "2096-06-30",
            "most_in_row": 5,
            "closed_gap": 1,
        },
    ),
    "rota:rota": Rule(ROTA_EDITORS, kwargs=of_draft),
    "rota:rota_excel": Rule(ROTA_READERS, kwargs=of_draft, hidden=all_but(Role.CENTRE_HEAD)),
    "rota:ask_plan": Rule(ROTA_EDITORS, BUTTON, kwargs=of_draft, post=nothing),
    "rota:replan": Rule(
        ROTA_EDITORS,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.rota.published.pk},
        post=lambda w, r: {"changes_from": "2099-06-02"},
    ),
    "rota:publish": Rule(
        ROTA_EDITORS, BUTTON, kwargs=of_draft, post=lambda w, r: {"accept_holes": "on"}
    ),
    "rota:discard": Rule(ROTA_EDITORS, BUTTON, kwargs=of_draft, post=nothing),
    "rota:stop_run": Rule(
        ROTA_EDITORS, BUTTON, kwargs=lambda w, r: {"pk": w.rota.open_run.pk}, post=nothing
    ),
    "rota:apply_run": Rule(
        ROTA_EDITORS, BUTTON, kwargs=lambda w, r: {"pk": w.rota.proposal.pk}, post=nothing
    ),
    "rota:assign": Rule(
        ROTA_EDITORS,
        FORM,
        kwargs=lambda w, r: {"pk": w.rota.duties[0].pk},
        post=lambda w, r: {"member": ""},
    ),
    "rota:set_needs": Rule(ROTA_EDITORS, FORM, post=all_needs),
    "rota:set_up": Rule(
        ROTA_EDITORS, BUTTON, query=lambda w, r: {"site": w.rota.second_site.code}, post=nothing
    ),
    "rota:add_skill": Rule(ROTA_EDITORS, BUTTON, post=lambda w, r: {"name": "手話"}),
    "rota:members": Rule(ROTA_EDITORS),
    "rota:save_member": Rule(ROTA_EDITORS, FORM, kwargs=of_member, post=a_member),
    "rota:set_turn_order": Rule(ROTA_EDITORS, FORM, post=lambda w, r: {f"division_{w.own.pk}": 1}),
}

MOVERS = frozenset({Role.ADMIN, Role.CENTRE_HEAD})


def of_moves(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.moves.pk}


def a_move_list(world: World, relation: Relation) -> Mapping[str, Any]:
    heading = "職員ID,氏名,今の部署,今の役割,異動先,新しい役割,退職,後任の職員ID"
    line = f"{world.colleague.username},,,,{world.third.name},,,"
    return {"file": ContentFile(f"{heading}\r\n{line}\r\n".encode(), name="moves.csv")}


def of_letter(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.letter.pk}


def a_letter(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "received_on": "R8.11.20",
        "channel": "mayor_letter",
        "text": "公園の遊具を直してください。",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "0",
        "form-0-title": "公園の遊具",
        "form-0-kind": "request",
        "form-0-category": world.category.pk,
        "form-0-owner": world.third.pk,
    }


LETTERS = {
    "letters:letters": Rule(COUNSEL),
    "letters:letters_excel": Rule(COUNSEL),
    "letters:figures": Rule(COUNSEL),
    "letters:receive": Rule(COUNSEL, FORM, post=a_letter),
    "letters:letter": Rule(COUNSEL, kwargs=of_letter, reads=True),
    "letters:set_outcome": Rule(
        COUNSEL,
        BUTTON,
        kwargs=lambda w, r: {"pk": w.letter.pk, "position": 1},
        post=lambda w, r: {"outcome": "done"},
    ),
    "letters:answer": Rule(
        COUNSEL,
        FORM,
        kwargs=of_letter,
        post=lambda w, r: {"text": "直しました。"},
        reads=True,
    ),
    "letters:sheet": Rule(COUNSEL, kwargs=of_letter, reads=True),
}

INCIDENT_STAFF = COUNSEL | DIVISION | {Role.RECEPTION}
JUDGES = APPROVERS
SAFETY_EDITORS = frozenset({Role.CENTRE_HEAD, Role.ADMIN})
# Counsellors and the reception belong to other divisions than 保育課, in which it happened.
NOT_THEIR_INCIDENT = {
    R.OWN: INCIDENT_STAFF - DIVISION - {Role.CENTRE_HEAD},
    R.OTHER: INCIDENT_STAFF - {Role.CENTRE_HEAD},
    R.CLOSED: INCIDENT_STAFF - DIVISION - {Role.CENTRE_HEAD},
    R.SECRET: INCIDENT_STAFF - DIVISION - {Role.CENTRE_HEAD},
}


def of_incident(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.incidents[relation].pk}


def of_measure(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"pk": world.measures[relation].pk}


def a_judgement(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "do": "judge",
        "demand": "fair",
        "manner": "fitting",
        "effect": "none",
        "fault": "no",
        "need": "no",
        "result": "none",
        "reason": "相当な話し方だった。",
    }


def a_measure(world: World, relation: Relation) -> Mapping[str, Any]:
    return {
        "kind": "time_limit",
        "ground": "長時間の応対が続いたため。",
        "remains_open": "窓口は予約で受けます。",
        "review_on": f"{timezone.localdate() + timedelta(days=20):%Y-%m-%d}",
    }


SAFETY = {
    "safety:incidents": Rule(INCIDENT_STAFF),
    "safety:incidents_excel": Rule(INCIDENT_STAFF),
    "safety:open_incident": Rule(
        INCIDENT_STAFF,
        FORM,
        post=lambda w, r: {"channel": "counter", "minutes_ago": 0, "people": 1},
    ),
    "safety:incident": Rule(
        INCIDENT_STAFF, kwargs=of_incident, hidden=NOT_THEIR_INCIDENT, reads=True
    ),
    "safety:describe": Rule(
        INCIDENT_STAFF,
        FORM,
        kwargs=of_incident,
        hidden=NOT_THEIR_INCIDENT,
        post=lambda w, r: {"people": 2, "place": "1階"},
        reads=True,
    ),
    "safety:take_step": Rule(
        INCIDENT_STAFF,
        BUTTON,
        kwargs=of_incident,
        hidden=NOT_THEIR_INCIDENT,
        post=lambda w, r: {"stage": "switch"},
    ),
    "safety:undo_step": Rule(
        INCIDENT_STAFF,
        BUTTON,
        kwargs=of_incident,
        hidden=NOT_THEIR_INCIDENT,
        post=nothing,
    ),
    "safety:write_note": Rule(
        INCIDENT_STAFF,
        BUTTON,
        kwargs=of_incident,
        hidden=NOT_THEIR_INCIDENT,
        post=lambda w, r: {"text": "「帰らない」"},
    ),
    "safety:judge": Rule(
        JUDGES,
        FORM,
        kwargs=of_incident,
        hidden={R.OTHER: frozenset({Role.SUPERVISOR})},
        post=a_judgement,
        reads=True,
    ),
    "safety:return_to_complaint": Rule(
        CASES,
        FORM,
        kwargs=of_incident,
        hidden={
            relation: roles - {Role.RECEPTION} for relation, roles in NOT_THEIR_INCIDENT.items()
        },
        post=lambda w, r: {"title": "免除の求め", "category": w.category.pk},
        reads=True,
    ),
    "safety:propose_measure": Rule(
        INCIDENT_STAFF,
        FORM,
        kwargs=of_incident,
        hidden=NOT_THEIR_INCIDENT,
        post=a_measure,
        reads=True,
    ),
    "safety:sheet": Rule(
        INCIDENT_STAFF, kwargs=of_incident, hidden=NOT_THEIR_INCIDENT, reads=True
    ),
    "safety:measures": Rule(INCIDENT_STAFF),
    "safety:approve_measure": Rule(
        JUDGES,
        BUTTON,
        kwargs=of_measure,
        hidden={R.OTHER: frozenset({Role.SUPERVISOR})},
        post=nothing,
    ),
    "safety:review_measure": Rule(
        JUDGES,
        BUTTON,
        kwargs=of_measure,
        hidden={R.OTHER: frozenset({Role.SUPERVISOR})},
        post=lambda w, r: {"review_on": f"{timezone.localdate() + timedelta(days=40):%Y-%m-%d}"},
    ),
    "safety:end_measure": Rule(
        JUDGES,
        BUTTON,
        kwargs=of_measure,
        hidden={R.OTHER: frozenset({Role.SUPERVISOR})},
        post=lambda w, r: {"reason": "落ち着いたため"},
    ),
    "safety:settings": Rule(SAFETY_EDITORS),
    "safety:set_limits": Rule(
        SAFETY_EDITORS,
        FORM,
        kwargs=lambda w, r: {"way": "phone"},
        post=lambda w, r: {
            "notice": 15,
            "second": 20,
            "end": 30,
            "stop_requests": 3,
            "leave_requests": 2,
        },
    ),
    "safety:set_words": Rule(
        SAFETY_EDITORS,
        FORM,
        kwargs=lambda w, r: {"stage": "end"},
        post=lambda w, r: {"text": "本日はここまでです。"},
    ),
    "safety:revise_standard": Rule(
        SAFETY_EDITORS,
        FORM,
        post=lambda w, r: {"definition": "著しい迷惑行為", "words_fitting": "相当なら通常の苦情"},
    ),
    "safety:delegate": Rule(
        SAFETY_EDITORS, BUTTON, post=lambda w, r: {"user": w.people[Role.OFFICER].pk}
    ),
    "safety:end_delegation": Rule(
        SAFETY_EDITORS, BUTTON, kwargs=lambda w, r: {"pk": w.delegation.pk}, post=nothing
    ),
}

PERSONNEL = {
    "personnel:lists": Rule(MOVERS),
    "personnel:plan": Rule(
        ADMIN, FORM, post=lambda w, r: {"effective_on": "2098-04-01", **a_move_list(w, r)}
    ),
    "personnel:template": Rule(ADMIN),
    "personnel:mine": Rule(EVERYBODY),
    "personnel:move_list": Rule(MOVERS, kwargs=of_moves),
    "personnel:progress": Rule(MOVERS, kwargs=of_moves),
    "personnel:replace": Rule(ADMIN, FORM, kwargs=of_moves, post=a_move_list),
    "personnel:move_list_excel": Rule(MOVERS, kwargs=of_moves),
    "personnel:approve": Rule(MOVERS, BUTTON, kwargs=of_moves, post=nothing),
    "personnel:stop": Rule(MOVERS, BUTTON, kwargs=of_moves, post=nothing),
}


def of_submission(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"number": world.submissions[relation].number}


def of_attachment(world: World, relation: Relation) -> Mapping[str, Any]:
    return {**of_submission(world, relation), "attachment_id": world.attachments[relation].pk}


def of_untaken(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"number": world.untaken[relation].number}


def a_message(world: World, relation: Relation) -> Mapping[str, Any]:
    return {"key": str(uuid4()), "text": "窓口でご案内します。"}


INTAKE = {
    "intake:submit": Rule(
        None, FORM, post=lambda w, r: {"kind": "opinion", **a_message(w, r), "category": ""}
    ),
    "intake:open_page": Rule(
        None, FORM, post=lambda w, r: {"number": "W8-00001", "code": "AAAAA-AAAAA"}, changes=False
    ),
    # Without the cookie that number and code give, it leads to where they are asked for.
    "intake:received": Rule(None),
    "intake:page": Rule(None),
    "intake:write_again": Rule(None, BUTTON, post=a_message, changes=False),
    "intake:own_file": Rule(None, kwargs=lambda w, r: {"attachment_id": w.attachments[r].pk}),
    "intake:file": Rule(CASES, kwargs=of_attachment, hidden=NOT_OURS, reads=True),
    "intake:leave": Rule(None, BUTTON, post=nothing, changes=False),  # the browser forgets
    "intake:submissions": Rule(CASES),
    "intake:submission": Rule(CASES, kwargs=of_submission, hidden=NOT_OURS, reads=True),
    "intake:take_up": Rule(
        CASES,
        FORM,
        kwargs=of_untaken,
        post=lambda w, r: {
            "title": "保育料",
            "kind": "consultation",
            "category": w.category.pk,
            "owner": w.own.pk,
        },
        hidden=dict.fromkeys(R, DIVISION),  # until it is a case it is the centre's
        reads=True,
    ),
    "intake:reply": Rule(
        CASES, FORM, kwargs=of_submission, post=a_message, reads=True, **CHANGING
    ),
}

RULES: dict[str, Rule] = (
    PUBLIC
    | STAFF
    | RESIDENTS
    | KNOWLEDGE
    | OFFICES
    | CASEWORK
    | BOOKING
    | INTRODUCTION
    | STATISTICS
    | ROTA
    | PERSONNEL
    | LETTERS
    | SAFETY
    | INTAKE
    | API
)
