"""The JSON API of cases: a program writes and reads them for a person, by the person's rights."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Field, Header, Path, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.errors import ValidationError as Invalid
from ninja.security import HttpBearer
from pydantic import AfterValidator, BeforeValidator

from madoguchi.casework import access, actions, queries, rules
from madoguchi.casework.models import Case, Category
from madoguchi.foundation import limits
from madoguchi.foundation.schemas import Invalids, NotFound, Refusal
from madoguchi.offices.models import Division
from madoguchi.staff.models import User
from madoguchi.staff.queries import token_in_force
from madoguchi.staff.rules import Scope, Verb

PER_PAGE = 50
EARLIEST, LATEST = date(1990, 1, 1), date(2999, 12, 31)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_PHONE = re.compile(r"^\+?[0-9][0-9 ()\-]{8,18}$")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Bearer(HttpBearer):
    """A token in force, and one of the things it may do."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        at = timezone.now()
        found = token_in_force(token, at=at)
        if found is None:
            limits.spend(access.WRONG_TOKENS, request, at=at)
            return None
        if not found.allows(self.scope):
            raise HttpError(403, f"このトークンでは {self.scope} はできません。")
        limit = access.API_WRITES if self.scope is Scope.WRITE_CASES else access.API_READS
        limits.spend_as(limit, f"token{found.pk}", at=at)
        return found.user


router = Router(tags=["案件"])
READER, WRITER = Bearer(Scope.READ_CASES), Bearer(Scope.WRITE_CASES)


def _line(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
        if _NOT_ONE_LINE.search(value):
            raise ValueError("改行などの制御文字は使えません")
    return value


def _lines(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
        if _UNREADABLE.search(value):
            raise ValueError("制御文字は使えません")
    return value


def _optional(value: Any) -> Any:
    return "" if value is None else value


def _phone(value: str) -> str:
    if value and not _PHONE.match(value):
        raise ValueError("電話番号は「0898-12-3456」のように書いてください")
    return value


def _written(value: Any) -> Any:
    """Let only 2026-11-24 be a date: a bare number would be taken for seconds since 1970."""
    if value is not None and not (isinstance(value, str) and _DAY.match(value)):
        raise ValueError("「2026-11-24」のように書いてください")
    return value


def _day(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError("1990年から2999年までの日付にしてください")
    return day


Line, Lines, Optional = BeforeValidator(_line), BeforeValidator(_lines), BeforeValidator(_optional)
Day = Annotated[date, BeforeValidator(_written), AfterValidator(_day)]
Number = Annotated[str, Path(max_length=12, pattern=r"^[A-Z][0-9]{1,2}-[0-9]{5,8}$")]


class PersonIn(Schema):
    """Whose matter it is; without a name, a reading and a phone it is an anonymous one."""

    name: Annotated[str | None, Line, Optional, Field(max_length=120)] = ""
    kana: Annotated[str | None, Line, Optional, Field(max_length=120)] = ""
    phone: Annotated[str | None, Line, Optional, Field(max_length=20), AfterValidator(_phone)] = ""


class CaseIn(Schema):
    """A new matter; `category` is the code of a field (ADMIN, CONSUMER, …)."""

    kind: rules.Kind
    channel: rules.Channel
    category: Annotated[str, Line, Field(min_length=1, max_length=20)]
    title: Annotated[str, Line, Field(min_length=1, max_length=120)]
    text: Annotated[str | None, Lines, Optional, Field(max_length=20_000)] = ""
    resident: PersonIn | None = None


class CaseReceived(Schema):
    number: str
    url: str


class CaseLine(CaseReceived):
    """One line of a list, as on the page."""

    kind: str
    channel: str
    category: str
    title: str
    status: str
    division: str
    received_at: datetime
    due_on: date | None


class CaseLines(Schema):
    """`count` cases in all, or at least, when `is_counted` is false; 50 on each page."""

    count: int
    is_counted: bool
    results: list[CaseLine]


class PersonOut(Schema):
    """The contact is masked while the person's display is restricted."""

    name: str
    kana: str
    phone: str


class CaseOut(CaseLine):
    text: str
    resident: PersonOut | None
    closed_at: datetime | None


class Unknown(Schema):
    """401: no token, or one that is not in force. 403: the token, or the person, may not."""

    detail: str


class TooMany(Refusal):
    """Too many requests; the header Retry-After says for how many seconds."""


REFUSALS = {401: Unknown, 403: Unknown, 422: Invalids, 429: TooMany}


def _wrong(field: str, message: str, *, place: str = "body") -> Invalid:
    loc = [place, "case", field] if place == "body" else [place, field]
    return Invalid([{"type": "value_error", "loc": loc, "msg": message}])


def _person(request: HttpRequest, verb: Verb) -> User:
    user: User = request.auth  # type: ignore[attr-defined]
    if not user.may(verb):
        raise HttpError(403, "この職員の役割ではできません。")
    return user


@router.post(
    "/cases", auth=WRITER, response={201: CaseReceived, **REFUSALS}, summary="案件を受理する"
)
def receive(
    request: HttpRequest,
    case: CaseIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=100,
            description="同じ鍵でもう一度送ると、同じ案件が返る",
        ),
    ] = None,
) -> Status[Any]:
    user, at = _person(request, Verb.RECEIVE_CASES), timezone.now()
    category = Category.objects.filter(code=case.category, is_active=True).first()
    if category is None:
        raise _wrong("category", "その分野はありません。")
    key = uuid5(NAMESPACE_URL, f"case:{user.pk}:{idempotency_key}") if idempotency_key else None
    named = (
        case.resident.model_dump()
        if case.resident and any(case.resident.model_dump().values())
        else None
    )
    person = queries.same_person(named) if named else None
    received = actions.receive_person(
        person=person,
        newcomer=named,
        kind=case.kind.value,
        channel=case.channel.value,
        category=category,
        title=case.title,
        summary=case.text or "",
        owner=user.division,
        by=user,
        at=at,
        key=key,
        tells_division=True,
    )
    if (received.title, received.summary) != (case.title, case.text or ""):
        raise _wrong("Idempotency-Key", "この鍵は、別の案件に使われています。", place="header")
    return Status(201, {"number": received.number, "url": _url(received)})


@router.get("/cases", auth=READER, response={200: CaseLines, **REFUSALS}, summary="案件の一覧")
def cases(
    request: HttpRequest,
    status: Literal[
        "", "open", "received", "in_progress", "handed_over", "answered", "closed"
    ] = "",
    division: Annotated[str, Query(max_length=40, description="担当課のコード")] = "",
    q: Annotated[str, Query(max_length=100, description="番号、氏名、ことば")] = "",
    since: Annotated[Day | None, Query(alias="from")] = None,
    until: Annotated[Day | None, Query(alias="to")] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> dict[str, Any]:
    """Return the cases the person may know of, the newest first; the trail keeps which."""
    user, at = _person(request, Verb.READ_CASES), timezone.now()
    wanted: dict[str, Any] = {"status": status, "since": since, "until": until}
    wanted["q"] = _readable(q)
    if division:
        wanted["owner"] = Division.objects.filter(code=_readable(division)).first()
        if wanted["owner"] is None:
            return {"count": 0, "is_counted": True, "results": []}
    found = access.cases_page(user, wanted, page=page, size=PER_PAGE)
    if page > found.number:
        return {"count": found.count, "is_counted": found.is_counted, "results": []}
    if found.object_list:
        access.note_list("case.list", user, (case.pk for case in found), at=at)
    return {
        "count": found.count,
        "is_counted": found.is_counted,
        "results": [_shown(case) for case in found],
    }


@router.get(
    "/cases/{number}",
    auth=READER,
    response={200: CaseOut, 404: NotFound, **REFUSALS},
    summary="案件の内容",
)
def case(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Return one case; the trail keeps that it was read."""
    user = _person(request, Verb.READ_CASES)
    found = access.case_to_read(user, number, at=timezone.now())
    person = found.resident
    return _shown(found) | {
        "text": found.summary,
        "closed_at": found.closed_at,
        "resident": person
        and {"name": person.name, "kana": person.kana, "phone": person.contact.phone},
    }


def _readable(text: str) -> str:
    """Drop what no database keeps: nothing is found by it."""
    return _NOT_ONE_LINE.sub(" ", text)


def _shown(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "url": _url(case),
        "kind": case.kind,
        "channel": case.channel,
        "category": case.category.code,
        "title": case.title,
        "status": case.status,
        "division": case.owner.code,
        "received_at": case.received_at,
        "due_on": case.due_on,
    }


def _url(case: Case) -> str:
    return f"{settings.SITE_URL}{reverse('casework:case', args=[case.number])}"
