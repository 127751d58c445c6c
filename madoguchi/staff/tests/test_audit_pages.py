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

    rows = list(load_workbook(BytesIO(response.content)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert len(rows) == 2
    assert rows[0][0] == "番号"
    assert "jiro" in rows[1]
    reason = str(rows[1][-1])
    assert reason.endswith("本人の頼み")
    assert not reason.startswith("=")
    assert AuditEvent.objects.get(verb="audit.export").actor == "kansa"
