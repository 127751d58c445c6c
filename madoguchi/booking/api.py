"""The JSON API of services, free places and appointments; the same rules as the pages."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Header, Path, Query, Router, Schema, Status
from ninja.errors import ValidationError as Invalid
from pydantic import AfterValidator, BeforeValidator

from madoguchi.booking import access, actions, queries, rules
from madoguchi.booking.models import Appointment, Errand, Service
from madoguchi.foundation import limits
from madoguchi.foundation.schemas import Invalids, NotFound, Refusal
from madoguchi.offices.models import Site

router = Router(tags=["予約"])

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
PHONE = re.compile(r"^\+?[0-9][0-9 ()\-]{8,18}$")
ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:$|[T ]\d{2}:\d{2})")
CODE = r"^[A-Za-z0-9_-]+$"


def _day(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError("2000年から2999年までの日付にしてください")
    return day


def _written(value: Any) -> Any:
    """Let only text be a date: a bare number would be taken for seconds since 1970."""
    if value is not None and not (isinstance(value, str) and ISO.match(value)):
        raise ValueError("「2026-12-01」「2026-12-01T09:00:00+09:00」のように書いてください")
    return value


def _start(start: datetime) -> datetime:
    """Take a time without a zone as Japanese time."""
    aware = start if start.tzinfo else start.replace(tzinfo=rules.JST)
    _day(start.date())
    return aware


def _text(value: Any) -> Any:
    """Trim, and refuse control characters: no database keeps NUL and no name has a TAB."""
    if isinstance(value, str):
        value = value.strip()
        if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
            raise ValueError("制御文字は使えません")
    return value


def _phone(value: str) -> str:
    if value and not PHONE.match(value):
        raise ValueError("電話番号は「090-1234-5678」のように入力してください")
    return value


def _email(value: str) -> str:
    if value:
        try:
            validate_email(value)
        except ValidationError as error:
            raise ValueError("メールアドレスを確かめてください") from error
    return value


def _optional(value: Any) -> Any:
    return "" if value is None else value


Day = Annotated[date, BeforeValidator(_written), AfterValidator(_day)]
Text = BeforeValidator(_text)
Optional = BeforeValidator(_optional)
Code = Annotated[str, Text, Field(min_length=1, max_length=40, pattern=CODE)]
Token = Annotated[str, Path(min_length=16, max_length=64, pattern=CODE)]


class ServiceOut(Schema):
    code: str
    name: str
    minutes: int
    sites: list[str] = Field(description="庁舎のコード")


class SlotOut(Schema):
    start: datetime
    minutes: int
    site: str
    free: int


class SlotsOut(Schema):
    slots: list[SlotOut]


class BookingIn(Schema):
    """A booking; the start is one of the slots, with or without +09:00."""

    service: Code
    site: Code
    start: Annotated[datetime, BeforeValidator(_written), AfterValidator(_start)]
    name: Annotated[str, Text, Field(min_length=1, max_length=120)]
    kana: Annotated[str | None, Text, Optional, Field(max_length=120)] = ""
    phone: Annotated[str | None, Text, Optional, Field(max_length=20), AfterValidator(_phone)] = ""
    email: Annotated[str | None, Text, Optional, Field(max_length=254), AfterValidator(_email)] = (
        ""
    )


class BookingOut(Schema):
    number: str
    token: str
    start: datetime
    url: str


class BookingState(BookingOut):
    """An appointment as its link shows it; the name is not given out again."""

    service: str
    site: str
    minutes: int
    status: str = Field(description="booked / arrived / missed / cancelled")


class TooMany(Refusal):
    """Too many requests; the header Retry-After says for how many seconds."""


def _wrong(field: str, message: str, *, place: str = "body") -> Invalid:
    loc = [place, "booking", field] if place == "body" else [place, field]
    return Invalid([{"type": "value_error", "loc": loc, "msg": message}])


@router.get("/services", response=list[ServiceOut], summary="オンラインで予約できる手続き")
def services(request: HttpRequest) -> list[dict[str, Any]]:
    rows = Service.objects.bookable_online().prefetch_related("counters__site")
    return [
        {
            "code": row.code,
            "name": row.name,
            "minutes": row.minutes,
            "sites": sorted({c.site.code for c in row.counters.all() if c.is_active}),
        }
        for row in rows
    ]


@router.get(
    "/services/{code}/slots",
    response={200: SlotsOut, 404: NotFound, 422: Invalids},
    summary="空いている予約枠",
)
def slots(
    request: HttpRequest,
    code: Annotated[str, Path(max_length=40, pattern=CODE)],
    first: Annotated[Day | None, Query(alias="from")] = None,
    days: Annotated[int, Query(ge=1, le=180)] = 31,
) -> JsonResponse:
    service = get_object_or_404(Service.objects.bookable_online(), code=code)
    at = timezone.now()
    day = first or timezone.localdate(at)
    errand = Errand((service,))
    found = queries.free_slots(
        errand,
        first=day,
        last=day + timedelta(days=days - 1),
        window=queries.window_of(errand, at=at),
    )
    # Written out here: to validate thousands of our own slots would cost more than to find them.
    return JsonResponse(
        {
            "slots": [
                {
                    "start": slot.start.isoformat(),
                    "minutes": slot.minutes,
                    "site": slot.site,
                    "free": slot.free,
                }
                for slot in found
            ]
        }
    )


@router.post(
    "/bookings",
    response={201: BookingOut, 409: Refusal, 422: Invalids, 429: TooMany},
    summary="予約する",
)
def book(
    request: HttpRequest,
    booking: BookingIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=100,
            description="同じ鍵でもう一度送ると、同じ予約が返る",
        ),
    ] = None,
) -> Status[Any]:
    at = timezone.now()
    limits.spend(access.BOOKING, request, at=at)
    service = Service.objects.bookable_online().filter(code=booking.service).first()
    if service is None:
        raise _wrong("service", "その手続きは、オンラインでは予約できません。")
    site = Site.objects.filter(code=booking.site).first()
    if site is None:
        raise _wrong("site", "その庁舎はありません。")
    try:
        appointment = actions.book(
            service=service,
            site=site,
            start=booking.start,
            name=booking.name,
            kana=booking.kana or "",
            phone=booking.phone or "",
            email=booking.email or "",
            key=f"api:{idempotency_key}" if idempotency_key else None,
            at=at,
        )
    except rules.Full as refused:
        return Status(409, {"code": "full", "message": str(refused)})
    except rules.NotBookable as refused:
        raise _wrong(refused.field, str(refused)) from refused
    except rules.KeyReused as refused:
        raise _wrong("Idempotency-Key", str(refused), place="header") from refused
    return Status(201, _shown(appointment))


@router.get(
    "/bookings/{token}",
    response={200: BookingState, 404: NotFound, 422: Invalids},
    summary="予約の内容",
)
def booking(request: HttpRequest, token: Token) -> dict[str, Any]:
    appointment = access.appointment_by_token(token)
    return _shown(appointment) | {
        "service": appointment.service.code,
        "site": appointment.site.code,
        "minutes": appointment.service.minutes,
        "status": appointment.status,
    }


@router.delete(
    "/bookings/{token}",
    response={204: None, 404: NotFound, 409: Refusal, 422: Invalids},
    summary="予約を取り消す",
)
def cancel(request: HttpRequest, token: Token) -> Status[Any]:
    appointment = access.appointment_by_token(token)
    try:
        actions.cancel(appointment=appointment, at=timezone.now())
    except rules.StepNotAllowed as refused:
        return Status(409, {"code": "too_late", "message": str(refused)})
    return Status(204, None)


def _shown(appointment: Appointment) -> dict[str, Any]:
    return {
        "number": appointment.number,
        "token": appointment.token,
        "start": appointment.start.astimezone(rules.JST),
        "url": f"{settings.SITE_URL}{appointment.address}",
    }
