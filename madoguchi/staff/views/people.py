"""Who works here: for the system administrator."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import access, actions
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.forms import NewPersonForm, PersonForm
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


@require_safe
@requires(Verb.EDIT_STAFF)
def people(request: StaffRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    found = User.objects.select_related("division").order_by("-is_active", "division", "username")
    if words:
        found = found.filter(
            Q(username__icontains=words)
            | Q(name__contains=words)
            | Q(division__name__contains=words)
        )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "staff/people.html", {"page": page, "words": words})


@requires(Verb.EDIT_STAFF)
def add_person(request: StaffRequest) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if form.is_valid():
        person, password = actions.add_person(
            by=request.user, at=timezone.now(), **form.cleaned_data
        )
        return _first_password(request, person, password)
    return render(request, "staff/add_person.html", {"form": form})


@requires(Verb.EDIT_STAFF)
def edit_person(request: StaffRequest, pk: int) -> HttpResponse:
    person = access.person_to_manage(pk)
    fields = ("name", "kana", "email", "role", "division", "is_contractor")
    form = PersonForm(
        request.POST or None, initial={field: getattr(person, field) for field in fields}
    )
    if form.is_valid():
        try:
            actions.update_person(
                user=person, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except RuleBroken as reason:
            form.add_error("role", str(reason))
        else:
            messages.success(request, "保存しました。")
            return redirect("staff:people")
    return render(request, "staff/edit_person.html", {"form": form, "person": person})


@require_POST
@requires(Verb.EDIT_STAFF)
def deactivate(request: StaffRequest, pk: int) -> HttpResponse:
    person = access.person_to_manage(pk)
    return _do(
        request, person, actions.deactivate, "利用を止めました。開いている画面も終わります。"
    )


@require_POST
@requires(Verb.EDIT_STAFF)
def reset_second_factor(request: StaffRequest, pk: int) -> HttpResponse:
    person = access.person_to_manage(pk)
    return _do(
        request,
        person,
        actions.reset_second_factor,
        "二段階認証を解除しました。次のログインで、新しく設定します。",
    )


def _do(request: StaffRequest, person: User, action: Any, done: str) -> HttpResponse:
    try:
        action(user=person, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, done)
    return redirect("staff:edit_person", person.pk)


@require_POST
@requires(Verb.EDIT_STAFF)
def reactivate(request: StaffRequest, pk: int) -> HttpResponse:
    person = access.person_to_manage(pk)
    person, password = actions.reactivate(user=person, by=request.user, at=timezone.now())
    return _first_password(request, person, password)


@require_POST
@requires(Verb.EDIT_STAFF)
def reset_password(request: StaffRequest, pk: int) -> HttpResponse:
    person = access.person_to_manage(pk)
    person, password = actions.reset_password(user=person, by=request.user, at=timezone.now())
    return _first_password(request, person, password)


def _first_password(request: StaffRequest, person: User, password: str) -> HttpResponse:
    return render(request, "staff/first_password.html", {"person": person, "password": password})
