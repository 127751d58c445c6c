"""The letters to the mayor: the list, one letter with its items, its answer, and the figures."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.audit import actions as audit
from madoguchi.foundation.dates import fiscal_year, wareki_short
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.letters import access, actions, queries
from madoguchi.letters.forms import (
    ROWS,
    AnswerForm,
    FilterForm,
    ItemFormSet,
    LetterForm,
    OutcomeForm,
)
from madoguchi.letters.models import MayorLetter
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

PER_PAGE = 50
SEALS = ("市長", "副市長", "部長", "課長", "係長", "担当")


@require_safe
@requires(Verb.HANDLE_LETTERS)
def letters(request: StaffRequest) -> HttpResponse:
    form, found = _wanted(request)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    _note_list(request, "mayor_letter.list", [letter.pk for letter in page])
    context = {"form": form, "page": page, "today": timezone.localdate()}
    return render(request, "letters/letters.html", context)


def _wanted(request: StaffRequest) -> tuple[FilterForm, QuerySet[MayorLetter]]:
    given = request.GET.copy()
    if "status" not in given:
        given["status"] = "open"
    form = FilterForm(given, years=queries.years(on=timezone.localdate()))
    wanted = form.cleaned_data if form.is_valid() else {"status": "open"}
    visible = access.visible_letters(request.user).values("pk")
    return form, queries.letters_found(wanted).filter(pk__in=visible)


def _note_list(request: StaffRequest, verb: str, ids: list[int]) -> None:
    if ids:
        audit.record(
            verb=verb,
            actor=request.user.get_username(),
            at=timezone.now(),
            detail={"letters": sorted(ids)},
        )


@require_safe
@requires(Verb.HANDLE_LETTERS)
def letters_excel(request: StaffRequest) -> HttpResponse:
    """One line an item; the letter's columns are repeated, so that filters keep them together."""
    _, found = _wanted(request)
    listed: list[int] = []
    answer = xlsx_response(
        filename=f"市長への手紙_{wareki_short(timezone.localdate())}.xlsx",
        columns=(
            Column("手紙の番号", 16),
            Column("受付日", 12),
            Column("回答期限", 12),
            Column("回答日時", 18),
            Column("項目", 6),
            Column("受付番号", 12),
            Column("件名", 40),
            Column("分野", 24),
            Column("担当課", 18),
            Column("状態", 16),
            Column("結果", 28),
        ),
        rows=_excel_rows(found, listed),
    )
    _note_list(request, "mayor_letter.excel", listed)
    return answer


def _excel_rows(found: QuerySet[MayorLetter], listed: list[int]) -> Iterator[tuple[Any, ...]]:
    for letter in found:
        listed.append(letter.pk)
        for item in queries.items_of(letter):
            yield (
                letter.number,
                letter.received_on,
                letter.due_on,
                letter.answered_at,
                item.position,
                item.case.number,
                item.case.title,
                item.case.category.name,
                item.case.owner.name,
                item.case.get_status_display(),
                item.get_outcome_display(),
            )


@require_safe
@requires(Verb.HANDLE_LETTERS)
def figures(request: StaffRequest) -> HttpResponse:
    today = timezone.localdate()
    years = queries.years(on=today)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and int(asked) in years else fiscal_year(today)
    context = {"figures": queries.figures(year=year, on=today), "years": years}
    return render(request, "letters/figures.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.HANDLE_LETTERS)
def receive(request: StaffRequest) -> HttpResponse:
    form = LetterForm(request.POST or None, initial={"received_on": timezone.localdate()})
    items = ItemFormSet(request.POST or None)
    if request.method == "POST" and request.POST.get("do") == "more":
        form = LetterForm(initial=request.POST.dict())
        items = ItemFormSet(_with_more(request))
        context = {"form": form, "items": items}
        return render(request, "letters/receive.html", context)
    if request.method == "POST" and form.is_valid() and items.is_valid():
        try:
            made = actions.receive(
                items=items.said(), by=request.user, at=timezone.now(), **form.received()
            )
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, f"{made.number}を登録し、項目ごとに案件を受理しました。")
            return redirect("letters:letter", made.pk)
    return render(request, "letters/receive.html", {"form": form, "items": items})


def _with_more(request: StaffRequest) -> Any:
    sent = request.POST.copy()
    count = (
        int(sent.get("form-TOTAL_FORMS", "0") or 0)
        if sent.get("form-TOTAL_FORMS", "").isdecimal()
        else 0
    )
    sent["form-TOTAL_FORMS"] = str(count + ROWS)
    return sent


@require_safe
@requires(Verb.HANDLE_LETTERS)
def letter(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.letter_to_read(request.user, pk, at=timezone.now())
    items = queries.items_of(found)
    context = {
        "letter": found,
        "items": [(item, OutcomeForm(initial={"outcome": item.outcome})) for item in items],
        "today": timezone.localdate(),
        "is_ready": all(item.case.is_closed and item.outcome for item in items),
    }
    return render(request, "letters/letter.html", context)


@require_POST
@requires(Verb.HANDLE_LETTERS)
def set_outcome(request: StaffRequest, pk: int, position: int) -> HttpResponse:
    found = access.letter_to_change(request.user, pk)
    item = access.item_to_change(found, position)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "結果を選んでください。")
        return redirect("letters:letter", pk)
    try:
        actions.set_outcome(item=item, by=request.user, at=timezone.now(), **form.cleaned_data)
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"項目{position}の結果を保存しました。")
    return redirect("letters:letter", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.HANDLE_LETTERS)
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        found = access.letter_to_change(request.user, pk)
    else:
        found = access.letter_to_read(request.user, pk, at=now)
    items = queries.items_of(found)
    form = AnswerForm(request.POST or None, initial={"text": queries.drafted_answer(items)})
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer(letter=found, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error("text", str(reason))
        else:
            messages.success(request, "回答しました。決裁と発送には、印刷した回答文を使います。")
            return redirect("letters:letter", pk)
        access.letter_to_read(request.user, pk, at=now)
    context = {"letter": found, "items": items, "form": form}
    return render(request, "letters/answer.html", context)


@require_safe
@requires(Verb.HANDLE_LETTERS)
def sheet(request: StaffRequest, pk: int) -> HttpResponse:
    """The letter and its answer on A4, with boxes for the seals."""
    now = timezone.now()
    found = access.letter_to_read(request.user, pk, at=now)
    context = {
        "letter": found,
        "items": queries.items_of(found),
        "seals": SEALS,
        "confidentiality": "2",
        "printed_at": now,
    }
    return render(request, "letters/sheet.html", context)
