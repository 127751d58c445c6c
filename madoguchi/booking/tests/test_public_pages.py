import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings

from madoguchi.booking import actions, rules
from madoguchi.booking.models import Appointment, CounterDay, Service
from madoguchi.foundation import readings
from madoguchi.foundation.limits import Limit
from tests import make

pytestmark = pytest.mark.django_db
TOMORROW = make.NOW.date() + timedelta(days=1)
NINE = rules.start_of(TOMORROW, 8)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """Let the pages stand on the morning of NOW."""
    monkeypatch.setattr("madoguchi.booking.views.public.timezone.now", lambda: make.NOW)
    yield make.NOW


@pytest.fixture
def service() -> Service:
    made = make.service(code="hoiku", bring="母子健康手帳\n印かん")
    make.open_counters(made)
    return made


def link(page: str, pattern: str) -> str:
    found = re.search(rf'href="({pattern})"', page)
    assert found, pattern
    return found[1].replace("&amp;", "&")


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def first_time(page: str) -> str:
    found = re.search(r'<button[^>]* name="start" value="([^"]+)"', page)
    assert found
    return found[1]


class TestJourney:
    def test_four_taps_without_scripts_from_the_list_to_the_confirmed_booking(
        self, client: Client, service: Service
    ) -> None:
        listed = text_of(client, "/services/?q=保育所")
        page = text_of(client, link(listed, "/services/hoiku/"))  # 1st tap
        assert 'action="/services/hoiku/hold/"' in page
        place = {"site": hidden(page, "site"), "start": first_time(page)}
        form_url = client.post("/services/hoiku/hold/", place)["Location"]  # 2nd tap
        form = text_of(client, form_url)
        answer = client.post(  # 3rd tap
            form_url, {"name": "髙橋 花子", "key": hidden(form, "key")}, follow=True
        )

        made = Appointment.objects.get()
        shown = answer.content.decode()
        assert "予約できました" in shown
        assert made.shown_number in shown
        assert "母子健康手帳" in shown

    def test_the_form_sent_twice_is_one_booking(self, client: Client, service: Service) -> None:
        url = "/services/hoiku/appointment/?site=site&start=2026-11-25T09:00".replace(
            "site=site", f"site={make.site().code}"
        )
        fields = {"name": "髙橋 花子", "key": hidden(text_of(client, url), "key")}

        first, second = client.post(url, fields), client.post(url, fields)

        assert first["Location"] == second["Location"]
        assert Appointment.objects.count() == 1


class TestService:
    def test_the_first_free_day_is_chosen_and_its_times_are_shown(
        self, client: Client, service: Service
    ) -> None:
        CounterDay.objects.filter(day=make.NOW.date()).update(open=0)

        page = text_of(client, "/services/hoiku/")

        assert "令和8年11月25日（水）の時刻をえらぶ" in page
        assert "母子健康手帳" in page

    def test_when_nothing_is_free_the_page_says_what_to_do(
        self, client: Client, service: Service
    ) -> None:
        CounterDay.objects.update(busy=rules.WHOLE_DAY)
        make.site().__class__.objects.update(phone="03-0000-0000")

        page = text_of(client, "/services/hoiku/")

        assert "いま予約できる空きがありません" in page
        assert "03-0000-0000" in page

    def test_the_last_of_several_places_is_said_the_only_one_of_one_counter_is_not(
        self, client: Client, service: Service
    ) -> None:
        alone = text_of(client, "/services/hoiku/")
        assert "残り1" not in alone and "11:00" in alone

        second = make.counter("2番")
        service.counters.add(second)
        for day in list(CounterDay.objects.all()):
            CounterDay.objects.create(day=day.day, counter=second, open=day.open, busy=1 << 20)
        page = text_of(client, "/services/hoiku/")

        assert 1 <= page.count("残り1") < page.count('name="start"')

    def test_a_full_day_a_few_places_and_a_closed_day_are_marked(
        self, client: Client, service: Service
    ) -> None:
        days = CounterDay.objects.order_by("day")
        full, few = days[1], days[2]
        CounterDay.objects.filter(pk=full.pk).update(busy=rules.WHOLE_DAY)
        CounterDay.objects.filter(pk=few.pk).update(busy=rules.WHOLE_DAY & ~0b111000000)

        page = text_of(client, "/services/hoiku/")

        for words in (
            "空きなし",
            "残りわずか",
            "空きあり",
            "閉庁日（勤労感謝の日）",
            "受付期間外",
        ):
            assert words in page

    @pytest.mark.parametrize("query", ["?on=2026-13-99", "?on=x&site=x", "?on=9999-12-31"])
    def test_a_broken_address_shows_the_page_all_the_same(
        self, client: Client, service: Service, query: str
    ) -> None:
        assert client.get(f"/services/hoiku/{query}").status_code == 200

    def test_a_service_by_telephone_only_offers_no_times(
        self, client: Client, service: Service
    ) -> None:
        Service.objects.update(stage="required")

        page = text_of(client, "/services/hoiku/")

        assert "予約制" in page
        assert "/appointment/" not in page


class TestBook:
    def url(self, start: str = "2026-11-25T09:00") -> str:
        return f"/services/hoiku/appointment/?site={make.site().code}&start={start}"

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("name", "", "お名前を入力してください。"),
            ("name", "あ" * 121, "120"),
            ("kana", "高橋", "ひらがなかカタカナ"),
            ("phone", "12345", "電話番号は"),
            ("email", "nobody", "メールアドレス"),
        ],
    )
    def test_bad_input_is_said_on_the_field_and_the_rest_is_kept(
        self, client: Client, service: Service, field: str, value: str, error: str
    ) -> None:
        fields = {"name": "髙橋 花子", "kana": "たかはし", "phone": "090-1234-5678"}

        page = client.post(self.url(), fields | {field: value}).content.decode()

        assert f'id="id_{field}_error"' in page
        assert error in page
        for name, typed in fields.items():
            assert name == field or typed in page
        assert not Appointment.objects.exists()

    def test_a_place_lost_meanwhile_offers_the_nearest_and_keeps_the_input(
        self, client: Client, service: Service
    ) -> None:
        make.appointment(service)

        answer = client.post(self.url(), {"name": "髙橋 花子"})
        page = answer.content.decode()
        again = re.findall(r'name="instead" value="([^"]+)"', page)
        then = client.post(self.url(), {"name": "髙橋 花子", "instead": again[0]})

        assert answer.status_code == 409
        assert "埋まりました" in page
        assert "髙橋 花子" in page
        assert then.status_code == 302
        assert Appointment.objects.filter(name="髙橋 花子").count() == 1

    @pytest.mark.parametrize(
        "start", ["", "x", "2026-11-25T09:07", "9999-12-31T23:59", "2026-11-25T09:00+99:99"]
    )
    def test_without_a_place_one_goes_back_to_the_calendar(
        self, client: Client, service: Service, start: str
    ) -> None:
        assert client.get(self.url(start)).status_code == 302

    def test_changed_content_under_the_same_key_asks_first(
        self, client: Client, service: Service
    ) -> None:
        client.post(self.url(), {"name": "髙橋 花子", "key": "k" * 32})

        page = client.post(self.url(), {"name": "髙橋 太郎", "key": "k" * 32}).content.decode()

        assert "もう一つ予約するときは" in page
        assert hidden(page, "key") != "k" * 32
        assert Appointment.objects.count() == 1

    def test_who_sends_too_often_waits_and_keeps_the_input(
        self, client: Client, service: Service, settings: Settings
    ) -> None:
        for _ in range(30):
            client.post(self.url("2026-11-25T03:00"), {"name": "x"})
        for _ in range(30):
            client.post(self.url(), {"name": "髙橋 花子"})

        answer = client.post(self.url(), {"name": "髙橋 花子"})

        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert "髙橋 花子" in answer.content.decode()


class TestAppointment:
    def test_a_wrong_link_is_not_found(self, client: Client) -> None:
        for token in ("x" * 32, "x", "%00"):
            assert client.get(f"/appointments/{token}/").status_code == 404

    def test_it_is_not_kept_by_any_cache(self, client: Client) -> None:
        page = client.get(make.appointment().address)

        assert "no-store" in page["Cache-Control"]

    def test_the_calendar_entry_names_neither_matter_nor_link(self, client: Client) -> None:
        made = make.appointment()

        raw = client.get(f"{made.address}calendar.ics").content
        event = next(iter(Calendar.from_ical(raw).walk("VEVENT")))

        assert event.decoded("dtstart") == made.start
        assert "TZID=Asia/Tokyo" in raw.decode()
        assert made.service.name not in raw.decode()
        assert made.token not in raw.decode()

    def test_the_qr_code_is_a_picture(self, client: Client) -> None:
        answer = client.get(f"{make.appointment().address}qr.svg")

        assert answer["Content-Type"] == "image/svg+xml"
        assert answer.content.startswith(b"<svg")

    def test_the_sheet_shows_what_the_counter_needs(self, client: Client) -> None:
        made = make.appointment(make.service(bring="印かん"))

        page = text_of(client, f"{made.address}sheet/")

        for words in (made.shown_number, "令和8年11月25日（水） 9:00", "印かん"):
            assert words in page

    def test_the_slip_is_read_aloud_and_has_a_reading_over_every_word(
        self, client: Client
    ) -> None:
        made = make.appointment(
            make.service(name="住民票の写し", kana="じゅうみんひょうのうつし"), number="24E7XKTY"
        )

        page = text_of(client, f"{made.address}slip/")

        for words in ("アメリカ", "とうきょう", "数字", "すうじ", "じゅうみんひょう", "れいわ"):
            assert (words in page) == (words != "アメリカ")
        body = page[page.index("<h1>") : page.index("</main>")].replace(made.site.name, "")
        assert readings.unread(re.sub(r"<ruby>.*?</ruby>|<[^>]*>", "", body)) == []

    def test_the_slip_bears_no_name(self, client: Client) -> None:
        made = make.appointment(name="髙橋 花子", kana="たかはし はなこ")

        page = text_of(client, f"{made.address}slip/")

        assert made.number[:1] in page
        assert "髙橋" not in page
        assert "たかはし" not in page

    def test_it_is_cancelled_by_its_link(self, client: Client, service: Service) -> None:
        made = make.appointment(service)

        page = client.post(f"{made.address}cancellation/", follow=True).content.decode()

        made.refresh_from_db()
        assert made.status == "cancelled"
        assert "取り消しました" in page
        actions.release_lapsed(at=make.NOW + timedelta(hours=1))
        assert not CounterDay.objects.exclude(busy=0).exists()

    def test_it_is_moved_by_its_link(self, client: Client, service: Service) -> None:
        made = make.appointment(service)

        page = text_of(client, f"{made.address}change/")
        chosen = link(page, rf"{made.address}change/\?[^\"]*T10:00")
        text_of(client, chosen)
        client.post(chosen)

        made.refresh_from_db()
        assert made.start.astimezone(rules.JST).hour == 10

    def test_a_lost_new_place_leaves_the_old_one(self, client: Client, service: Service) -> None:
        made = make.appointment(service)
        make.appointment(service, start=NINE + timedelta(hours=1))

        url = f"{made.address}change/?site={make.site().code}&start=2026-11-25T10:00"
        answer = client.post(url)

        made.refresh_from_db()
        assert answer.status_code == 409
        assert "そのまま残っています" in answer.content.decode()
        assert made.start == NINE

    def test_a_cancelled_one_cannot_be_moved(self, client: Client, service: Service) -> None:
        made = make.appointment(service)
        actions.cancel(appointment=made, at=make.NOW)

        answer = client.post(
            f"{made.address}change/?site={make.site().code}&start=2026-11-25T10:00", follow=True
        )

        assert "もう変更できません" in answer.content.decode()


class TestFindBooking:
    @pytest.mark.parametrize("phone", ["090-1234-5678", "０９０１２３４５６７８"])
    def test_number_and_telephone_open_it(self, client: Client, phone: str) -> None:
        made = make.appointment(phone="09012345678")

        answer = client.post("/appointments/", {"number": made.shown_number, "phone": phone})

        assert answer["Location"] == made.address

    def test_who_gave_no_telephone_needs_the_number_alone(self, client: Client) -> None:
        made = make.appointment(phone="")

        answer = client.post("/appointments/", {"number": made.shown_number.lower()})

        assert answer["Location"] == made.address

    @pytest.mark.parametrize("phone", ["9999", "", "09099999999"])
    def test_another_telephone_opens_nothing_and_the_input_stays(
        self, client: Client, phone: str
    ) -> None:
        made = make.appointment(phone="09012345678")

        page = client.post(
            "/appointments/", {"number": made.shown_number, "phone": phone}
        ).content.decode()

        assert made.shown_number in page
        assert made.token not in page

    def test_many_addresses_together_may_not_guess_either(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = make.appointment(phone="")
        few = Limit(name="all_look_ups", times=2, span=timedelta(minutes=10))
        monkeypatch.setattr("madoguchi.booking.access.ALL_LOOK_UPS", few)
        fields = {"number": rules.new_number()}

        answers = [
            client.post("/appointments/", fields, REMOTE_ADDR=f"198.51.100.{n}").status_code
            for n in range(3)
        ]

        assert answers == [200, 200, 429]
        right = client.post("/appointments/", {"number": made.number}, REMOTE_ADDR="198.51.100.9")
        assert right.status_code == 429

    def test_a_mistyped_number_is_noticed_at_once(self, client: Client) -> None:
        page = client.post(
            "/appointments/", {"number": "K7XM-3PWA", "phone": "0312345678"}
        ).content.decode()

        assert "予約番号のどこかが違うようです" in page

    def test_the_eleventh_guess_is_refused(self, client: Client) -> None:
        made = make.appointment(phone="09012345678")
        fields = {"number": made.number, "phone": "9999"}
        for _ in range(10):
            assert client.post("/appointments/", fields).status_code == 200

        answer = client.post("/appointments/", fields | {"phone": made.phone})

        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
