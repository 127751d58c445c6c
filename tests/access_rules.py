"""
Who may open which address: the office's own statement, written down apart from the code.

One `Rule` for each name of the site map. `roles` are written out and not taken from
`staff.rules.MAY`, because this table is what that one is checked against. A new address needs
a new rule here; the matrix (tests/test_access_matrix.py) fails until it has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    # The same text for every method; it takes nothing in, so there is nothing to forge.
    "api-0.1.0:openapi-json": Rule(
        None, ("GET", "POST", "PUT", "PATCH", "DELETE"), changes=False, csrf=False
    ),
    "api-0.1.0:api-root": Rule(
        None, ("GET", "POST", "PUT", "PATCH", "DELETE"), hidden=NOBODY, changes=False, csrf=False
    ),
    "api-0.1.0:search": Rule(None, query=lambda w, r: {"q": "保育"}),
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
    "staffsite:components": Rule(EVERYBODY),
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
    "offices:name_city": Rule(ADMIN, FORM, post=lambda w, r: {"name": "汐見市"}),
    "offices:add_divisions": Rule(ADMIN, FORM, post=lambda w, r: {"lines": "税務課"}),
    "offices:calendar": Rule(ADMIN, kwargs=lambda w, r: {"pk": w.offices["site"].pk}),
    "offices:set_opening_day": Rule(
        ADMIN, FORM, kwargs=of_day, post=lambda w, r: {"is_shut": "on", "reason": "工事"}
    ),
    "offices:clear_opening_day": Rule(ADMIN, BUTTON, kwargs=of_day, post=nothing),
    **_offices(
        "site",
        lambda w, r: {"name": "港町支所", "opens_at": "8:30", "closes_at": "17:15"},
    ),
    **_offices("division", lambda w, r: {"name": "税務課"}),
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

RULES: dict[str, Rule] = PUBLIC | STAFF | RESIDENTS | KNOWLEDGE | OFFICES
