"""The register's pages: what is typed stays, what is secret is shown once and for a reason."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from madoguchi.audit.models import AuditEvent
from madoguchi.residents.models import Resident
from madoguchi.residents.rules import MASK
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
SECRET = {
    "phone": "08055550199",
    "email": "kakurega@example.jp",
    "address": "隠れ里市ひみつ町七丁目",
}


@pytest.fixture
def counsellor(client: Client) -> Client:
    client.force_login(make.staff(Role.COUNSELLOR))
    return client


@pytest.fixture
def hidden(db: None) -> Resident:
    return make.resident("田中 花子", is_restricted=True, **SECRET)


def page(name: str, resident: Resident) -> str:
    return reverse(f"residents:{name}", args=[resident.pk])


def leaks(response: Any) -> list[str]:
    text = response.content.decode()
    return [value for value in SECRET.values() if value in text]


class TestBadInput:
    WRONG = {"name": "佐藤 次郎", "phone": "12", "email": "no-at-sign", "birth_on": "きのう"}

    def look(self, response: Any) -> None:
        assert response.status_code == 200
        assert set(response.context["form"].errors) == {"phone", "email", "birth_on"}
        text = response.content.decode()
        assert all(f'value="{value}"' in text for value in self.WRONG.values())
        assert text.count('aria-invalid="true"') == 3

    def test_registering_marks_the_field_and_keeps_what_was_typed(
        self, counsellor: Client
    ) -> None:
        self.look(counsellor.post(reverse("residents:register"), self.WRONG))

        assert not Resident.objects.exists()

    def test_editing_marks_the_field_and_keeps_what_was_typed(self, counsellor: Client) -> None:
        resident = make.resident("山田 太郎")

        self.look(counsellor.post(page("update", resident), self.WRONG))

        resident.refresh_from_db()
        assert resident.name == "山田 太郎"

    def test_a_new_secret_contact_typed_beside_a_mistake_is_kept_too(
        self, counsellor: Client, hidden: Resident
    ) -> None:
        typed = {"name": "田中 花子", "address": "新しい町1", "email": "no-at-sign"}

        response = counsellor.post(page("update", hidden), typed)

        assert "新しい町1" in response.content.decode()
        assert leaks(response) == []


class TestReveal:
    @pytest.mark.parametrize("reason", ["", "  ", "\u3000"])
    def test_without_a_reason_nothing_is_shown_or_written_down(
        self, counsellor: Client, hidden: Resident, reason: str
    ) -> None:
        response = counsellor.post(page("reveal", hidden), {"reason": reason})

        assert leaks(response) == []
        assert response.context["reveal_form"].errors
        assert not AuditEvent.objects.filter(verb="resident.reveal").exists()

    def test_with_a_reason_it_is_shown_once_and_stands_in_the_trail(
        self, counsellor: Client, hidden: Resident
    ) -> None:
        shown = counsellor.post(page("reveal", hidden), {"reason": "本人から電話で頼まれた"})
        again = counsellor.get(page("detail", hidden))

        assert leaks(shown) == list(SECRET.values())
        assert leaks(again) == []
        event = AuditEvent.objects.get(verb="resident.reveal")
        assert (event.person, event.reason) == (hidden.pk, "本人から電話で頼まれた")
        assert not any(value in str(event.detail) for value in SECRET.values())

    def test_opening_its_address_shows_nothing(self, counsellor: Client, hidden: Resident) -> None:
        assert counsellor.get(page("reveal", hidden)).status_code == 405

    def test_officers_of_a_division_may_not(self, client: Client, hidden: Resident) -> None:
        client.force_login(make.staff(Role.OFFICER))

        response = client.post(page("reveal", hidden), {"reason": "見たい"})

        assert response.status_code == 403
        assert leaks(response) == []


class TestRestricted:
    @pytest.mark.parametrize("name", ["detail", "update"])
    def test_the_contact_is_not_on_the_page(
        self, counsellor: Client, hidden: Resident, name: str
    ) -> None:
        response = counsellor.get(page(name, hidden))

        assert response.status_code == 200
        assert leaks(response) == []

    def test_the_list_shows_the_person_and_the_mask(
        self, counsellor: Client, hidden: Resident
    ) -> None:
        response = counsellor.get(reverse("residents:list"), {"q": "田中"})

        assert "田中 花子" in response.content.decode()
        assert MASK in response.content.decode()
        assert leaks(response) == []

    def test_the_phone_number_does_not_find_the_person(
        self, counsellor: Client, hidden: Resident
    ) -> None:
        """Whoever has a number must not learn whose it is."""
        make.resident("鈴木 一郎", phone="0312345678")

        found = counsellor.get(reverse("residents:list"), {"q": "080-5555-0199"})
        other = counsellor.get(reverse("residents:list"), {"q": "03-1234-5678"})

        assert "田中 花子" not in found.content.decode()
        assert "鈴木 一郎" in other.content.decode()

    def test_an_empty_contact_field_leaves_the_contact_as_it_was(
        self, counsellor: Client, hidden: Resident
    ) -> None:
        counsellor.post(page("update", hidden), {"name": "田中 春子"})
        shown = counsellor.post(page("reveal", hidden), {"reason": "確認"})

        assert "田中 春子" in shown.content.decode()
        assert leaks(shown) == list(SECRET.values())
