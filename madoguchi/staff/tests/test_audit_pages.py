"""The auditor's pages. Whoever watches is watched too."""

from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from madoguchi.audit import actions as audit
from madoguchi.audit.models import AuditEvent
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(make.staff(Role.AUDITOR, username="kansa"))
    audit.record(verb="case.read", actor="hanako", at=make.NOW, key="R8-00012", person=7)
    audit.record(
        verb="resident.reveal", actor="jiro", at=make.NOW, person=8, reason="=1+1 本人の頼み"
    )
    return client


def test_looking_is_written_down_with_what_was_asked(auditor: Client) -> None:
    auditor.get(reverse("staff:audit"), {"person": "7", "actor": "hanako"})

    event = AuditEvent.objects.get(verb="audit.read")
    assert (event.actor, event.person) == ("kansa", 7)
    assert event.detail == {"asked": {"person": "7", "actor": "hanako"}}


def test_the_search_finds_what_was_asked_for_and_nothing_else(auditor: Client) -> None:
    page = auditor.get(reverse("staff:audit"), {"person": "7"}).content.decode()

    assert "R8-00012" in page
    assert "hanako" in page
    assert "本人の頼み" not in page


def test_a_wrong_day_is_marked_and_kept(auditor: Client) -> None:
    page = auditor.get(reverse("staff:audit"), {"since": "きのうごろ"})

    assert list(page.context["form"].errors) == ["since"]
    assert 'value="きのうごろ"' in page.content.decode()


def test_the_excel_file_has_the_lines_without_formulas_and_is_written_down(
    auditor: Client,
) -> None:
    response = auditor.get(reverse("staff:audit_excel"), {"actor": "jiro"})

    sheet = load_workbook(BytesIO(response.content)).worksheets[0]
    heading, line = sheet.iter_rows()
    assert heading[0].value == "番号"
    assert "jiro" in [cell.value for cell in line]
    assert (line[-1].value, line[-1].data_type) == ("=1+1 本人の頼み", "s")  # text, no formula
    assert AuditEvent.objects.get(verb="audit.export").actor == "kansa"


def test_the_excel_file_has_every_line_that_was_found_and_not_its_own(auditor: Client) -> None:
    for number in range(1_200):
        audit.record(verb="case.read", actor="hanako", at=make.NOW, key=f"R8-{number:05d}")

    response = auditor.get(reverse("staff:audit_excel"))

    sheet = load_workbook(BytesIO(response.content), read_only=True).worksheets[0]
    assert len(list(sheet.iter_rows(min_row=2))) == 1_202


def test_more_than_a_sheet_holds_is_said_on_the_page_and_not_cut_off(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madoguchi.staff.views.audit.MAX_ROWS", 1)

    page = auditor.get(reverse("staff:audit_excel"), follow=True).content.decode()

    assert "期間を短くして" in page
    assert not AuditEvent.objects.filter(verb="audit.export").exists()


def test_the_lines_about_one_person_lead_to_the_sheet_for_that_person(auditor: Client) -> None:
    person = make.resident().pk
    audit.record(verb="resident.read", actor="hanako", at=make.NOW, person=person)
    sheet = reverse("residents:access_report", args=[person])

    everybody = auditor.get(reverse("staff:audit")).content.decode()
    one = auditor.get(reverse("staff:audit"), {"person": str(person)}).content.decode()
    nobody = auditor.get(reverse("staff:audit"), {"person": "99"}).content.decode()

    assert sheet in one and auditor.get(sheet).status_code == 200
    assert "access-report" not in everybody + nobody
