from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from madoguchi.audit import actions as audit
from madoguchi.audit.queries import search
from madoguchi.audit.rules import VERB_LABELS
from madoguchi.residents import access, actions
from madoguchi.residents.forms import (
    AccommodationForm,
    EditResidentForm,
    NewResidentForm,
    ReasonForm,
)
from madoguchi.residents.models import Resident
from madoguchi.residents.rules import ShownContact
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import ROLE_LABELS, Role, Verb


@require_safe
@requires(Verb.READ_RESIDENTS)
def residents(request: StaffRequest) -> HttpResponse:
    words = request.GET.get("q", "")
    page = access.residents_found(
        request.user, words, page=request.GET.get("page", ""), at=timezone.now()
    )
    return render(request, "residents/residents.html", {"page": page, "words": words})


@requires(Verb.READ_RESIDENTS)
def register(request: StaffRequest) -> HttpResponse:
    form = NewResidentForm(request.POST or None)
    if form.is_valid():
        resident = actions.register(by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "登録しました。")
        return redirect("residents:detail", resident.pk)
    return render(request, "residents/register.html", {"form": form})


@require_safe
@requires(Verb.READ_RESIDENTS)
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    return _detail(request, access.resident_to_change(request.user, pk))


def _detail(
    request: StaffRequest,
    resident: Resident,
    *,
    revealed: ShownContact | None = None,
    reveal_form: ReasonForm | None = None,
    restriction_form: ReasonForm | None = None,
    accommodation_form: AccommodationForm | None = None,
) -> HttpResponse:
    """Show the record, which is a reading; a revealed contact is in the trail as such."""
    if revealed is None:
        access.note_reading(request.user, resident, at=timezone.now())
    return render(
        request,
        "residents/detail.html",
        {
            "resident": resident,
            "contact": revealed or resident.contact,
            "may_reveal": request.user.may(Verb.REVEAL_ADDRESS),
            "reveal_form": reveal_form or ReasonForm(auto_id="reveal_%s"),
            "restriction_form": restriction_form or ReasonForm(auto_id="restriction_%s"),
            "accommodation_form": accommodation_form or AccommodationForm(auto_id="help_%s"),
        },
    )


@require_POST
@requires(Verb.REVEAL_ADDRESS)
def reveal(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the contact in this one answer; opened again, the page is masked again."""
    resident = access.resident_to_change(request.user, pk)
    form = ReasonForm(request.POST, auto_id="reveal_%s")
    if not form.is_valid():
        return _detail(request, resident, reveal_form=form)
    contact = actions.reveal(
        resident=resident,
        reason=form.cleaned_data["reason"],
        by=request.user,
        at=timezone.now(),
    )
    return _detail(request, resident, revealed=contact, reveal_form=form)


@requires(Verb.READ_RESIDENTS)
def update(request: StaffRequest, pk: int) -> HttpResponse:
    resident = access.resident_to_change(request.user, pk)
    form = EditResidentForm(request.POST or None, resident=resident)
    if form.is_valid():
        actions.update(resident=resident, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "保存しました。")
        return redirect("residents:detail", pk)
    access.note_reading(request.user, resident, at=timezone.now())
    return render(request, "residents/update.html", {"form": form, "resident": resident})


@require_POST
@requires(Verb.READ_RESIDENTS)
def restrict(request: StaffRequest, pk: int) -> HttpResponse:
    """Hiding is open to everyone who reads: it must never wait for the right person."""
    return _set_restriction(request, pk, hide=True)


@require_POST
@requires(Verb.REVEAL_ADDRESS)
def lift_restriction(request: StaffRequest, pk: int) -> HttpResponse:
    return _set_restriction(request, pk, hide=False)


def _set_restriction(request: StaffRequest, pk: int, *, hide: bool) -> HttpResponse:
    resident = access.resident_to_change(request.user, pk)
    form = ReasonForm(request.POST, auto_id="restriction_%s")
    if not form.is_valid():
        return _detail(request, resident, restriction_form=form)
    act = actions.restrict if hide else actions.lift_restriction
    act(resident=resident, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
    messages.success(request, "住所秘匿にしました。" if hide else "住所秘匿を解きました。")
    return redirect("residents:detail", pk)


@require_POST
@requires(Verb.READ_RESIDENTS)
def add_accommodation(request: StaffRequest, pk: int) -> HttpResponse:
    resident = access.resident_to_change(request.user, pk)
    form = AccommodationForm(request.POST, auto_id="help_%s")
    if not form.is_valid():
        return _detail(request, resident, accommodation_form=form)
    actions.add_accommodation(
        resident=resident, by=request.user, at=timezone.now(), **form.cleaned_data
    )
    messages.success(request, "配慮事項を加えました。")
    return redirect("residents:detail", pk)


@require_POST
@requires(Verb.READ_RESIDENTS)
def remove_accommodation(request: StaffRequest, pk: int, accommodation: int) -> HttpResponse:
    actions.remove_accommodation(
        accommodation=access.accommodation_to_remove(request.user, pk, accommodation),
        by=request.user,
        at=timezone.now(),
    )
    messages.success(request, "配慮事項を除きました。")
    return redirect("residents:detail", pk)


@require_safe
@requires(Verb.READ_AUDIT)
def access_report(request: StaffRequest, pk: int) -> HttpResponse:
    """Tell a citizen who has read or changed his record: a sheet to hand over (個人情報保護)."""
    resident = access.resident_to_change(request.user, pk)
    events = list(search(person=pk))
    audit.record(
        verb="audit.report",
        target=resident,
        person=pk,
        actor=request.user.username,
        at=timezone.now(),
    )
    people = User.objects.select_related("division").in_bulk(
        {event.actor for event in events}, field_name="username"
    )
    lines = []
    for event in events:
        person = people.get(event.actor)
        lines.append(
            {
                "at": event.at,
                "division": person.division if person else "",
                "role": ROLE_LABELS[Role(person.role)] if person else "",
                "verb": VERB_LABELS.get(event.verb, event.verb),
                "key": event.target_key,
                "reason": event.reason,
            }
        )
    return render(
        request,
        "residents/access_report.html",
        {"resident": resident, "lines": lines, "made_at": timezone.now()},
    )
