"""What everyone looks at: today, the month, a person, who is away, whom to call."""

from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation import dates, paper
from madoguchi.foundation.dates import fiscal_year
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.offices.models import Site
from madoguchi.rota import access, actions, queries
from madoguchi.rota.forms import AbsenceForm, ContactFormSet, StandInForm
from madoguchi.rota.models import Rota
from madoguchi.rota.rules import duties, steps
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

SHEET = Path(__file__).resolve().parent.parent / "typst" / "month.typ"


@require_GET
@requires(Verb.READ_ROTA)
def today(request: StaffRequest) -> HttpResponse:
    """Show who is on duty today, who is away, who stands in and what they need to know."""
    site = access.site_to_show(request.user, request.GET.get("site", ""))
    on = timezone.localdate()
    page = {
        "site": site,
        "sites": queries.sites(),
        "on": on,
        "duties": queries.today(site=site, on=on),
        "away": access.absences_to_read(request.user, on=on),
        "coming": queries.coming_absences(after=on)[:20],
        "may_report": request.user.may(Verb.REPORT_ABSENCES),
    }
    name = "rota/_today.html" if "HX-Request" in request.headers else "rota/today.html"
    return render(request, name, page)


@require_GET
@requires(Verb.READ_ROTA)
def month(request: StaffRequest, year: int = 0, month: int = 0) -> HttpResponse:
    """Show the published duties of a month; a draft too, to its editors (`rota`)."""
    page = _month_page(request, year, month)
    name = "rota/_month.html" if "HX-Request" in request.headers else "rota/month.html"
    return render(request, name, page)


def _month_page(request: StaffRequest, year: int, month: int) -> dict[str, Any]:
    on = timezone.localdate()
    rota = _draft(request)
    first = _first_of(year, month) if year else (rota.first if rota else on).replace(day=1)
    site = rota.site if rota else access.site_to_show(request.user, request.GET.get("site", ""))
    own = access.own_member(request.user)
    return {
        "site": site,
        "sites": queries.sites(),
        "rota": rota,
        "first": first,
        "before": (first - timedelta(days=1)).replace(day=1),
        "after": (first + timedelta(days=31)).replace(day=1),
        "today": on,
        "weeks": queries.month(site=site, year=first.year, month=first.month, rota=rota),
        "weekdays": duties.WEEKDAYS,
        "own": own.pk if own else 0,
        "may_edit": access.may_edit(request.user),
        "query": request.GET.urlencode(),
    }


def _draft(request: StaffRequest) -> Rota | None:
    key = request.GET.get("rota", "")
    return access.rota_to_read(request.user, int(key)) if key.isdecimal() else None


def _first_of(year: int, month: int) -> date:
    try:
        return date(year, month, 1)
    except ValueError as error:
        raise Http404 from error


@require_GET
@requires(Verb.READ_ROTA)
def month_print(request: StaffRequest, year: int, month: int) -> HttpResponse:
    """Show the month as a sheet of A4, lying."""
    page = _month_page(request, year, month)
    return render(request, "rota/month_print.html", page | {"printed_at": timezone.now()})


@require_GET
@requires(Verb.READ_ROTA)
def month_pdf(request: StaffRequest, year: int, month: int) -> HttpResponse:
    """Give out the month as a tagged PDF, to be pinned up or sent on."""
    page = _month_page(request, year, month)
    site, rota = page["site"], page["rota"]
    is_draft = rota is not None and rota.status == steps.Status.DRAFT.value
    title = f"当番表　{dates.wareki(page['first'])[:-2]}　{site}"
    values = {
        "title": title,
        "site": str(site),
        "note": "公開前の案です。" if is_draft else "",
        "weekdays": list(duties.WEEKDAYS),
        "weeks": [[_printed(day) for day in week] for week in page["weeks"]],
        "printed": dates.wareki(timezone.localdate()),
    }
    try:
        content = paper.pdf(SHEET, values)
    except paper.NotPrintable as reason:
        messages.error(request, str(reason))
        return redirect("rota:month", year, month)
    return paper.pdf_response(filename=f"{title}.pdf", content=content)


def _printed(day: queries.CalendarDay) -> dict[str, object]:
    groups = groupby(day.duties, key=lambda duty: duty.skill.name)
    return {
        "day": f"{day.office.on.month}/{day.office.on.day}",
        "closed": day.office.words if day.is_closed_day else "",
        "turn": str(day.turn or ""),
        "groups": [
            {
                "skill": skill,
                "names": [str(duty.member) if duty.member else "空き" for duty in listed],
            }
            for skill, listed in groups
        ],
    }


@require_GET
@requires(Verb.READ_ROTA)
def month_excel(request: StaffRequest, year: int, month: int) -> HttpResponse:
    first = _first_of(year, month)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    rota = _draft(request)
    site = rota.site if rota else access.site_to_show(request.user, request.GET.get("site", ""))
    return _excel(site, first, last, rota=rota)


@require_GET
@requires(Verb.READ_ROTA)
def rota_excel(request: StaffRequest, pk: int) -> HttpResponse:
    """Give out a whole rota as an Excel file."""
    rota = access.rota_to_read(request.user, pk)
    return _excel(rota.site, rota.first, rota.last, rota=rota)


def _excel(site: Site, first: date, last: date, *, rota: Rota | None) -> HttpResponse:
    rows = queries.shown_duties(site=site, first=first, last=last, rota=rota)
    return xlsx_response(
        filename=f"当番表_{site.name}_{first:%Y%m%d}-{last:%Y%m%d}.xlsx",
        columns=[
            Column("日", 18, era=True),
            Column("曜日", 6),
            Column("日の種類", 10),
            Column("時間帯", 8),
            Column("役割", 18),
            Column("当番", 18),
            Column("部署", 22),
        ],
        rows=(
            (
                row.on,
                duties.WEEKDAYS[row.on.weekday()],
                duties.DAY_KIND_LABELS[duties.day_kind(row.on)],
                row.get_shift_display(),
                row.skill.name,
                row.member.user.name if row.member else "空き",
                row.member.user.division.name if row.member else "",
            )
            for row in rows
        ),
    )


@require_GET
@requires(Verb.READ_ROTA)
def person(request: StaffRequest, pk: int) -> HttpResponse:
    """Show when one member is on duty in the fiscal year."""
    member = access.member_to_read(request.user, pk)
    on = timezone.localdate()
    year = _year(request)
    rows = list(queries.duties_of(member, first=date(year, 4, 1), last=date(year + 1, 3, 31)))
    counted = duties.counts(queries.assignment(row) for row in rows)
    return render(
        request,
        "rota/person.html",
        {
            "member": member,
            "duties": rows,
            "year": year,
            "starts_on": date(year, 4, 1),
            "today": on,
            "figures": [
                (label, counted[member.pk, burden])
                for burden, label in duties.BURDEN_LABELS.items()
            ],
            "may_edit": access.may_edit(request.user),
        },
    )


def _year(request: StaffRequest) -> int:
    """Return the fiscal year asked for, else the one that runs."""
    key = request.GET.get("year", "")
    asked = int(key) if key.isdecimal() else 0
    return asked if 1900 < asked < 9000 else fiscal_year(timezone.localdate())


@require_GET
@requires(Verb.READ_ROTA)
def fairness(request: StaffRequest) -> HttpResponse:
    """Show how many duties everyone has in the fiscal year, beside what would be their part."""
    site = access.site_to_show(request.user, request.GET.get("site", ""))
    year = _year(request)
    page = {
        "site": site,
        "sites": queries.sites(),
        "year": year,
        "starts_on": date(year, 4, 1),
        "rows": queries.fairness(site=site, year=year),
        "burdens": duties.BURDEN_LABELS.values(),
    }
    return render(request, "rota/fairness.html", page)


@require_GET
@requires(Verb.READ_ROTA)
def fairness_excel(request: StaffRequest) -> HttpResponse:
    site = access.site_to_show(request.user, request.GET.get("site", ""))
    year = _year(request)
    columns = [Column("氏名", 18), Column("部署", 22)]
    for label in duties.BURDEN_LABELS.values():
        columns += [Column(label, 12), Column(f"{label}（公平な回数）", 16)]
    return xlsx_response(
        filename=f"当番の公平さ_{site.name}_{year}年度.xlsx",
        columns=columns,
        rows=(
            (
                row.member.user.name,
                row.member.user.division.name,
                *(value for _, days, part, _ in row.cells for value in (days, part)),
            )
            for row in queries.fairness(site=site, year=year)
        ),
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.REPORT_ABSENCES)
def report_absence(request: StaffRequest) -> HttpResponse:
    """Tell that someone is not there; whose duties it hits is shown next."""
    people = access.people_to_report(request.user)
    initial = {"first": timezone.localdate(), "user": request.GET.get("user", "")}
    form = AbsenceForm(request.POST or None, people=people, initial=initial)
    if form.is_valid():
        try:
            absence = actions.report_absence(
                by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "不在を登録しました。")
            return redirect("rota:name_stand_in", absence.pk)
    return render(request, "rota/report_absence.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Verb.REPORT_ABSENCES)
def name_stand_in(request: StaffRequest, pk: int) -> HttpResponse:
    """Say who stands in and what they need to know; show the duties that are left alone."""
    absence = access.absence_to_change(request.user, pk)
    colleagues = queries.stand_ins(absence.user, first=absence.first, last=absence.last)
    if absence.stand_in_id:
        colleagues = colleagues | User.objects.filter(pk=absence.stand_in_id).distinct()
    form = StandInForm(
        request.POST or None,
        colleagues=colleagues,
        initial={"stand_in": absence.stand_in_id, "note": absence.note},
    )
    if form.is_valid():
        try:
            actions.name_stand_in(
                absence=absence, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "保存しました。")
            return redirect("rota:today")
    hit = queries.duties_hit(
        absence.user, first=max(absence.first, timezone.localdate()), last=absence.last
    )
    return render(
        request,
        "rota/name_stand_in.html",
        {
            "form": form,
            "absence": absence,
            "hit": list(hit),
            "may_edit": access.may_edit(request.user),
        },
    )


@require_POST
@requires(Verb.REPORT_ABSENCES)
def end_absence(request: StaffRequest, pk: int) -> HttpResponse:
    absence = access.absence_to_change(request.user, pk)
    actions.end_absence(absence=absence, by=request.user, at=timezone.now())
    messages.success(request, f"{absence.user}さんの不在を取り消しました。")
    return redirect("rota:today")


@require_GET
@requires(Verb.READ_ROTA)
def contacts(request: StaffRequest) -> HttpResponse:
    rows = access.contacts_to_read(request.user, at=timezone.now())
    listed = [
        (division, people, access.may_change_contacts(request.user, division))
        for division, people in rows
    ]
    on = timezone.localdate()
    return render(request, "rota/contacts.html", {"listed": listed, "on": on})


@require_GET
@requires(Verb.READ_ROTA)
def contacts_print(request: StaffRequest) -> HttpResponse:
    """Show the contacts as a sheet of A4, for the telephone of the closed day."""
    at = timezone.now()
    rows = access.contacts_to_read(request.user, at=at)
    return render(request, "rota/contacts_print.html", {"listed": rows, "printed_at": at})


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA, Verb.REPORT_ABSENCES)
def save_contacts(request: StaffRequest, pk: int) -> HttpResponse:
    division = access.division_with_contacts(request.user, pk)
    formset = ContactFormSet(
        request.POST or None,
        initial=list(division.emergency_contacts.values("name", "phone", "note")),
    )
    if formset.is_valid():
        rows = [
            (fields["name"], fields["phone"], fields["note"])
            for fields in formset.cleaned_data
            if fields.get("name")
        ]
        actions.save_contacts(division=division, rows=rows, by=request.user, at=timezone.now())
        messages.success(request, f"{division}の緊急連絡先を保存しました。")
        return redirect(f"{reverse('rota:contacts')}#division-{division.pk}")
    return render(request, "rota/save_contacts.html", {"formset": formset, "division": division})
