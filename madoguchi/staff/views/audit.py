"""The trail, for those who watch over it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from madoguchi.audit import actions, queries
from madoguchi.audit.models import AuditEvent
from madoguchi.audit.rules import VERB_LABELS
from madoguchi.foundation.spreadsheets import MAX_ROWS, Column, xlsx_response
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.forms import AuditSearchForm
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

PER_PAGE = 50


@require_safe
@requires(Verb.READ_AUDIT)
def trail(request: StaffRequest) -> HttpResponse:
    """Search the trail by person, actor, target, verb and period; looking is written down too."""
    form = AuditSearchForm(request.GET)
    wanted = _wanted(form)
    page = Paginator(queries.search(**wanted), PER_PAGE).get_page(request.GET.get("page"))
    lines = list(_lines(list(page.object_list)))
    _note("audit.read", request, form)  # after the lines are read: it would push the last one off
    context = {"form": form, "page": page, "lines": lines, "person": wanted.get("person")}
    return render(request, "staff/audit.html", context)


@require_safe
@requires(Verb.READ_AUDIT)
def trail_excel(request: StaffRequest) -> HttpResponse:
    """Give everything that was found; what no sheet holds is refused, never cut off."""
    form = AuditSearchForm(request.GET)
    events = queries.search(**_wanted(form))
    if events.count() > MAX_ROWS:
        messages.error(
            request,
            f"Excelの1枚に入るのは{MAX_ROWS:,}行までです。期間を短くして、分けて書き出してください。",
        )
        return redirect(f"{reverse('staff:audit')}?{request.GET.urlencode()}")
    last = events.first()
    _note("audit.export", request, form)
    shown = events.filter(pk__lte=last.pk) if last else events  # without the line just written
    return xlsx_response(
        filename="監査証跡.xlsx",
        columns=[
            "番号",
            Column("日時", width=20),
            "職員ID",
            "職員",
            "操作",
            "対象の種類",
            "対象",
            "相談者",
            Column("理由", width=40),
        ],
        rows=(
            (
                line["event"].pk,
                timezone.localtime(line["event"].at).replace(tzinfo=None),
                line["event"].actor,
                line["who"],
                line["verb"],
                line["event"].target_label,
                line["event"].target_key,
                line["event"].person or "",
                line["event"].reason,
            )
            for line in _lines(shown.iterator(chunk_size=1_000))
        ),
    )


def _wanted(form: AuditSearchForm) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    wanted = dict(form.cleaned_data)
    since, until = wanted.pop("since"), wanted.pop("until")
    return wanted | {
        "since": _midnight(since) if since else None,
        "until": _midnight(until + timedelta(days=1)) if until else None,
    }


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _lines(events: Iterable[AuditEvent]) -> Iterator[dict[str, Any]]:
    """Give each event its words: who it was, and what was done, in Japanese."""
    people = User.objects.in_bulk(field_name="username")
    for event in events:
        person = people.get(event.actor)
        yield {
            "event": event,
            "who": person.name if person else WHO.get(event.actor, ""),
            "verb": VERB_LABELS.get(event.verb, event.verb),
        }


WHO = {"resident": "（住民）", "system": "（自動処理）", "setup": "（設置作業）", "?": "（不明）"}


def _note(verb: str, request: StaffRequest, form: AuditSearchForm) -> None:
    asked = {name: form[name].value() for name in form.fields if form[name].value()}
    actions.record(
        verb=verb,
        actor=request.user.username,
        at=timezone.now(),
        person=form.cleaned_data.get("person") if form.is_valid() else None,
        detail={"asked": asked} if form.is_valid() else {},
    )
