from io import BytesIO

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from madoguchi.personnel import rules
from madoguchi.personnel.models import MoveList
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> User:
    user = make.staff(Role.ADMIN)
    client.force_login(user)
    return user


def send(client: Client, content: bytes, name: str = "moves.xlsx") -> object:
    return client.post(
        reverse("personnel:plan"),
        {"effective_on": "R30.4.1", "file": SimpleUploadedFile(name, content)},
    )


def filled(client: Client, username: str, **cells: str) -> bytes:
    """Save the template, fill in one line as an officer would, and return the workbook."""
    book = openpyxl.load_workbook(BytesIO(client.get(reverse("personnel:template")).content))
    sheet = book.worksheets[0]
    titles = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == username:
            for title, text in cells.items():
                row[titles.index(title)].value = text
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def test_the_template_comes_back_as_a_list(client: Client, admin: User) -> None:
    officer = make.staff(Role.OFFICER, division=make.division("保育課"))
    make.division("税務課")

    send(client, filled(client, officer.username, 異動先="税務課"))

    move = MoveList.objects.get().moves.get()
    assert (move.user, str(move.division)) == (officer, "税務課")


def test_a_wrong_line_is_named_and_nothing_is_kept(client: Client, admin: User) -> None:
    officer = make.staff(Role.OFFICER, division=make.division("保育課"))

    answer = send(client, filled(client, officer.username, 異動先="宇宙課"))

    assert "宇宙課" in answer.content.decode()  # type: ignore[attr-defined]
    assert not MoveList.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 no workbook", "読めません"),
        ("職員ID,氏名\r\nmori,森\r\n".encode(), "の列がありません"),
        (b"\x00\x01\x02", "選んでください"),
        (",".join(rules.COLUMNS).encode("cp932"), "一人もいません"),
    ],
)
def test_a_file_that_is_no_list_is_refused(
    client: Client, admin: User, content: bytes, said: str
) -> None:
    answer = send(client, content)

    assert said in answer.content.decode()  # type: ignore[attr-defined]


def test_the_preview_says_what_is_handed_to_whom(client: Client, admin: User) -> None:
    old = make.division("保育課")
    make.division("税務課")
    officer = make.staff(Role.OFFICER, division=old, name="森 一郎")
    make.staff(Role.SUPERVISOR, division=old, name="原 二郎")
    case = make.case(owner=old)
    case.involvements.create(user=officer, since_at=make.NOW, added_by=officer)
    send(client, filled(client, officer.username, 異動先="税務課"))

    page = client.get(reverse("personnel:move_list", args=[MoveList.objects.get().pk]))

    text = page.content.decode()
    assert "森 一郎" in text
    assert "原 二郎" in text
    assert case.title not in text
    assert "承認できます" in text


def test_a_move_is_known_to_its_own_person_only_when_approved(client: Client) -> None:
    officer = make.staff(Role.OFFICER)
    client.force_login(officer)

    assert (
        "予定されている異動はありません" in client.get(reverse("personnel:mine")).content.decode()
    )
