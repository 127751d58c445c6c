import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from madoguchi.audit.models import AuditEvent
from madoguchi.staff import actions, rules
from madoguchi.staff import hashers as ours
from madoguchi.staff.models import FailedLogin, User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
PASSWORD = "さくら-kaze-2026"
LOG_IN = "/staff/login/"


@pytest.fixture(autouse=True)
def _a_quick_hasher(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person() -> User:
    user = make.staff(username="hanako")
    user.set_password(PASSWORD)
    user.save()
    return user


def send(client: Client, **more: Any) -> Any:
    return client.post(LOG_IN, {"username": "hanako", "password": PASSWORD} | more)


def code_of(user: User) -> str:
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, device.drift):06}"


def enrol(client: Client, user: User) -> Any:
    client.get(reverse("staff:enrol"))
    return client.post(reverse("staff:enrol"), {"code": code_of(user)})


def signed_in(client: Client) -> bool:
    return client.get(reverse("staff:change_password")).status_code == 200


class TestPassword:
    def test_alone_it_lets_nobody_in(self, client: Client, person: User) -> None:
        response = send(client)

        assert response["Location"] == reverse("staff:second_factor")
        assert not signed_in(client)

    def test_in_the_demo_it_is_enough(
        self, client: Client, person: User, settings: Settings
    ) -> None:
        settings.DEMO = True

        send(client)

        assert signed_in(client)

    def test_a_session_of_the_demo_does_not_count_in_production(
        self, client: Client, person: User, settings: Settings
    ) -> None:
        settings.DEMO = True
        send(client)
        settings.DEMO = False

        assert not signed_in(client)

    def test_wrong_unknown_and_leaver_read_the_same(self, client: Client, person: User) -> None:
        wrong = send(client, password="x" * 12).content
        unknown = send(client, username="nobody", password="x" * 12).content
        User.objects.update(is_active=False)
        leaver = send(client).content

        texts = [
            page.decode().count("職員IDまたはパスワードが違います。")
            for page in (wrong, unknown, leaver)
        ]
        assert min(texts) >= 1
        assert texts[0] == texts[1] == texts[2]

    def test_an_unknown_name_costs_a_hash_too(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        hasher = hashers.get_hasher()
        encode = type(hasher).encode

        def noted(self: Any, password: str, salt: str) -> str:
            hashed.append(password)
            return encode(self, password, salt)

        monkeypatch.setattr(type(hasher), "encode", noted)

        send(client, username="nobody")

        assert hashed == [PASSWORD]

    def test_a_mistyped_name_is_not_kept_it_may_be_a_password(self, client: Client) -> None:
        send(client, username=PASSWORD)

        assert AuditEvent.objects.get(verb="staff.fail_log_in").actor == "?"

    def test_the_session_gets_a_new_id(self, client: Client, person: User) -> None:
        client.get(LOG_IN)
        session = client.session
        session["planted"] = "yes"
        session.save()
        before = session.session_key

        send(client)
        enrol(client, person)

        assert client.session.session_key != before
        assert "planted" not in client.session

    def test_it_leads_back_to_the_work_but_never_away(self, client: Client, person: User) -> None:
        client.post(
            f"{LOG_IN}?next=/staff/residents/", {"username": "hanako", "password": PASSWORD}
        )
        assert b'href="/staff/residents/"' in enrol(client, person).content

        client.post(reverse("staff:log_out"))
        client.post(
            f"{LOG_IN}?next=https://evil.example/", {"username": "hanako", "password": PASSWORD}
        )
        assert client.session["pending"]["next"] == ""


class TestDelay:
    def fail(self, client: Client, times: int) -> Any:
        for _ in range(times):
            response = send(client, password="wrong-wrong")
        return response

    def test_after_some_failures_one_must_wait(self, client: Client, person: User) -> None:
        assert self.fail(client, rules.FREE_FAILURES).status_code == 200
        self.fail(client, 1)

        response = send(client)

        assert response.status_code == 429
        assert "秒待ってから" in response.content.decode()

    def test_after_the_wait_the_right_password_is_enough(
        self, client: Client, person: User
    ) -> None:
        self.fail(client, rules.FREE_FAILURES + 2)
        FailedLogin.objects.update(last_at=timezone.now() - rules.LONGEST_WAIT)

        assert send(client).status_code == 302
        assert not FailedLogin.objects.exists()

    def test_a_known_device_still_gets_in(self, client: Client, person: User) -> None:
        send(client)
        enrol(client, person)
        client.post(reverse("staff:log_out"))
        stranger = Client()
        self.fail(stranger, 30)

        assert send(stranger).status_code == 429
        assert send(client).status_code == 302

    def test_behind_the_proxy_it_is_the_visitor_who_waits(
        self, person: User, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        guesser = Client(headers={"X-Forwarded-For": "198.51.100.7:4711"})
        colleague = Client(headers={"X-Forwarded-For": "198.51.100.8:4711"})
        self.fail(guesser, rules.FREE_FAILURES + 1)

        assert send(guesser).status_code == 429
        assert send(colleague).status_code == 302

    def test_without_a_trusted_proxy_nobody_hides_behind_a_header(self, person: User) -> None:
        for number in range(rules.FREE_FAILURES + 1):
            self.fail(Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}), 1)

        another = Client(headers={"X-Forwarded-For": "198.51.100.99"})
        assert send(another).status_code == 429

    def test_the_wait_grows_to_a_bound(self) -> None:
        waits = [rules.wait_after(n).total_seconds() for n in range(20)]

        assert waits[:7] == [0, 0, 0, 0, 0, 2, 4]
        assert waits == sorted(waits)
        assert waits[-1] == rules.LONGEST_WAIT.total_seconds()

    def test_many_places_together_must_wait_too(self, person: User) -> None:
        for number in range(rules.FREE_FAILURES_ANYWHERE + 1):
            with pytest.raises(actions.WrongPassword):
                actions.check_password(
                    username="hanako",
                    password="wrong",
                    place=f"10.0.0.{number}",
                    is_known_device=False,
                    at=make.NOW,
                )

        with pytest.raises(actions.MustWait):
            actions.check_password(
                username="hanako",
                password=PASSWORD,
                place="10.0.1.1",
                is_known_device=False,
                at=make.NOW,
            )


class TestSecondFactor:
    def test_enrolling_shows_recovery_codes_once_and_lets_in(
        self, client: Client, person: User
    ) -> None:
        send(client)
        page = client.get(reverse("staff:enrol")).content.decode()
        assert "<svg" in page
        assert "style=" not in page

        response = enrol(client, person)

        assert response.content.decode().count("<li><code>") == rules.RECOVERY_CODES
        assert signed_in(client)

    def test_a_code_counts_once(self, client: Client, person: User) -> None:
        send(client)
        enrol(client, person)
        used = code_of(person)
        other = Client()
        send(other)

        response = other.post(reverse("staff:second_factor"), {"code": f" {used[:3]} {used[3:]}"})

        assert "確認コードが違います" in response.content.decode()
        assert not signed_in(other)

    def test_a_recovery_code_counts_once(self, client: Client, person: User) -> None:
        send(client)
        page = enrol(client, person).content.decode()
        code = page.split("<li><code>")[1].split("<")[0]

        for expected in (True, False):
            other = Client()
            send(other)
            other.post(reverse("staff:second_factor"), {"code": code.upper()})
            assert signed_in(other) is expected

    def test_the_page_is_nothing_without_the_password(self, client: Client) -> None:
        for name in ("staff:second_factor", "staff:enrol"):
            assert client.get(reverse(name))["Location"] == LOG_IN

    def test_it_must_follow_the_password_soon(self, client: Client, person: User) -> None:
        send(client)
        session = client.session
        past = timezone.now() - timedelta(seconds=1)
        session["pending"] = session["pending"] | {"until": past.isoformat()}
        session.save()

        assert client.get(reverse("staff:enrol"))["Location"] == LOG_IN

    def test_whoever_has_one_cannot_enrol_another(self, client: Client, person: User) -> None:
        send(client)
        enrol(client, person)
        client.post(reverse("staff:log_out"))
        send(client)

        assert client.get(reverse("staff:enrol"))["Location"] == reverse("staff:second_factor")


class TestSession:
    @pytest.fixture
    def inside(self, client: Client) -> Client:
        client.force_login(make.staff(Role.COUNSELLOR))
        assert signed_in(client)
        return client

    def aged(self, client: Client, **moved: timedelta) -> None:
        session = client.session
        now = timezone.now()
        for name, by in moved.items():
            session[name] = (now - by).isoformat()
        session.save()

    def test_left_alone_it_ends_and_leads_back(self, inside: Client) -> None:
        self.aged(inside, seen_at=rules.IDLE + timedelta(seconds=1))

        response = inside.get("/staff/residents/?q=x", follow=True)

        assert "30分間操作がなかったため" in response.content.decode()
        assert "next=%2Fstaff%2Fresidents%2F%3Fq%3Dx" in response.redirect_chain[0][0]
        assert not signed_in(inside)

    def test_nobody_works_longer_than_the_limit(self, inside: Client) -> None:
        self.aged(inside, began_at=rules.ABSOLUTE + timedelta(seconds=1))

        assert "ended=absolute" in inside.get("/staff/residents/")["Location"]

    def test_a_board_that_refreshes_is_not_work(self, inside: Client) -> None:
        self.aged(inside, seen_at=timedelta(minutes=20))
        before = inside.session["seen_at"]

        inside.get(reverse("staff:change_password"), headers={"HX-Request": "true"})
        assert inside.session["seen_at"] == before

        inside.get(reverse("staff:change_password"))
        assert inside.session["seen_at"] != before

    def test_a_screen_that_asks_by_script_is_told_where_to_go(self, client: Client) -> None:
        response = client.post(
            reverse("staff:save_draft", args=["case.new"]),
            headers={
                "Accept": "application/json",
                "HX-Current-URL": "http://testserver/staff/cases/new/",
            },
        )

        assert response.status_code == 401
        assert response.json()["url"] == "/staff/login/?next=%2Fstaff%2Fcases%2Fnew%2F"

    def test_log_out_clears_what_the_browser_kept(self, inside: Client) -> None:
        response = inside.post(reverse("staff:log_out"))

        assert response["Clear-Site-Data"] == '"cache", "storage"'
        assert not signed_in(inside)

    def test_a_first_password_must_be_changed_before_any_work(self, inside: Client) -> None:
        User.objects.update(must_change_password=True)

        assert inside.get("/staff/residents/")["Location"] == reverse("staff:change_password")
        assert signed_in(inside)


class TestChangePassword:
    @pytest.mark.parametrize("new", ["short-1", "1234567890123", "password123", "hanako1234"])
    def test_a_weak_one_is_refused(self, client: Client, person: User, new: str) -> None:
        client.force_login(person)

        client.post(reverse("staff:change_password"), {"old": PASSWORD, "new": new, "again": new})

        person.refresh_from_db()
        assert person.check_password(PASSWORD)

    def test_other_sessions_end_and_this_one_goes_on(self, client: Client, person: User) -> None:
        other = Client()
        other.force_login(person)
        client.force_login(person)
        new = "みどり-no-yama-8"

        client.post(reverse("staff:change_password"), {"old": PASSWORD, "new": new, "again": new})

        assert signed_in(client)
        assert not signed_in(other)


def test_few_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0

    def slowly(self: object, password: str, salt: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return "argon2$"

    monkeypatch.setattr(Argon2PasswordHasher, "encode", slowly)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ours.BoundedArgon2PasswordHasher().encode("x", "y"), range(12)))

    assert most == ours.AT_ONCE
