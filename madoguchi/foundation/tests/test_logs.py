import io
import logging
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory

from madoguchi.foundation.logs import RouteInsteadOfPath, WithoutMessages

NAME = "山田太郎"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the product's own handler would write to the terminal."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(WithoutMessages("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(RouteInsteadOfPath())
    loggers = [logging.getLogger(name) for name in ("", "madoguchi")]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.mark.django_db
def test_a_request_is_one_line_without_its_address(client: Client, written: io.StringIO) -> None:
    client.get("/faq/", {"q": NAME})
    client.get(f"/{NAME}/no-such-page/")

    lines = written.getvalue().splitlines()
    assert any("GET /faq/ 200" in line for line in lines)
    assert any("GET /? 404" in line for line in lines)
    assert NAME not in written.getvalue()
    assert "no-such-page" not in written.getvalue()


@pytest.mark.django_db
def test_a_bug_is_logged_by_place_and_kind_not_by_its_words(written: io.StringIO) -> None:
    try:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s FROM no_such_table", [NAME])
        except DatabaseError as error:
            raise ValueError(f"{NAME}さんの行が読めません") from error
    except ValueError:
        logging.getLogger("madoguchi").exception("failed")

    text = written.getvalue()
    assert "builtins.ValueError" in text
    assert "django.db.utils." in text
    assert "test_logs.py" in text
    assert NAME not in text


def test_what_django_says_of_a_request_names_its_route(rf: RequestFactory) -> None:
    record = logging.LogRecord("django.request", 40, "", 0, "Error: %s", (f"/{NAME}",), None)
    record.request = rf.get(f"/{NAME}/")
    record.status_code = 500

    RouteInsteadOfPath().filter(record)

    assert record.getMessage().startswith("500 GET /?")
