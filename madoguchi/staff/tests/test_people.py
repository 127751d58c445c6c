"""The administrator's pages of those who work here."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from madoguchi.foundation.models import LiveEvent
from madoguchi.staff import queries
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make.staff(Role.ADMIN)


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def do(client: Client, name: str, person: User) -> Any:
    return client.post(reverse(f"staff:{name}", args=[person.pk]))


def fields(person: User, **more: object) -> dict[str, object]:
    said = {"name": person.name, "role": str(person.role), "division": person.division_id}
    return said | more


class TestTheLastAdministrator:
    def test_cannot_let_himself_go(self, desk: Client, admin: User) -> None:
        response = do(desk, "deactivate", admin)

        assert "最後のシステム管理者" in str(next(iter(get_messages(response.wsgi_request))))
        admin.refresh_from_db()
        assert admin.is_active
        assert desk.get(reverse("staff:people")).status_code == 200

    def test_cannot_give_himself_another_role(self, desk: Client, admin: User) -> None:
        address = reverse("staff:edit_person", args=[admin.pk])
        response = desk.post(address, fields(admin, role=Role.OFFICER.value, name="別 の名前"))

        assert response.context["form"].errors["role"]
        assert 'value="別 の名前"' in response.content.decode()
        admin.refresh_from_db()
        assert admin.role == Role.ADMIN

    def test_may_go_once_there_is_another(self, desk: Client, admin: User) -> None:
        make.staff(Role.ADMIN)

        do(desk, "deactivate", admin)

        admin.refresh_from_db()
        assert not admin.is_active

    def test_one_who_has_left_does_not_count(self, desk: Client, admin: User) -> None:
        User.objects.filter(pk=make.staff(Role.ADMIN).pk).update(is_active=False)

        do(desk, "deactivate", admin)

        admin.refresh_from_db()
        assert admin.is_active


@pytest.mark.parametrize("name", ["deactivate", "reset_second_factor", "reset_password"])
class TestWhoeverIsCutOff:
    def test_is_out_at_the_next_request(self, desk: Client, name: str) -> None:
        person = make.staff(Role.COUNSELLOR)
        browser = Client()
        browser.force_login(person)
        assert browser.get(reverse("staffsite:today")).status_code == 200

        do(desk, name, person)

        assert browser.get(reverse("staffsite:today")).status_code == 302

    def test_has_no_open_screen_any_more(self, desk: Client, name: str) -> None:
        person = make.staff(Role.COUNSELLOR)
        browser = Client()
        browser.force_login(person)
        key = browser.session.session_key or ""
        assert queries.user_of_session(session_key=key, at=timezone.now()) == person

        do(desk, name, person)

        assert queries.user_of_session(session_key=key, at=timezone.now()) is None


def test_a_reset_of_the_second_factor_calls_the_open_screens_at_once(desk: Client) -> None:
    """Each delivery asks again whether the stream may stay; without one it would wait a pulse."""
    person = make.staff(Role.COUNSELLOR)

    do(desk, "reset_second_factor", person)

    event = LiveEvent.objects.get(topic=f"user.{person.pk}")
    assert event.kind == "staff.reset_second_factor"


class TestAdding:
    def test_a_wrong_id_is_marked_and_the_rest_stays(self, desk: Client) -> None:
        said = {"username": "日本 語", "name": "佐藤 次郎", "role": "officer"}

        response = desk.post(reverse("staff:add_person"), said | {"division": make.division().pk})

        assert list(response.context["form"].errors) == ["username"]
        assert all(f'value="{said[name]}"' in response.content.decode() for name in said)

    def test_an_id_is_never_given_twice(self, desk: Client) -> None:
        leaver = make.staff(username="jiro")
        User.objects.filter(pk=leaver.pk).update(is_active=False)

        response = desk.post(reverse("staff:add_person"), fields(leaver, username="jiro"))

        assert list(response.context["form"].errors) == ["username"]

    def test_the_first_password_is_shown_once_and_must_be_changed(self, desk: Client) -> None:
        response = desk.post(
            reverse("staff:add_person"),
            fields(make.staff(Role.OFFICER), username="jiro", name="佐藤 次郎"),
        )

        password = response.context["password"]
        person = User.objects.get(username="jiro")
        assert password in response.content.decode()
        assert person.check_password(password)
        assert person.must_change_password
        page = desk.get(reverse("staff:edit_person", args=[person.pk]))
        assert password not in page.content.decode()
