from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import segno
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.casework import access, actions, queries, rules
from madoguchi.casework.forms import (
    AskDivisionForm,
    CaseFilterForm,
    CloseForm,
    CorrectContactForm,
    FaqDraftForm,
    InvolveForm,
    PersonForm,
    ReasonForm,
    ReceiveForm,
    RecordForm,
    RestrictForm,
)
from madoguchi.casework.models import Case, CaseQuerySet
from madoguchi.foundation.dates import wareki_short
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.reception import access as reception
from madoguchi.residents.models import Resident
from madoguchi.rota import access as rota
from madoguchi.staff import actions as staff
from madoguchi.staff import queries as staff_queries
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

PER_PAGE = 50
FORM_PAGE = "casework/form.html"
LIST_COLUMNS = (
    Column("受付番号", width=12),
    Column("受付日時", width=18),
    Column("種別", width=12),
    Column("経路", width=14),
    Column("分野", width=24),
    Column("件名", width=40),
    Column("相談者", width=16),
    Column("担当課", width=18),
    Column("状態", width=16),
    Column("対応期限", width=14),
    Column("終了日時", width=18),
)
SEALS = ("課長", "係長", "担当", "受付")


@require_GET
@requires(Verb.READ_CASES)
def cases(request: StaffRequest) -> HttpResponse:
    """Show the cases the user may know of, narrowed by what the address says."""
    form, wanted = _wanted(request)
    page = access.cases_page(request.user, wanted, page=request.GET.get("page"), size=PER_PAGE)
    now = timezone.now()
    if page.object_list:
        access.note_list("case.list", request.user, (case.pk for case in page), at=now)
    context = {
        "form": form,
        "page": page,
        "today": timezone.localdate(now),
        "is_narrowed": any(value for name, value in request.GET.items() if name != "page"),
        "excel": _same_list(request, "casework:cases_excel"),
    }
    return render(request, "casework/cases.html", context)


@require_GET
@requires(Verb.READ_CASES)
def cases_excel(request: StaffRequest) -> HttpResponse:
    """Give the same list as an Excel file, all of it; what is in the file is in the trail."""
    _, wanted = _wanted(request)
    found = access.cases_found(request.user, wanted)
    now = timezone.now()
    listed: list[int] = []
    try:
        answer = xlsx_response(
            filename=f"案件一覧_{wareki_short(timezone.localdate(now))}.xlsx",
            columns=LIST_COLUMNS,
            rows=_list_rows(found, listed),
        )
    except RuleBroken as reason:
        messages.error(request, str(reason))
        return redirect(_same_list(request, "casework:cases"))
    access.note_list("case.excel", request.user, listed, at=now)
    return answer


def _list_rows(found: CaseQuerySet, listed: list[int]) -> Iterator[tuple[Any, ...]]:
    """Read the cases from the database in parts, and note in `listed` which they were."""
    cases = found.select_related("resident", "category", "owner")
    for case in cases.iterator(chunk_size=1_000):
        listed.append(case.pk)
        yield (
            case.number,
            case.received_at,
            case.get_kind_display(),
            case.get_channel_display(),
            case.category.name,
            case.title,
            case.resident.display_name if case.resident else "匿名",
            case.owner.name,
            case.get_status_display(),
            case.due_on,
            case.closed_at,
        )


def _wanted(request: StaffRequest) -> tuple[CaseFilterForm, dict[str, Any]]:
    given = request.GET.copy()
    if "status" not in given:
        given["status"] = "" if given.get("q") or given.get("result") else "open"
    form = CaseFilterForm(given)
    wanted = form.cleaned_data if form.is_valid() else {"status": "open"}
    if wanted.get("mine"):
        wanted = wanted | {"mine": request.user}
    return form, wanted


def _same_list(request: StaffRequest, name: str) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    return f"{reverse(name)}?{query.urlencode()}"


@require_GET
@requires(Verb.READ_CASES)
def case(request: StaffRequest, number: str) -> HttpResponse:
    """Show one case: what it is about, who it concerns, everything that happened, what is next."""
    now = timezone.now()
    found = access.case_to_read(request.user, number, at=now)
    context = _case_context(request, found)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "casework/_case_body.html", context)
    return render(request, "casework/case.html", context)


def _case_context(request: StaffRequest, found: Case) -> dict[str, Any]:
    handovers = queries.handovers_of(found)
    is_in_charge = access.is_in_charge(request.user, found)
    return {
        "case": found,
        "today": timezone.localdate(),
        "handovers": handovers,
        "owing": [handover for handover in handovers if handover.is_outstanding],
        "answerable": {row.pk for row in handovers if access.may_answer(request.user, row)},
        "timeline": queries.timeline(found, handovers),
        "meeting": found.meetings.filter(ended_at=None).first(),
        "closure": queries.closure_in_force(found) if found.is_closed else None,
        "faqs": queries.faqs_from(found) if found.is_closed else [],
        "worries": sorted(found.worries.all(), key=lambda worry: not worry.is_worst),
        "helps": queries.accommodations_of(found),
        "minutes": queries.minutes_spent(found),
        "away": rota.absences_to_read(
            request.user, on=timezone.localdate(), people=queries.people_of(found, handovers)
        ),
        "may_write": is_in_charge and not found.is_closed,
        "may_ask": is_in_charge and not found.is_closed and request.user.may(Verb.ASK_DIVISIONS),
        "may_close": is_in_charge and not found.is_closed and request.user.may(Verb.CLOSE_CASES),
        "may_reopen": is_in_charge and found.is_closed and request.user.may(Verb.CLOSE_CASES),
        "may_draft_faq": is_in_charge and found.is_closed and request.user.may(Verb.WRITE_FAQ),
        "involved": _involved(found) if found.is_sensitive else [],
    }


def _involved(found: Case) -> list[User]:
    return [row.user for row in found.involvements.select_related("user").order_by("since_at")]


@require_http_methods(["GET", "POST"])
@requires(Verb.RECEIVE_CASES)
def receive(request: StaffRequest) -> HttpResponse:
    """Open a case from a telephone call or any other channel; the person is found or entered."""
    now, draft = timezone.now(), "case.new"
    may_ask = request.user.may(Verb.ASK_DIVISIONS)
    start = {"channel": rules.Channel.PHONE.value, "kind": rules.Kind.CONSULTATION.value}
    if request.method == "GET":
        saved = staff_queries.draft_fields(user=request.user, form=draft)
        form = ReceiveForm(initial=start | saved, may_ask=may_ask)
        context = {"form": form, "draft": draft, "restored": saved}
        context |= {"since": _began(saved, now), "now": now}
        return render(request, "casework/receive.html", context)

    person = PersonForm(request.POST)
    person.is_valid()
    candidates = access.candidates(request.user, person.wanted(), at=now)
    context = {"draft": draft, "candidates": candidates}
    context |= {"since": _began(request.POST.dict(), now), "now": now}
    if request.POST.get("do") == "find":
        form = ReceiveForm(initial=request.POST.dict(), may_ask=may_ask)
        return render(
            request, "casework/receive.html", context | {"form": form, "has_looked": True}
        )

    form = ReceiveForm(request.POST, may_ask=may_ask)
    if form.is_valid() and candidates and not form.is_decided(candidates):
        form.ask_which()
    if form.is_valid() and (found := _received(request, form, candidates, draft, at=now)):
        return redirect("casework:case", found.number)
    return render(request, "casework/receive.html", context | {"form": form})


def _began(fields: Mapping[str, Any], now: datetime) -> datetime:
    """Return since when somebody writes, as the form itself said; now, if it does not say."""
    try:
        since = parse_datetime(str(fields.get("since", "")))
    except ValueError:
        since = None
    is_of_today = since and timezone.is_aware(since) and now - timedelta(hours=12) <= since <= now
    return since if since and is_of_today else now


def _received(
    request: StaffRequest,
    form: ReceiveForm,
    candidates: list[Resident],
    draft: str,
    *,
    at: datetime,
) -> Case | None:
    """Open the case, with what was done already, and pass it on if a division is named."""
    cleaned = form.cleaned_data
    to = cleaned.get("to")
    try:
        with transaction.atomic():
            found = actions.receive_person(
                person=form.chosen(candidates),
                newcomer=form.wanted() if form.is_named() else None,
                kind=cleaned["kind"],
                channel=cleaned["channel"],
                category=cleaned["category"],
                title=cleaned["title"],
                summary=cleaned["summary"],
                owner=request.user.division,
                by=request.user,
                at=at,
                key=cleaned["key"],
            )
            if cleaned["text"]:
                actions.write_contact(
                    case=found,
                    channel=cleaned["channel"],
                    text=cleaned["text"],
                    minutes=cleaned["minutes"] or 0,
                    by=request.user,
                    at=at,
                    key=cleaned["key"],
                )
            if to is not None:
                actions.ask_division(
                    case=found,
                    kind=rules.HandoverKind.TAKE.value,
                    to=to,
                    note=queries.note_for_division(found),
                    due_on=queries.record_due_on(timezone.localdate(at)),
                    room=None,
                    by=request.user,
                    at=at,
                    key=cleaned["key"],
                )
            staff.discard_draft(user=request.user, form=draft)
    except RuleBroken as reason:
        form.add_error("to" if to else None, str(reason))
        return None
    passed_on = f"{to.name}に引き継ぎました。" if to else ""
    messages.success(request, f"{found.number}として受理しました。{passed_on}")
    return found


@require_POST
@requires(Verb.RECEIVE_CASES)
def open_from_visit(request: StaffRequest, visit_id: int) -> HttpResponse:
    """Begin the record of somebody who is at the counter now."""
    visit = reception.visit_to_move(request.user, visit_id)
    found = actions.open_from_visit(visit=visit, by=request.user, at=timezone.now())
    return redirect("casework:write_record", found.number)


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def write_record(request: StaffRequest, number: str) -> HttpResponse:
    """相談記録票: write while talking. A text saved in between by somebody else is shown."""
    now, draft = timezone.now(), f"case.{number}.record"
    found = access.case_to_change(request.user, number)
    if request.method == "GET":
        saved = staff_queries.draft_fields(user=request.user, form=draft)
        form = RecordForm(initial=_initial(RecordForm.initial_of(found), saved), case=found)
        return _record_page(request, found, form, draft=draft, restored=saved)

    form = RecordForm(request.POST, case=found)
    if form.is_valid():
        try:
            with transaction.atomic():
                actions.write_record(case=found, by=request.user, at=now, **form.cleaned_data)
                staff.discard_draft(user=request.user, form=draft)
        except rules.EditConflict as conflict:
            form.add_error(None, str(conflict))
            found.refresh_from_db()
            form.data = _with(request.POST, version=str(found.version))
            differences = _differences(found, form.cleaned_data)
            return _record_page(
                request, found, form, draft=draft, saved_by_other=found, differences=differences
            )
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "保存しました。")
            stays = request.POST.get("do") == "stay"
            return redirect("casework:write_record" if stays else "casework:case", number)
    return _record_page(request, found, form, draft=draft)


def _differences(saved: Case, mine: dict[str, Any]) -> dict[str, list[tuple[rules.Side, str]]]:
    """Return what would be lost and what would come, per field in which the two sheets differ."""
    saved_worries = dict(saved.worries.values_list("code", "is_worst"))
    texts = {
        "件名": (saved.title, mine["title"]),
        "種別": (saved.get_kind_display(), rules.KIND_LABELS[rules.Kind(mine["kind"])]),
        "分野": (str(saved.category), str(mine["category"])),
        "困りごと": (rules.worries_as_text(saved_worries), rules.worries_as_text(mine["worries"])),
        "相談内容": (saved.summary, mine["summary"]),
    }
    return {
        label: rules.compare(theirs, ours)
        for label, (theirs, ours) in texts.items()
        if theirs != ours
    }


def _record_page(
    request: StaffRequest, found: Case, form: RecordForm, **more: Any
) -> HttpResponse:
    context = {
        "case": found,
        "form": form,
        "helps": queries.accommodations_of(found),
        "contacts": queries.contacts_in_force(found),
        "now": timezone.localtime(),
        "since": timezone.localtime(_talk_began(found)),
    }
    return _show(request, found, "casework/write_record.html", context | more)


def _show(
    request: StaffRequest, found: Case, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Draw a page with the case on it, which is a reading: opened, or sent back with an error."""
    access.note_reading(request.user, found, at=timezone.now())
    return render(request, template, context)


def _talk_began(found: Case) -> Any:
    """The minutes count from the call to the counter, or from opening this sheet."""
    visit = found.visit
    if visit is not None and visit.started_at and not visit.finished_at:
        return visit.started_at
    return timezone.now()


def _initial(initial: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    if saved:
        worries = saved.get("worries", [])
        saved = saved | {"worries": [worries] if isinstance(worries, str) else worries}
    return initial | saved


def _with(data: QueryDict, **values: str) -> QueryDict:
    changed = data.copy()
    for name, value in values.items():
        changed[name] = value
    return changed


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def correct_contact(request: StaffRequest, number: str, contact_id: int) -> HttpResponse:
    """Correct what was written about one exchange; the first text stays beside it."""
    now = timezone.now()
    found = access.case_to_change(request.user, number)
    contact = access.contact_to_correct(found, contact_id)
    form = CorrectContactForm(
        request.POST or None, initial={"text": contact.text, "minutes": contact.minutes}
    )
    if form.is_valid():
        try:
            actions.correct_contact(contact=contact, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "訂正しました。元の記録も残っています。")
            return redirect("casework:case", number)
    return _form_page(request, found, form, title="応対の記録を訂正", button="訂正する")


def _form_page(
    request: StaffRequest,
    found: Case,
    form: Any,
    *,
    title: str,
    button: str,
    lead: str = "",
    draft: str = "",
) -> HttpResponse:
    context = {
        "case": found,
        "form": form,
        "title": title,
        "button": button,
        "lead": lead,
        "draft": draft,
        "back": reverse("casework:case", args=[found.number]),
    }
    return _show(request, found, FORM_PAGE, context)


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def identify(request: StaffRequest, number: str) -> HttpResponse:
    """Say whose case it is: found in the register, entered into it, or left anonymous."""
    now = timezone.now()
    found = access.case_to_change(request.user, number)
    form = PersonForm(request.POST or None, initial=queries.name_in_booking(found))
    context: dict[str, Any] = {"case": found, "form": form}
    if not form.is_bound:
        return _show(request, found, "casework/identify.html", context)

    form.is_valid()
    context["candidates"] = access.candidates(request.user, form.wanted(), at=now)
    context["has_looked"] = True
    if request.POST.get("do") == "find" or not form.is_valid():
        return _show(request, found, "casework/identify.html", context)
    if context["candidates"] and not form.is_decided(context["candidates"]):
        form.ask_which()
        return _show(request, found, "casework/identify.html", context)
    try:
        actions.identify_person(
            case=found,
            person=form.chosen(context["candidates"]),
            newcomer=form.wanted() if form.is_named() else None,
            by=request.user,
            at=now,
        )
    except RuleBroken as reason:
        form.add_error(None, str(reason))
        return _show(request, found, "casework/identify.html", context)
    messages.success(request, "相談者を記録しました。")
    return redirect("casework:case", number)


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def restrict(request: StaffRequest, number: str) -> HttpResponse:
    """Restrict the case to the people who work on it, or open it again."""
    now = timezone.now()
    found = access.case_to_change(request.user, number)
    form = RestrictForm(request.POST or None, initial={"is_sensitive": found.is_sensitive})
    if form.is_valid():
        actions.restrict(case=found, by=request.user, at=now, **form.cleaned_data)
        messages.success(request, "見られる人の範囲を変えました。")
        return redirect("casework:case", number)
    return _form_page(request, found, form, title="見られる人の範囲", button="変更する")


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def involve(request: StaffRequest, number: str) -> HttpResponse:
    """Let one more colleague work on a restricted case."""
    now = timezone.now()
    found = access.case_to_change(request.user, number)
    form = InvolveForm(request.POST or None, case=found)
    if form.is_valid():
        actions.involve(case=found, by=request.user, at=now, **form.cleaned_data)
        messages.success(request, "職員を加えました。")
        return redirect("casework:case", number)
    return _form_page(request, found, form, title="関与職員を加える", button="加える")


@require_http_methods(["GET", "POST"])
@requires(Verb.ASK_DIVISIONS)
def ask_division(request: StaffRequest, number: str) -> HttpResponse:
    """Ask a division to come, or to take the matter on; the explanation travels with it."""
    now, draft = timezone.now(), f"case.{number}.request"
    found = access.case_to_change(request.user, number)
    initial: dict[str, Any] = {}
    if request.method == "GET":
        initial = {
            "note": queries.note_for_division(found),
            "due_on": queries.record_due_on(timezone.localdate(now)),
        } | staff_queries.draft_fields(user=request.user, form=draft)
    form = AskDivisionForm(request.POST or None, initial=initial, case=found)
    if form.is_valid():
        try:
            with transaction.atomic():
                handover = actions.ask_division(
                    case=found, by=request.user, at=now, **form.cleaned_data
                )
                staff.discard_draft(user=request.user, form=draft)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(
                request, f"{handover.to.name}に依頼しました。相手の画面に出ています。"
            )
            return redirect("casework:case", number)
    context = {"case": found, "form": form, "draft": draft}
    return _show(request, found, "casework/ask_division.html", context)


@require_POST
@requires(Verb.WRITE_CASES)
def end_meeting(request: StaffRequest, number: str, meeting_id: int) -> HttpResponse:
    found = access.case_to_change(request.user, number)
    meeting = access.meeting_to_end(found, meeting_id)
    try:
        actions.end_meeting(meeting=meeting, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "同席を終わりました。")
    return redirect("casework:case", number)


@require_http_methods(["GET", "POST"])
@requires(Verb.CLOSE_CASES)
def close(request: StaffRequest, number: str) -> HttpResponse:
    """End the case; then the card of the survey is at hand."""
    now, draft = timezone.now(), f"case.{number}.closing"
    if request.method == "POST" and access.was_just_closed(
        request.user, number, key=request.POST.get("key", "")
    ):
        return redirect("casework:survey_card", number)
    found = access.case_to_change(request.user, number)
    owing = [row for row in queries.handovers_of(found) if row.is_outstanding]
    saved = {}
    if request.method == "GET":
        saved = staff_queries.draft_fields(user=request.user, form=draft)
    form = CloseForm(request.POST or None, initial=saved, owing=[row.to.name for row in owing])
    if form.is_valid():
        try:
            with transaction.atomic():
                actions.close(case=found, by=request.user, at=now, **form.cleaned_data)
                staff.discard_draft(user=request.user, form=draft)
        except rules.RecordOutstanding as reason:
            form.add_error("without_record_reason", str(reason))
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, f"{number}を終了しました。")
            return redirect("casework:survey_card", number)
    context = {"case": found, "form": form, "draft": draft, "owing": owing}
    return _show(request, found, "casework/close.html", context)


@require_http_methods(["GET", "POST"])
@requires(Verb.CLOSE_CASES)
def reopen(request: StaffRequest, number: str) -> HttpResponse:
    """Take a closed case up again, and say why."""
    now = timezone.now()
    found = access.case_after_closing(request.user, number)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            actions.reopen(case=found, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "再開しました。")
            return redirect("casework:case", number)
    return _form_page(
        request,
        found,
        form,
        title="案件の再開",
        button="再開する",
        lead="終了したときの結論と理由は、経過に残ります。",
    )


@require_GET
@requires(Verb.CLOSE_CASES)
def survey_card(request: StaffRequest, number: str) -> HttpResponse:
    """Show and print the card with the survey's QR code and number, to be handed over."""
    found = access.case_after_closing(request.user, number)
    closure = queries.closure_in_force(found)
    assert closure is not None  # noqa: S101 a closed case has one, by constraint
    link = request.build_absolute_uri(reverse("casework:survey", args=[closure.survey_token]))
    context = {
        "case": found,
        "closure": closure,
        "link": link,
        "entry": request.build_absolute_uri(reverse("casework:survey_code")),
        "qr": mark_safe(segno.make(link, error="m").svg_inline(scale=4)),  # noqa: S308 ours
        "code": rules.show_survey_code(closure.survey_code),
        "open_until": timezone.localdate(closure.closed_at + rules.SURVEY_OPEN_FOR),
    }
    is_print = "print" in request.GET
    page = "casework/survey_card_sheet.html" if is_print else "casework/survey_card.html"
    return _show(request, found, page, context)


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_FAQ)
def draft_faq(request: StaffRequest, number: str) -> HttpResponse:
    """Make a FAQ draft of a closed case; a person decides about everything that looks personal."""
    now = timezone.now()
    found = access.case_after_closing(request.user, number)
    form = FaqDraftForm(
        request.POST or None,
        initial=queries.faq_texts(found),
        known=queries.words_to_mask(found),
        hides_all=queries.is_restricted(found),
    )
    if form.is_valid():
        try:
            faq = actions.draft_faq(case=found, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(
                request, "FAQの下書きを作りました。承認を頼むと、ほかの職員が確かめて公開します。"
            )
            return redirect("knowledge:detail", faq.key)
    return _show(request, found, "casework/draft_faq.html", {"case": found, "form": form})


@require_GET
@requires(Verb.READ_CASES)
def sheet(request: StaffRequest, number: str) -> HttpResponse:
    """相談記録票 on A4, with the boxes for the seals."""
    now = timezone.now()
    found = access.case_to_read(request.user, number, at=now)
    handovers = queries.handovers_of(found)
    context = {
        "case": found,
        "timeline": queries.timeline(found, handovers),
        "closure": queries.closure_in_force(found),
        "helps": queries.accommodations_of(found),
        "worries": sorted(found.worries.all(), key=lambda worry: not worry.is_worst),
        "minutes": queries.minutes_spent(found),
        "seals": SEALS,
        "confidentiality": 3,
        "printed_at": now,
    }
    return render(request, "casework/sheet.html", context)
