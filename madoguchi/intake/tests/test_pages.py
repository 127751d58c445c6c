import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from madoguchi.intake import access, rules
from madoguchi.intake.models import Message, Submission
from tests import make

pytestmark = pytest.mark.django_db
TOPIC = re.compile("相談|意見|騒音|DV")


@pytest.fixture(autouse=True)
def _category() -> None:
    make.category("その他", code="OTHER")


def write(client: Client, **more: Any) -> Any:
    fields = {"key": uuid4(), "kind": "consultation", "text": "夜の騒音で眠れません。"}
    return client.post(reverse("intake:submit"), fields | more)


def written(client: Client) -> tuple[str, str]:
    write(client)
    page = client.get(reverse("intake:received")).content.decode()
    number, code = re.findall(r'class="receipt">([^<]+)<', page)
    return number, code


def opened(client: Client) -> Submission:
    number, code = written(client)
    client.post(reverse("intake:open_page"), {"number": number, "code": code})
    return Submission.objects.get(number=number)


def test_a_name_is_not_needed(client: Client) -> None:
    number, code = written(client)

    assert number == Submission.objects.get().number
    assert re.fullmatch(r"[2-9A-Z]{5}-[2-9A-Z]{5}", code)
    assert Submission.objects.get().category.code == "OTHER"


def test_what_was_typed_stays_when_something_is_missing(client: Client) -> None:
    answer = write(client, kind="", phone="12", name="山田 太郎")

    page = answer.content.decode()
    assert "夜の騒音で眠れません。" in page
    assert "山田 太郎" in page
    assert not Submission.objects.exists()


def test_an_unknown_number_and_a_wrong_code_are_answered_alike(client: Client) -> None:
    number, _ = written(client)
    url = reverse("intake:open_page")

    def said(**fields: str) -> str:
        page = client.post(url, fields).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)
        return page.replace(fields["number"], "NUMBER")

    assert said(number=number, code="AAAAA-AAAAA") == said(number="W8-99999", code="AAAAA-AAAAA")


def test_guessing_is_stopped(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = True
    url, fields = reverse("intake:open_page"), {"number": "W8-00001", "code": "AAAAA-AAAAA"}

    answers = [client.post(url, fields).status_code for _ in range(access.CODES.times + 1)]

    assert answers[-2:] == [200, 429]


def test_the_own_page_shows_the_stage_and_the_texts(client: Client) -> None:
    submission = opened(client)

    page = client.get(reverse("intake:page")).content.decode()

    assert rules.STAGE_LABELS[rules.Stage.ARRIVED] in page
    assert "夜の騒音で眠れません。" in page
    assert submission.number in page


def test_more_can_be_written_and_counts_once(client: Client) -> None:
    opened(client)
    fields = {"key": uuid4(), "text": "昨夜もです。"}

    for _ in range(2):
        assert client.post(reverse("intake:write_again"), fields).status_code == 302

    assert Message.objects.filter(text="昨夜もです。").count() == 1


def test_an_empty_message_comes_back_with_the_page(client: Client) -> None:
    opened(client)

    page = client.post(reverse("intake:write_again"), {"key": uuid4(), "text": " "})

    assert "error-summary" in page.content.decode()
    assert "夜の騒音で眠れません。" in page.content.decode()


def test_without_the_page_open_nothing_is_added(client: Client) -> None:
    answer = client.post(reverse("intake:write_again"), {"key": uuid4(), "text": "はい"})

    assert answer["Location"] == reverse("intake:open_page")
    assert not Message.objects.exists()


def test_leaving_closes_the_page_for_this_browser(client: Client) -> None:
    opened(client)

    answer = client.post(reverse("intake:leave"))

    assert answer["Location"] == reverse("publicsite:home")
    for name in ("page", "received"):
        assert client.get(reverse(f"intake:{name}"))["Location"] == reverse("intake:open_page")


def test_the_page_closes_by_itself_after_half_an_hour(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(client)
    later = timezone.now() + access.PAGE.span + timedelta(seconds=1)

    monkeypatch.setattr("django.core.signing.time.time", later.timestamp)

    assert client.get(reverse("intake:page")).status_code == 302


def test_the_cookie_of_one_page_opens_no_other(client: Client) -> None:
    opened(client)
    client.cookies[access.PAGE.cookie] = "1:forged:signature"

    assert client.get(reverse("intake:page")).status_code == 302


def test_title_address_and_cache_say_nothing(client: Client) -> None:
    opened(client)
    for name in ("submit", "open_page", "page"):
        answer = client.get(reverse(f"intake:{name}"))
        title = re.findall("<title>(.*?)</title>", answer.content.decode())[0]

        assert not TOPIC.search(title)
        assert "no-store" in answer["Cache-Control"]
        assert answer.request["QUERY_STRING"] == ""


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Leave this page"), ("vi", "Thoát trang này"), ("pt", "Sair desta página")],
)
def test_it_speaks_the_chosen_language(client: Client, language: str, words: str) -> None:
    make.category("交通事故", code="TRAFFIC")
    client.post("/language/", {"language": language})

    page = client.get(reverse("intake:submit")).content.decode()

    assert words in page
    assert "交通事故" not in page
    opened(client)
    assert "届きました" not in client.get(reverse("intake:page")).content.decode()


class TestStaff:
    @pytest.fixture(autouse=True)
    def _signed_in(self, client: Client) -> None:
        written(client)
        self.found = Submission.objects.get()
        client.force_login(make.staff())

    def test_it_waits_on_the_list(self, client: Client) -> None:
        assert self.found.number in client.get(reverse("intake:submissions")).content.decode()

    def test_an_empty_list_says_what_to_do(self, client: Client) -> None:
        Message.objects.all().delete()
        Submission.objects.all().delete()

        page = client.get(reverse("intake:submissions")).content.decode()

        assert "待っているものはありません。" in page

    def test_a_live_screen_asks_for_the_rows_alone(self, client: Client) -> None:
        page = client.get(reverse("intake:submissions"), headers={"HX-Request": "true"})

        assert "<html" not in page.content.decode()
        assert self.found.number in page.content.decode()

    def test_it_is_taken_up_and_answered_and_the_resident_reads_it(self, client: Client) -> None:
        url = reverse("intake:take_up", args=[self.found.number])
        page = client.get(url).content.decode()
        assert "夜の騒音で眠れません。" in page
        category = make.category("その他", code="OTHER")
        fields = {
            "title": "夜の騒音",
            "kind": "consultation",
            "category": category.pk,
            "owner": make.centre().pk,
        }
        assert client.post(url, fields).status_code == 302
        assert client.get(url)["Location"].startswith("/staff/cases/")

        answer = {"key": uuid4(), "text": "測定に伺います。"}
        client.post(reverse("intake:reply", args=[self.found.number]), answer)

        self.found.refresh_from_db()
        assert self.found.case is not None
        case = client.get(reverse("casework:case", args=[self.found.case.number]))
        assert reverse("intake:submission", args=[self.found.number]) in case.content.decode()
        assert [message.is_ours for message in self.found.messages.all()] == [False, True]
        assert self.found.stage is rules.Stage.IN_PROGRESS
