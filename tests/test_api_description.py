"""The JSON API does what its description says, whatever is sent to it."""

import json
from typing import Any

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from config.api import api
from madoguchi.staff.actions import create_token
from madoguchi.staff.rules import Scope
from tests import make

# What the office's rules refuse (full, not offered) may well fit the description: so a refusal of
# a valid request is no fault, while an answer that is not described always is.
HELD = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OPERATIONS = [
    ("GET", "/api/v1/services"),
    ("GET", "/api/v1/services/{code}/slots"),
    ("POST", "/api/v1/bookings"),
    ("GET", "/api/v1/bookings/{token}"),
    ("DELETE", "/api/v1/bookings/{token}"),
    ("GET", "/api/v1/faq"),
    ("POST", "/api/v1/cases"),
    ("GET", "/api/v1/cases"),
    ("GET", "/api/v1/cases/{number}"),
]


def test_every_operation_is_in_this_list() -> None:
    described = {
        (method.upper(), path)
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    assert described == set(OPERATIONS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "trusted"),
    [
        (*operation, trusted)
        for operation in OPERATIONS
        for trusted in ((True, False) if "/cases" in operation[1] else (True,))
    ],
)
def test_no_server_error_and_no_undocumented_answer(
    method: str, path: str, trusted: bool, client: Client, settings: Settings
) -> None:
    settings.RATE_LIMITS = False
    service = make.service(code="hoiku")
    make.open_counters(service)
    make.case(number="R8-00012")
    _, secret = create_token(user=make.staff(), scopes=list(Scope), by="system", at=make.NOW)
    described = json.loads(json.dumps(api.get_openapi_schema()))
    operation = schemathesis.openapi.from_dict(described)[path][method]
    seen = []

    @trials(
        max_examples=30,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )
    )
    def ask(case: "schemathesis.Case[Any]") -> None:
        response = _answer(client, case, secret if trusted else "wrong")
        case.validate_response(response, checks=HELD)
        seen.append(response.status_code)

    ask()
    assert seen


def _answer(client: Client, case: "schemathesis.Case[Any]", secret: str) -> schemathesis.Response:
    """Send the request to the application itself, within the transaction of the test."""
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    assert sent.method
    body = sent.body or b""
    headers = {str(name): str(value) for name, value in sent.headers.items()}
    headers |= {"Authorization": f"Bearer {secret}"}
    answer = client.generic(
        sent.method,
        sent.path_url,
        data=body.encode() if isinstance(body, str) else body,
        content_type=headers.pop("Content-Type", "application/octet-stream"),
        headers=headers,
    )
    return schemathesis.Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.headers.items()},
        content=answer.content,
        request=sent,
        elapsed=0.0,
        verify=False,
    )
