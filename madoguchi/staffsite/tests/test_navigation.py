import pytest
from django.test import Client
from django.urls import reverse

from madoguchi.staff.rules import Role
from madoguchi.staffsite.navigation import MENU, Entry, menu_for
from tests import make

pytestmark = pytest.mark.django_db


def labels(role: Role) -> set[str]:
    menu = menu_for(make.staff(role), path="/staff/")
    return {item.label for group in menu for item in group.items}


def test_the_menu_shows_only_what_the_role_may_do() -> None:
    assert "庁舎と部署" in labels(Role.ADMIN)
    assert "庁舎と部署" not in labels(Role.COUNSELLOR)


def test_a_role_sees_no_group_of_others() -> None:
    menu = menu_for(make.staff(Role.SAFETY_DESK), path="/staff/")

    assert {group.label for group in menu} == {"", "当番", "自分"}


def test_the_line_we_are_under_is_marked_and_no_other() -> None:
    menu = menu_for(make.staff(Role.ADMIN), path="/staff/offices/city/")

    assert [item.label for group in menu for item in group.items if item.is_here] == ["庁舎と部署"]


def test_no_key_is_given_twice() -> None:
    keys = [entry.key for group in MENU for entry in group.entries if entry.key]

    assert len(keys) == len(set(keys))


def test_a_staff_page_shows_who_is_at_work_and_the_menu(client: Client) -> None:
    officer = make.staff(Role.ADMIN)
    client.force_login(officer)

    html = client.get("/staff/components/").content.decode()

    assert officer.name in html
    assert "システム管理者" in html
    assert 'href="/staff/offices/"' in html


@pytest.mark.parametrize(
    "entry", [e for group in MENU for e in group.entries], ids=lambda e: e.name
)
def test_every_line_of_the_menu_leads_somewhere(entry: Entry) -> None:
    assert reverse(entry.name).startswith("/staff/")
