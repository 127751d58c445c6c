"""Programs write and read cases for a person: by a token, within the person's rights."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import access, rules
from madoguchi.casework.models import Case
from madoguchi.foundation.limits import Limit
from madoguchi.messaging.models import OutboundMessage
from madoguchi.residents.models import Resident
from madoguchi.staff import actions as staff
from madoguchi.staff.models import ApiToken, User
from madoguchi.staff.rules import Role, Scope
from tests import make

pytestmark = pytest.mark.django_db
URL = "/api/v1/cases"
MATTER = {
    "kind": "request",
    "channel": "form",
    "category": "ADMIN",
    "title": "道路の穴",
    "text": "家の前です。\n早めに見てください。",
    "resident": {"name": "髙橋 花子", "kana": "タカハシ ハナコ", "phone": "0898-12-3456"},
}


@pytest.fixture
def counsellor() -> User:
    return make.staff(username="soudan")


def _headers(user: User, *scopes: Scope) -> dict[str, str]:
    _, secret = staff.create_token(
        user=user, scopes=scopes or tuple(Scope), by="system", at=make.NOW
    )
    return {"Authorization": f"Bearer {secret}"}


def _send(client: Client, headers: dict[str, str], **more: Any) -> Any:
    return client.post(URL, MATTER | more, content_type="application/json", headers=headers)


def test_a_case_is_received_like_at_the_counter(client: Client, counsellor: User) -> None:
    answer = _send(client, _headers(counsellor))

    assert answer.status_code == 201
    case = Case.objects.get(number=answer.json()["number"])
    assert answer.json()["url"].endswith(f"/staff/cases/{case.number}/")
    assert (case.kind, case.channel, case.category.code) == ("request", "form", "ADMIN")
    assert (case.title, case.summary) == (MATTER["title"], MATTER["text"])
    assert case.due_on == rules.answer_due_on(timezone.localdate(case.received_at))
    assert (case.owner, case.received_by) == (counsellor.division, counsellor)
    assert case.resident is not None
    assert case.resident.name == "髙橋 花子"
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"token.create", "case.receive", "resident.register"} <= verbs


def test_the_division_is_told_that_there_is_a_case_and_nothing_of_it(client: Client) -> None:
    centre = make.centre()
    centre.email = "soudan@city.example.jp"
    centre.save()
    headers = _headers(make.staff(division=centre)) | {"Idempotency-Key": "once"}

    number = _send(client, headers).json()["number"]
    _send(client, headers)

    message = OutboundMessage.objects.get()
    assert (message.to, message.subject) == (centre.email, f"新しい案件 {number}")
    assert "道路" not in message.body
    assert "髙橋" not in message.body


def test_the_same_key_opens_one_case(client: Client, counsellor: User) -> None:
    headers = _headers(counsellor) | {"Idempotency-Key": "mail-4711"}

    first, second = _send(client, headers), _send(client, headers)

    assert first.json() == second.json()
    assert Case.objects.count() == Resident.objects.count() == 1
    assert _send(client, headers, title="別の話").status_code == 422


def test_who_is_known_by_name_and_phone_is_not_entered_again(
    client: Client, counsellor: User
) -> None:
    known = make.resident("高橋花子", phone="0898123456")
    headers = _headers(counsellor)

    _send(client, headers)
    _send(client, headers, resident={"name": "髙橋 花子"})
    _send(client, headers, resident=None)

    owners = list(Case.objects.order_by("pk").values_list("resident", flat=True))
    assert owners[0] == known.pk
    assert owners[1] not in (None, known.pk)
    assert owners[2] is None


def test_a_restricted_phone_finds_nobody(client: Client, counsellor: User) -> None:
    hidden = make.resident("髙橋 花子", phone="0898-12-3456", is_restricted=True)

    _send(client, _headers(counsellor))

    assert Case.objects.get().resident_id != hidden.pk


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gossip"},
        {"channel": "pigeon"},
        {"category": "NONE"},
        {"title": " "},
        {"title": "a\nb"},
        {"text": "\x00"},
        {"resident": {"phone": "call me"}},
    ],
)
def test_a_wrong_field_is_named(client: Client, counsellor: User, wrong: dict[str, Any]) -> None:
    answer = _send(client, _headers(counsellor), **wrong)

    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.json()["detail"][0]["loc"]
    assert not Case.objects.exists()


def test_without_a_token_in_force_nothing_is_said(client: Client, counsellor: User) -> None:
    headers = _headers(counsellor)
    case = make.case()

    for none in ({}, {"Authorization": "Bearer mdg_guess"}, {"Authorization": "Basic x"}):
        assert client.get(URL, headers=none).status_code == 401
        assert client.get(f"{URL}/{case.number}", headers=none).status_code == 401
    staff.revoke_token(token=ApiToken.objects.get(), by="system", at=make.NOW)

    assert client.get(URL, headers=headers).status_code == 401


def test_a_leaver_takes_his_tokens_along(client: Client, counsellor: User) -> None:
    headers, admin = _headers(counsellor), make.staff(Role.ADMIN)
    assert client.get(URL, headers=headers).status_code == 200

    staff.deactivate(user=counsellor, by=admin, at=make.NOW)
    assert client.get(URL, headers=headers).status_code == 401
    staff.reactivate(user=counsellor, by=admin, at=make.NOW)

    assert client.get(URL, headers=headers).status_code == 401


def test_a_transfer_ends_them_too(client: Client, counsellor: User) -> None:
    headers = _headers(counsellor)

    staff.move(user=counsellor, division=make.division("税務課"), role=Role.OFFICER, at=make.NOW)

    assert client.get(URL, headers=headers).status_code == 401


def test_a_token_does_what_it_is_for(client: Client, counsellor: User) -> None:
    reads, writes = _headers(counsellor, Scope.READ_CASES), _headers(counsellor, Scope.WRITE_CASES)

    assert _send(client, reads).status_code == 403
    assert client.get(URL, headers=writes).status_code == 403
    assert _send(client, writes).status_code == 201


def test_a_token_gives_no_right_its_person_lacks(client: Client) -> None:
    auditor = _headers(make.staff(Role.AUDITOR))

    assert _send(client, auditor).status_code == 403
    assert client.get(URL, headers=auditor).status_code == 403


def test_the_list_is_the_page(client: Client, counsellor: User) -> None:
    nursery = make.division("保育課", code="hoiku")
    own = make.case("保育所の空き", owner=nursery, by=counsellor)
    make.case("道路の穴", by=counsellor)
    make.case("秘密の話", is_sensitive=True, by=counsellor)
    make.case("終わった話", status="closed", closed_at=make.NOW, closed_by=counsellor)
    head = _headers(counsellor)
    officer = _headers(make.staff(Role.OFFICER, division=nursery))

    def titles(headers: dict[str, str], query: str = "") -> list[str]:
        answer = client.get(f"{URL}{query}", headers=headers).json()
        assert answer["count"] == len(answer["results"])
        return [row["title"] for row in answer["results"]]

    assert titles(head) == ["終わった話", "道路の穴", "保育所の空き"]
    assert titles(head, "?status=open") == ["道路の穴", "保育所の空き"]
    assert titles(head, "?q=道路") == ["道路の穴"]
    assert titles(head, "?division=hoiku") == titles(officer) == ["保育所の空き"]
    assert titles(head, "?division=nowhere") == []
    assert titles(head, "?from=2026-11-25") == []
    assert titles(head, "?to=2026-11-24&status=closed") == ["終わった話"]
    beyond = client.get(f"{URL}?page=2", headers=head).json()
    assert (beyond["count"], beyond["results"]) == (3, [])
    row = client.get(URL, headers=officer).json()["results"][0]
    assert (row["number"], row["division"], row["status"]) == (own.number, "hoiku", "received")
    seen = AuditEvent.objects.filter(verb="case.list").last()
    assert seen is not None
    assert seen.detail == {"ids": [own.pk]}


def test_one_case_is_read_and_its_reading_kept(client: Client, counsellor: User) -> None:
    person = make.resident("山田 花子", phone="0898-11-1111", is_restricted=True)
    case = make.case(resident=person)
    secret = make.case(is_sensitive=True)
    headers = _headers(counsellor)

    shown = client.get(f"{URL}/{case.number}", headers=headers)

    assert shown.json()["text"] == case.summary
    assert shown.json()["resident"] == {"name": "山田 花子", "kana": "", "phone": "（秘匿）"}
    assert AuditEvent.objects.filter(verb="case.read", target_key=case.number).exists()
    assert client.get(f"{URL}/{secret.number}", headers=headers).status_code == 404


def test_a_program_that_runs_wild_is_stopped(
    client: Client, counsellor: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(access, "API_READS", Limit("api_reads", 2, access.API_READS.span))
    headers = _headers(counsellor)

    answers = [client.get(URL, headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


class TestCommand:
    def test_it_shows_the_token_once_and_keeps_its_digest(
        self, counsellor: User, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("token_create", user="soudan", scope="cases:write, cases:read")
        secret = capsys.readouterr().out.strip()

        token = ApiToken.objects.get()
        assert token.scopes == "cases:read cases:write"
        assert secret not in str(vars(token))
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get(URL, headers=headers).status_code == 200
        call_command("token_list")
        assert "soudan\tcases:read cases:write" in (listed := capsys.readouterr().out)
        assert secret not in listed
        call_command("token_revoke", str(token.pk))
        assert client.get(URL, headers=headers).status_code == 401
        call_command("token_list")
        assert "失効" in capsys.readouterr().out
        assert AuditEvent.objects.filter(verb="token.revoke").count() == 1

    @pytest.mark.parametrize(
        ("command", "given"),
        [
            ("token_create", {"user": "nobody", "scope": "cases:read"}),
            ("token_create", {"user": "soudan", "scope": "cases:read,all"}),
            ("token_create", {"user": "soudan", "scope": " "}),
        ],
    )
    def test_it_refuses(self, counsellor: User, command: str, given: dict[str, str]) -> None:
        with pytest.raises(CommandError):
            call_command(command, **given)

        assert not ApiToken.objects.exists()

    def test_an_unknown_number_is_refused(self) -> None:
        with pytest.raises(CommandError):
            call_command("token_revoke", "99")
