import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server.serve import ROOT, EventStream, Served

pytestmark = pytest.mark.server

TOPIC = "public.display.1"

WRITE = """
import sys, time
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from madoguchi.foundation import live
topic, first, last, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
at = timezone.now() - timedelta(hours=1)  # so long ago that a fresh stream does not look back
for n in range(first, last):
    with transaction.atomic():
        live.publish(topic=topic, kind="test.said", at=at, n=n)
        time.sleep(pause)
"""


SIGN_IN = """
import secrets
from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests import make
user = make.staff(username=secrets.token_hex(8))
device = TOTPDevice.objects.create(user=user, confirmed=True)
session = SessionStore()
session[auth.SESSION_KEY] = str(user.pk)
session[auth.BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
session[DEVICE_ID_SESSION_KEY] = device.persistent_id
session["began_at"] = session["seen_at"] = timezone.now().isoformat()
session.create()
print(user.pk, session.session_key)
"""


def sign_in(served: Served) -> tuple[str, str]:
    """Enter somebody who has shown both factors; return the id and the cookie."""
    pk, key = served.run(SIGN_IN).split()
    return pk, f"sessionid={key}"


def write(served: Served, topic: str, first: int, last: int, *, pause: float = 0) -> None:
    served.run(WRITE, topic, str(first), str(last), str(pause))


def numbers(changes: list[dict[str, object]]) -> list[object]:
    return [change["n"] for change in changes]


def test_what_another_process_writes_arrives(served: Served) -> None:
    stream = EventStream(served, f"/live/?topic={TOPIC}").until_open()

    write(served, TOPIC, 0, 3)

    assert numbers(stream.changes(until=3)) == [0, 1, 2]
    stream.close()


def test_every_web_process_tells_its_own_streams(served: Served) -> None:
    topic = "public.display.every"
    streams = [EventStream(served, f"/live/?topic={topic}").until_open() for _ in range(24)]

    write(served, topic, 0, 5)

    assert all(numbers(stream.changes(until=5)) == [0, 1, 2, 3, 4] for stream in streams)
    for stream in streams:
        stream.close()


def test_other_topics_are_not_heard(served: Served) -> None:
    stream = EventStream(served, "/live/?topic=public.display.mine").until_open()

    write(served, "public.display.other", 0, 3)
    write(served, "public.display.mine", 7, 8)

    assert numbers(stream.changes(until=1)) == [7]
    stream.close()


def test_nothing_is_lost_between_two_connections(served: Served) -> None:
    topic = "public.display.replay"
    stream = EventStream(served, f"/live/?topic={topic}").until_open()
    write(served, topic, 0, 2)
    stream.changes(until=2)
    stream.close()

    write(served, topic, 2, 40)
    again = EventStream(served, f"/live/?topic={topic}", **{"Last-Event-ID": stream.last_id})

    assert numbers(again.changes(until=38)) == list(range(2, 40))
    again.close()


def test_what_happened_while_the_page_was_loading_is_sent(served: Served) -> None:
    topic = "public.display.loading"
    served.run(
        "from django.utils import timezone\n"
        "from madoguchi.foundation import live\n"
        f"live.publish(topic={topic!r}, kind='test.said', at=timezone.now(), n=0)"
    )

    stream = EventStream(served, f"/live/?topic={topic}")

    assert numbers(stream.changes(until=1)) == [0]
    stream.close()


def test_nothing_is_lost_with_slow_and_quick_writers_at_once(served: Served) -> None:
    """
    A transaction that took its key early and commits late must not be passed over.

    Readers come and go meanwhile, each with the position where the last one stopped.
    """
    topic = "public.display.writers"
    EventStream(served, f"/live/?topic={topic}").until_open().close()
    first = EventStream(served, f"/live/?topic={topic}").until_open()
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", "import django; django.setup()\n" + WRITE, topic, *arguments],
            cwd=ROOT,
            env=served.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        )
        for arguments in (
            ("0", "4", "0.7"),  # slow: its keys are older than those of the quick ones
            ("100", "160", "0.01"),
            ("200", "260", "0.02"),
        )
    ]

    heard: set[object] = set()
    everything = {*range(4), *range(100, 160), *range(200, 260)}
    deadline = time.monotonic() + 60
    while heard != everything and time.monotonic() < deadline:
        heard |= set(numbers(first.changes(until=1)))
        position = first.last_id
        first.close()
        first = EventStream(served, f"/live/?topic={topic}", **{"Last-Event-ID": position})
    first.close()

    assert [process.wait(30) for process in begun] == [0, 0, 0]
    assert heard == everything


def test_the_stream_flows_through_the_whole_middleware(served: Served) -> None:
    """The first words come at once; a middleware that collects the answer would keep them."""
    began = time.monotonic()

    stream = EventStream(served, f"/live/?topic={TOPIC}").until_open()

    assert time.monotonic() - began < 3
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    stream.close()


def test_many_streams_hold_no_database_connection_each(served: Served) -> None:
    """PostgreSQL has about a hundred; each staff stream asks who reads, and gives it back."""
    _, cookie = sign_in(served)
    with ThreadPoolExecutor(16) as together:
        streams = list(
            together.map(
                lambda _: EventStream(
                    served, "/staff/live/?topic=public.many", Cookie=cookie
                ).until_open(),
                range(120),
            )
        )

    assert served.get("/healthz")[0] == 200
    write(served, "public.many", 0, 1)
    assert all(numbers(stream.changes(until=1)) == [0] for stream in streams)
    for stream in streams:
        stream.close()


def test_a_stranger_is_told_to_log_in(served: Served) -> None:
    assert served.get("/staff/live/?topic=reception.1", {"HX-Request": "true"})[0] == 401
    assert served.get("/staff/live/?topic=reception.1")[0] in (302, 401)


def test_topics_of_somebody_else_are_refused(served: Served) -> None:
    pk, cookie = sign_in(served)

    stream = EventStream(served, "/staff/live/?topic=reception.1", Cookie=cookie)
    assert stream.status == 200
    stream.close()
    for topic in (f"user.{int(pk) + 1}", "nonsense.1", "division"):
        assert served.get(f"/staff/live/?topic={topic}", {"Cookie": cookie})[0] == 403


@pytest.mark.parametrize(
    "end",
    [
        "from django.utils import timezone\n"
        "from madoguchi.staff import actions\n"
        "from madoguchi.staff.rules import Role\n"
        "from tests import make\n"
        "admin = make.staff(Role.ADMIN, username=sys.argv[2][:9])\n"
        "actions.deactivate(user=user, by=admin, at=timezone.now())",
        "from madoguchi.staff.models import User\n"
        "User.objects.filter(pk=user.pk).update(is_active=False)",
        "from django.contrib.sessions.models import Session\n"
        "Session.objects.filter(session_key=sys.argv[2]).delete()",
    ],
    ids=["deactivated", "deactivated behind the product's back", "logged out elsewhere"],
)
def test_the_stream_of_a_leaver_ends_at_once(served: Served, end: str) -> None:
    pk, cookie = sign_in(served)
    stream = EventStream(served, f"/staff/live/?topic=user.{pk}", Cookie=cookie).until_open()

    served.run(
        "import sys\nfrom madoguchi.staff.models import User\n"
        f"user = User.objects.get(pk=sys.argv[1])\n{end}",
        pk,
        cookie.removeprefix("sessionid="),
    )
    began = time.monotonic()
    rest = []
    for line in stream.lines():
        rest.append(line)
        assert time.monotonic() - began < 6, rest

    assert not any(line.startswith("data:") for line in rest)
    stream.close()


def test_the_public_address_refuses_topics_of_staff(served: Served) -> None:
    assert served.get("/live/?topic=reception.1")[0] == 403
    assert served.get("/live/?topic=public.display.1&topic=user.1")[0] == 403
    assert served.get("/live/")[0] == 403


def test_health_names_version_and_database(served: Served) -> None:
    status, body = served.get("/healthz")

    expected = "postgresql" if served.database_url else "sqlite"
    assert status == 200
    assert json.loads(body) == {"status": "ok", "version": "0.1.0", "database": expected}
