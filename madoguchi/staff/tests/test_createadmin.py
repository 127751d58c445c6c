from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from madoguchi.audit.models import AuditEvent
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


def create(**answers: str) -> str:
    out = StringIO()
    call_command("createadmin", stdout=out, **answers)
    return out.getvalue()


def test_the_first_administrator_of_an_empty_city_brings_a_division() -> None:
    create(username="suzuki", name="鈴木 一郎", division="情報政策課")

    admin = User.objects.get(username="suzuki")
    assert admin.role == Role.ADMIN
    assert admin.division.name == "情報政策課"
    assert [e.actor for e in AuditEvent.objects.all()] == ["setup", "setup"]


def test_a_division_that_is_there_is_used() -> None:
    own = make.division("総務課")

    create(username="suzuki", name="鈴木 一郎", division="総務課")

    assert User.objects.get(username="suzuki").division == own


def test_the_password_lets_in_once_and_must_be_changed() -> None:
    said = create(username="suzuki", name="鈴木 一郎", division="総務課")

    admin = User.objects.get(username="suzuki")
    password = said.split("仮パスワード  ")[1].split()[0]
    assert admin.check_password(password)
    assert admin.must_change_password


def test_an_id_is_never_given_twice() -> None:
    create(username="suzuki", name="鈴木 一郎", division="総務課")

    with pytest.raises(CommandError, match="すでに使われています"):
        create(username="suzuki", name="鈴木 二郎", division="総務課")


@pytest.mark.parametrize("username", ["鈴木", "a", "a b"])
def test_an_id_is_of_plain_letters(username: str) -> None:
    with pytest.raises(CommandError, match="半角"):
        create(username=username, name="鈴木 一郎", division="総務課")

    assert not User.objects.exists()
