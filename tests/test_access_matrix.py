"""
Every address × method × reader × relation, against the declared rules (tests/access_rules.py).

The rows and requests are real; only the drawing of templates is left out, for speed. The second
half removes one check after the other and holds that the matrix notices.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Appointment
from madoguchi.foundation.models import LiveEvent
from madoguchi.knowledge.models import Faq, FaqVersion
from madoguchi.messaging import actions as messaging
from madoguchi.messaging.models import OutboundMessage
from madoguchi.residents.models import Resident
from madoguchi.staff import rules as staff_rules
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role, Verb
from tests.access_rules import RULES, Rule, nothing
from tests.access_world import ANONYMOUS, READERS, SECRET_CONTACT, Reader, Relation, World

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
LOG_IN = "/staff/login/"


def site_map() -> dict[str, URLPattern]:
    """Return every address of the product by its name, namespaces included."""
    return dict(_walk(get_resolver(), ()))


def _walk(resolver: URLResolver, spaces: tuple[str, ...]) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, (*spaces, entry.namespace) if entry.namespace else spaces)
        else:
            yield ":".join([*spaces, entry.name or str(entry.pattern)]), entry


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out what the answer does not depend on: drawing, and a log line for each request."""
    monkeypatch.setattr(Template, "render", lambda self, context=None, request=None: "")
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)  # by its own door: loggers remember what was disabled


@dataclass(frozen=True)
class Cell:
    name: str
    method: str
    reader: Reader
    relation: Relation

    @property
    def rule(self) -> Rule:
        return RULES[self.name]

    def __str__(self) -> str:
        return f"{self.name} {self.method} {self.reader} {self.relation}"


def cells(name: str) -> Iterator[Cell]:
    """
    Every reader by every method the address answers, on the row of every relation.

    Methods it must refuse are tried by a stranger and by somebody who may get in.
    """
    rule = RULES[name]
    has_row = rule.kwargs is not nothing or rule.query is not nothing
    for method in METHODS:
        if method in rule.methods:
            for reader in READERS:
                for relation in Relation if has_row else (Relation.OWN,):
                    yield Cell(name, method, reader, relation)
        else:
            for reader in {ANONYMOUS, permitted(name)}:
                yield Cell(name, method, reader, Relation.OWN)


def address_of(world: World, cell: Cell) -> str:
    address = reverse(cell.name, kwargs=dict(cell.rule.kwargs(world, cell.relation)))
    query = cell.rule.query(world, cell.relation)
    return f"{address}?{urlencode(query)}" if query else address


def ask(world: World, cell: Cell, *, client: Client | None = None) -> HttpResponseBase:
    """Send the request of the cell, with a form filled in where the rule has one."""
    rule = cell.rule
    address = address_of(world, cell)
    sender = client or world.clients[cell.reader]
    kept = copy(sender.cookies)  # nobody is signed out by an earlier cell
    form = dict(rule.post(world, cell.relation)) if rule.post else {}
    try:
        if cell.method != "POST":
            return sender.generic(cell.method, address)
        if rule.json:
            return sender.post(address, json.dumps(form), content_type="application/json")
        return sender.post(address, form)
    finally:
        sender.cookies = kept


def send(world: World, cell: Cell, form: Mapping[str, Any]) -> HttpResponseBase:
    """Send this form in place of the rule's, with a token as every form of a page has one."""
    fields = {"csrfmiddlewaretoken": "token", **form}
    return world.clients[cell.reader].post(address_of(world, cell), fields)


def outcome(response: HttpResponseBase) -> str:
    """Return what the answer means to the reader."""
    status = response.status_code
    if status == 401 or response.headers.get("Location", "").startswith(LOG_IN):
        return "log in"
    named = {403: "forbidden", 404: "hidden", 405: "not answered"}
    return named.get(status) or ("broken" if status >= 500 else "answered")


def expected(cell: Cell) -> set[str]:
    rule = cell.rule
    if cell.method == "HEAD" and "GET" in rule.methods:  # the same as GET, or not at all
        return {*expected(replace(cell, method="GET")), "not answered"}
    if cell.method not in rule.methods:
        return {"log in", "forbidden", "hidden", "not answered"}
    if rule.leads_to_log_in:
        return {"log in"}
    if rule.roles is not None:
        if cell.reader == ANONYMOUS:
            return {"log in"}
        if cell.reader not in rule.roles:
            return {"forbidden"}
    if cell.reader in rule.hidden.get(cell.relation, ()):
        return {"hidden"}
    if cell.reader in rule.forbidden.get(cell.relation, ()):
        return {"forbidden"}
    return {"answered"}


def red_cells(world: World, name: str) -> Iterator[str]:
    """Play all cells of one address; tell those whose answer the rule does not allow."""
    for cell in cells(name):
        with transaction.atomic():
            found = outcome(ask(world, cell))
            transaction.set_rollback(True)
        if found not in expected(cell):
            yield f"{cell}: {found}, not {' or '.join(sorted(expected(cell)))}"


def test_every_address_has_a_rule_and_every_rule_an_address() -> None:
    addresses = site_map()

    missing = [f"{name} ({addresses[name].pattern})" for name in addresses if name not in RULES]
    assert not missing, (
        "These addresses have no rule. Add one to RULES in tests/access_rules.py: who gets in "
        f"(roles), by which methods, for which rows: {missing}"
    )
    assert not [name for name in RULES if name not in addresses]


def test_the_matrix_is_large_enough_to_mean_something() -> None:
    assert sum(1 for name in RULES for _ in cells(name)) >= 2_000


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("name", RULES)
def test_matrix(world: World, name: str) -> None:
    assert list(red_cells(world, name)) == []


@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if "POST" in rule.methods])
def test_a_form_prepared_by_another_site_is_refused(world: World, name: str) -> None:
    rule = RULES[name]
    readers = [reader for reader in READERS if reader in (rule.roles or {ANONYMOUS})]
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients[readers[0]].cookies

    with transaction.atomic():
        response = ask(world, Cell(name, "POST", readers[0], Relation.OWN), client=strict)
        transaction.set_rollback(True)

    assert (response.status_code == 403) == rule.csrf


def permitted(name: str) -> Reader:
    rule = RULES[name]
    shut = rule.hidden.get(Relation.OWN, frozenset()) | rule.forbidden.get(
        Relation.OWN, frozenset()
    )
    readers = [r for r in READERS if r in (rule.roles or {ANONYMOUS}) and r not in shut]
    return readers[0] if readers else ANONYMOUS


# What each form with a person's record on its page refuses to save.
SENT_BACK: dict[str, dict[str, str]] = {
    name: {}
    for name, rule in RULES.items()
    if "POST" in rule.methods and rule.reads and not name.startswith("booking:")
} | {
    "residents:update": {"birth_on": "きのうごろ"},
    "residents:reveal": {},
    "residents:restrict": {},
    "residents:lift_restriction": {},
    "residents:add_accommodation": {},
    "casework:identify": {"do": "find"},
    "casework:accept": {},
}


class TestTrail:
    """Every change and every reading of a person's record stands in the audit trail."""

    @pytest.mark.usefixtures("_undrawn")
    @pytest.mark.parametrize(
        "name", [n for n, r in RULES.items() if "POST" in r.methods and r.changes]
    )
    def test_a_change_writes_an_event(self, world: World, name: str) -> None:
        assert RULES[name].post or RULES[name].leads_to_log_in, (
            f"{name} answers POST: give its rule a `post` with which it succeeds, or say "
            "`changes=False` and why"
        )

        with transaction.atomic():
            before = AuditEvent.objects.count()
            response = ask(world, Cell(name, "POST", permitted_to_change(name), Relation.OWN))
            written = AuditEvent.objects.count() - before
            transaction.set_rollback(True)

        assert response.status_code < 400
        assert written >= 1

    @pytest.mark.usefixtures("_undrawn")
    @pytest.mark.parametrize("name", [n for n, rule in RULES.items() if rule.reads])
    def test_a_reading_writes_exactly_one_event(self, world: World, name: str) -> None:
        with transaction.atomic():
            before = AuditEvent.objects.count()
            response = ask(world, Cell(name, "GET", permitted(name), Relation.OWN))
            written = AuditEvent.objects.count() - before
            transaction.set_rollback(True)

        assert (response.status_code, written) == (200, 1)

    @pytest.mark.usefixtures("_undrawn")
    @pytest.mark.parametrize("name", SENT_BACK)
    def test_a_form_sent_back_shows_the_record_and_writes_one_event(
        self, world: World, name: str
    ) -> None:
        """Nobody reads a record unseen by sending what cannot be saved."""
        cell = Cell(name, "POST", permitted(name), Relation.OWN)

        with transaction.atomic():
            before = AuditEvent.objects.count()
            response = send(world, cell, SENT_BACK[name])
            written = AuditEvent.objects.count() - before
            transaction.set_rollback(True)

        assert (response.status_code, written) == (200, 1)


def permitted_to_change(name: str) -> Reader:
    return Role.ADMIN if RULES[name].roles is None else permitted(name)


# --- Bad input on every form: the error stands on the page, and what was typed is kept. ---

# Where no field must be filled in: what its field cannot take.
CANNOT_BE: dict[str, dict[str, str]] = {
    "residents:register": {"birth_on": "きのうごろ"},
    "residents:update": {"birth_on": "きのうごろ"},
    "casework:identify": {"phone": "自宅"},
    "rota:name_stand_in": {"stand_in": "0"},
    "rota:assign": {"member": "0"},
}
# What it is about was chosen on the page before; these only ask whether it is meant.
ASKS_ONLY = {
    "open_link",
    "booking:confirm",
    "booking:reschedule",
    "booking:cancel",
    "booking:reschedule_for_resident",
    "booking:cancel_for_resident",
    "introduction:take_back_event",
}
FORMS = [
    name
    for name, rule in RULES.items()
    if rule.post and {"GET", "POST"} <= set(rule.methods) and name not in ASKS_ONLY
]


@pytest.mark.parametrize("name", FORMS)
def test_bad_input_is_said_on_the_page_and_the_rest_is_kept(world: World, name: str) -> None:
    """Each field is left out once; where it must be filled in, the form comes back."""
    cell = Cell(name, "POST", permitted_to_change(name), Relation.OWN)
    form = dict(RULES[name].post(world, cell.relation))  # type: ignore[misc]
    tries = [{key: form[key] for key in form if key != left_out} for left_out in form]
    if name in CANNOT_BE:
        tries = [form | CANNOT_BE[name]]
    if name == "rota:set_turn_order":  # a number for each division
        tries = [dict.fromkeys(form, "一番")]
    refused = 0
    for fields in tries:
        with transaction.atomic():
            response = send(world, cell, fields)
            page = written(response)
            transaction.set_rollback(True)
        if response.status_code != 200:
            continue
        refused += 1
        assert "error-summary" in page
        shown = [key for key in fields if f'name="{key}"' in page]
        assert [key for key in shown if is_typed(fields[key]) and fields[key] not in page] == []

    assert refused


def is_typed(value: object) -> bool:
    return isinstance(value, str) and len(value) > 1


# --- Proof: take one check away, and a cell turns red. ---


def _verb_for(role: Role, verb: Verb) -> Callable[[pytest.MonkeyPatch], None]:
    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(staff_rules.MAY, role, staff_rules.MAY[role] | {verb})

    return mutate


def _everybody_may_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "may", lambda self, verb: True)


def _returns(path: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(path, value)

    return mutate


def _all_faqs(user: User) -> Any:
    return Faq.objects.all()


MUTANTS: list[tuple[str, Callable[[pytest.MonkeyPatch], None], str]] = [
    ("officers edit staff", _verb_for(Role.OFFICER, Verb.EDIT_STAFF), "staff:edit_person"),
    ("officers reveal", _verb_for(Role.OFFICER, Verb.REVEAL_ADDRESS), "residents:reveal"),
    ("officers lift", _verb_for(Role.OFFICER, Verb.REVEAL_ADDRESS), "residents:lift_restriction"),
    (
        "reception reads residents",
        _verb_for(Role.RECEPTION, Verb.READ_RESIDENTS),
        "residents:detail",
    ),
    ("admin reads residents", _verb_for(Role.ADMIN, Verb.READ_RESIDENTS), "residents:list"),
    ("admin reads the trail", _verb_for(Role.ADMIN, Verb.READ_AUDIT), "staff:audit"),
    ("the contractor reads it", _verb_for(Role.SAFETY_DESK, Verb.READ_AUDIT), "staff:audit_excel"),
    (
        "auditors read residents",
        _verb_for(Role.AUDITOR, Verb.READ_RESIDENTS),
        "residents:update",
    ),
    ("authors approve", _verb_for(Role.OFFICER, Verb.APPROVE_FAQ), "knowledge:approve"),
    ("counsellors set up", _verb_for(Role.COUNSELLOR, Verb.EDIT_OFFICES), "offices:change_site"),
    ("verbs do not count", _everybody_may_everything, "residents:access_report"),
    (
        "drafts of all divisions",
        _returns("madoguchi.knowledge.access.visible_faqs", _all_faqs),
        "knowledge:detail",
    ),
    (
        "every topic",
        _returns("madoguchi.staffsite.access.may_follow", lambda user, topic: True),
        "staffsite:live",
    ),
]


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize(("mutate", "name"), [m[1:] for m in MUTANTS], ids=[m[0] for m in MUTANTS])
def test_a_check_that_is_taken_away_is_missed(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[pytest.MonkeyPatch], None],
    name: str,
) -> None:
    mutate(monkeypatch)

    assert next(red_cells(world, name), None)


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if rule.roles is not None])
def test_no_door_can_be_taken_off(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without `requires`, the address of every staff page turns red."""
    entry = site_map()[name]
    view = entry.callback
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    monkeypatch.setattr(entry, "callback", view)

    assert next(red_cells(world, name), None)


# --- The address of a resident with restricted display is on no page, list or file. ---


def written(response: HttpResponseBase) -> str:
    """Return all text of an answer, that of an Excel file included."""
    raw = getattr(response, "content", b"")
    if not raw.startswith(b"PK"):
        return str(raw.decode(errors="replace"))
    with ZipFile(BytesIO(raw)) as book:
        return "".join(book.read(part).decode(errors="replace") for part in book.namelist())


@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if "GET" in rule.methods])
def test_a_secret_contact_is_nowhere(world: World, name: str) -> None:
    readers = [reader for reader in READERS if reader in (RULES[name].roles or {ANONYMOUS})]
    leaks = []
    for reader in readers:
        with transaction.atomic():
            text = written(ask(world, Cell(name, "GET", reader, Relation.SECRET)))
            transaction.set_rollback(True)
        spelled = text.replace("-", "")  # 080-5555-0199 is the same number
        leaks += [f"{name} {reader}: {k}" for k, v in SECRET_CONTACT.items() if v in spelled]

    assert leaks == []


# Taking the mask away, for a reason that stands in the trail, is what these two are for.
UNMASKING = {"residents:reveal", "residents:lift_restriction"}


@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if "POST" in rule.methods])
def test_a_secret_contact_is_in_no_answer_to_a_form(world: World, name: str) -> None:
    """Sent filled in, with the page it leads to; sent empty; sent to look somebody up."""
    readers = [reader for reader in READERS if reader in (RULES[name].roles or {ANONYMOUS})]
    leaks = []
    for reader in readers:
        cell = Cell(name, "POST", reader, Relation.SECRET)
        for form in ({}, {"do": "find", "name": "山田"}):  # empty: but for its token
            leaks += secrets_in(world, cell, form)
        if name not in UNMASKING:
            leaks += secrets_in(world, cell, None)

    assert leaks == []


def secrets_in(world: World, cell: Cell, form: dict[str, str] | None) -> list[str]:
    """Send the form of the cell (or this one), and look for the contact in all that follows."""
    client, text = world.clients[cell.reader], ""
    with transaction.atomic():
        answer = ask(world, cell) if form is None else send(world, cell, form)
        text += written(answer)
        if (onwards := answer.headers.get("Location", "")) and outcome(answer) == "answered":
            text += written(client.get(onwards))
        text += "".join(str(row) for rows in left_behind() for row in rows)
        transaction.set_rollback(True)
    spelled = text.replace("-", "")  # 080-5555-0199 is the same number
    return [f"{cell}: {field}" for field, value in SECRET_CONTACT.items() if value in spelled]


def left_behind() -> Iterator[Iterable[tuple[Any, ...]]]:
    """Return what a form leaves for others to read: mails, FAQs, the trail, live events."""
    yield OutboundMessage.objects.values_list("subject", "body", "about")
    yield FaqVersion.objects.values_list("question", "answer", "asked")
    yield Faq.objects.values_list("question", "answer", "asked", "remark")
    yield AuditEvent.objects.values_list("reason", "detail")
    yield LiveEvent.objects.values_list("topic", "body")


def test_the_search_for_secrets_would_find_one(world: World) -> None:
    """Revealed for a reason it is on the page, so the pages above were really read."""
    with transaction.atomic():
        cell = Cell("residents:reveal", "POST", Role.COUNSELLOR, Relation.SECRET)
        text = written(ask(world, cell))
        transaction.set_rollback(True)

    assert all(value in text for value in SECRET_CONTACT.values())


def test_a_page_that_forgets_the_mask_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the mask on `Resident.contact` the list shows the address."""
    opened = SimpleNamespace(**SECRET_CONTACT)
    monkeypatch.setattr(Resident, "contact", property(lambda self: opened))
    with transaction.atomic():
        text = written(ask(world, Cell("residents:list", "GET", Role.COUNSELLOR, Relation.SECRET)))
        transaction.set_rollback(True)

    assert SECRET_CONTACT["address"] in text


def test_an_answer_to_a_form_that_forgets_the_mask_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same control for forms: the page after a cancelled booking shows the phone."""
    monkeypatch.setattr(Appointment, "contact", property(lambda self: self))
    cell = Cell("booking:cancel_for_resident", "POST", Role.RECEPTION, Relation.SECRET)

    assert secrets_in(world, cell, None) == [f"{cell}: phone", f"{cell}: email"]


def test_a_mail_that_tells_the_contact_is_found(world: World) -> None:
    """And for what a form leaves behind."""
    cell = Cell("casework:ask_division", "POST", Role.COUNSELLOR, Relation.SECRET)
    with transaction.atomic():
        messaging.post(
            channel="mail",
            to="kakari@shiomi.example",
            subject="依頼",
            body=f"電話 {SECRET_CONTACT['phone']}",
            at=timezone.now(),
        )
        found = secrets_in(world, cell, {})
        transaction.set_rollback(True)

    assert found == [f"{cell}: phone"]
