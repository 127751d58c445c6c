from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from madoguchi.integrations.mail.catcher import MailCatcher, newest
from madoguchi.messaging.ports import Envelope
from madoguchi.staff.rules import Role
from tests import make


@pytest.fixture(autouse=True)
def _demo(settings: Settings, tmp_path: Path) -> None:
    settings.DEMO = True
    settings.DATA = tmp_path


def catch() -> None:
    body = "番号は A-1 です。\nhttp://localhost:8000/b/x/"
    MailCatcher().send(Envelope(make.KEY, "hanako@example.jp", "予約（髙橋様）", body))


def test_a_caught_mail_is_kept_and_reads_as_it_was_written() -> None:
    catch()
    catch()

    [mail] = newest(10)
    assert (mail.subject, mail.to) == ("予約（髙橋様）", "hanako@example.jp")
    assert "A-1" in mail.body


@pytest.mark.django_db
def test_the_demo_shows_its_mails_to_staff(client: Client) -> None:
    catch()
    client.force_login(make.staff(Role.RECEPTION))

    page = client.get("/staff/mails/").content.decode()

    assert "予約（髙橋様）" in page
    assert '<a href="http://localhost:8000/b/x/"' in page


@pytest.mark.django_db
def test_a_real_city_has_no_such_page(client: Client, settings: Settings) -> None:
    settings.DEMO = False
    client.force_login(make.staff(Role.ADMIN))

    assert client.get("/staff/mails/").status_code == 404
    assert "/staff/mails/" not in client.get("/staff/").content.decode()


@pytest.mark.django_db
def test_every_page_of_the_demo_leads_to_its_mails(client: Client) -> None:
    client.force_login(make.staff(Role.AUDITOR))

    assert 'href="/staff/mails/"' in client.get("/staff/").content.decode()
