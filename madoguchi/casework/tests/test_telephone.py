"""The telephone memo: two fields are enough, the clock runs, and it is passed on at once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from madoguchi.casework.models import Case, Handover
from madoguchi.casework.rules import Channel, HandoverKind
from madoguchi.messaging.models import OutboundMessage
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
ADDRESS = reverse("casework:receive")


@pytest.fixture
def counsellor(client: Client) -> User:
    user = make.staff()
    client.force_login(user)
    return user


def memo(**more: Any) -> dict[str, Any]:
    given = {"title": "道路の穴", "category": make.category().pk, "key": uuid4()}
    return given | {"channel": "phone", "kind": "consultation"} | more


def test_title_and_field_are_enough(client: Client, counsellor: User) -> None:
    assert client.post(ADDRESS, memo()).status_code == 302
    case = Case.objects.get()
    assert (case.channel, case.owner) == (Channel.PHONE.value, counsellor.division)
    assert not Handover.objects.exists()


def test_it_is_passed_on_in_the_same_press(client: Client, counsellor: User) -> None:
    to = make.division("道路公園課", email="douro@example.jp")
    sent = memo(to=to.pk, summary="二丁目の角に穴がある。")
    page = client.post(ADDRESS, sent, follow=True).text
    assert "道路公園課に引き継ぎました" in page
    handover = Handover.objects.get()
    assert (handover.kind, handover.to) == (HandoverKind.TAKE.value, to)
    assert "二丁目の角に穴がある。" in handover.note
    assert OutboundMessage.objects.exists()
    assert "穴" not in "".join(OutboundMessage.objects.values_list("body", flat=True))
    client.post(ADDRESS, sent)  # sent twice: one case, one request
    assert (Case.objects.count(), Handover.objects.count()) == (1, 1)


def test_a_confidential_matter_is_not_passed_to_a_whole_division(
    client: Client, counsellor: User
) -> None:
    to = make.division("道路公園課")
    secret = make.category("DV", code="DV")
    page = client.post(ADDRESS, memo(to=to.pk, category=secret.pk, summary="夜に電話")).text
    assert "担当する職員を一人" in page
    assert "夜に電話" in page  # nothing typed is lost
    assert not Case.objects.exists()


def test_a_division_that_may_not_ask_sees_no_such_field(client: Client) -> None:
    client.force_login(make.staff(Role.OFFICER, division=make.division()))
    assert 'name="to"' not in client.get(ADDRESS).text
    to = make.division("道路公園課")
    client.post(ADDRESS, memo(to=to.pk))
    assert Case.objects.exists()
    assert not Handover.objects.exists()


def began(page: str) -> datetime:
    stamp = page.split('name="since" value="')[1].split('"')[0]
    return datetime.fromisoformat(stamp)


@pytest.mark.parametrize("since", ["", "yesterday", "2020-01-01T00:00:00+09:00", "9" * 40])
def test_a_clock_that_says_nothing_sensible_starts_now(
    client: Client, counsellor: User, since: str
) -> None:
    page = client.post(ADDRESS, memo(title="", since=since)).text
    assert timezone.now() - began(page) < timedelta(minutes=1)


def test_the_clock_runs_on_when_the_form_comes_back(client: Client, counsellor: User) -> None:
    since = (timezone.now() - timedelta(minutes=7)).replace(microsecond=0)
    page = client.post(ADDRESS, memo(title="", since=since.isoformat())).text
    assert began(page) == since
