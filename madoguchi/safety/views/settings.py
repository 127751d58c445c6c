"""What the city decides: its minutes, its words, its standard, and who manages the building."""

from dataclasses import asdict

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.safety import access, actions, queries
from madoguchi.safety.forms import DelegationForm, LimitForm, StandardForm, WordsForm
from madoguchi.safety.models import Delegation
from madoguchi.safety.rules import judgement, response
from madoguchi.safety.rules.response import Stage, Way
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

WAY_LABELS = {Way.WINDOW: "窓口・現場", Way.PHONE: "電話"}


@require_safe
@requires(Verb.EDIT_SAFETY)
def settings(request: StaffRequest) -> HttpResponse:
    standard = queries.standard_now()
    context = {
        "limits": [
            (way.value, label, queries.limits_of(way)) for way, label in WAY_LABELS.items()
        ],
        "words": [
            (stage.value, label, queries.words_of(stage))
            for stage, label in response.STAGE_LABELS.items()
        ],
        "delegations": Delegation.objects.filter(ended_at=None).select_related("user__division"),
        "form": DelegationForm(),
        "standard": standard,
        "definition": queries.definition_of(standard),
        "lines": [
            (judgement.RESULT_LABELS[line.result], line) for line in queries.lines_of(standard)
        ],
    }
    return render(request, "safety/settings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.EDIT_SAFETY)
def set_limits(request: StaffRequest, way: str) -> HttpResponse:
    wanted = next((each for each in Way if each == way), None)
    if wanted is None:
        raise Http404
    form = LimitForm(request.POST or None, initial=asdict(queries.limits_of(wanted)))
    if request.method == "POST" and form.is_valid():
        actions.set_limits(
            way=wanted, fields=form.cleaned_data, by=request.user, at=timezone.now()
        )
        messages.success(request, "時間の目安を変えました。続いている事案にも使われます。")
        return redirect("safety:settings")
    title = f"時間の目安（{WAY_LABELS[wanted]}）"
    return render(
        request, "safety/form.html", {"form": form, "title": title, "button": "変更する"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.EDIT_SAFETY)
def set_words(request: StaffRequest, stage: str) -> HttpResponse:
    wanted = next((each for each in Stage if each == stage), None)
    if wanted is None:
        raise Http404
    form = WordsForm(request.POST or None, initial={"text": "\n".join(queries.words_of(wanted))})
    if request.method == "POST" and form.is_valid():
        actions.set_words(
            stage=wanted, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
        )
        messages.success(request, "言葉を変えました。")
        return redirect("safety:settings")
    title = f"次に言う言葉（{response.STAGE_LABELS[wanted]}）"
    return render(
        request, "safety/form.html", {"form": form, "title": title, "button": "変更する"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.EDIT_SAFETY)
def revise_standard(request: StaffRequest) -> HttpResponse:
    standard = queries.standard_now()
    form = StandardForm(
        request.POST or None,
        lines=queries.lines_of(standard),
        initial={"definition": queries.definition_of(standard)},
    )
    if request.method == "POST" and form.is_valid():
        actions.revise_standard(
            definition=form.cleaned_data["definition"],
            lines=form.kept(),
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, "判定基準の新しい版を作りました。これからの判定に使われます。")
        return redirect("safety:settings")
    context = {
        "form": form,
        "title": "判定基準を直す",
        "button": "新しい版にする",
        "lead": "前の版で行った判定は、前の版のまま残ります。",
    }
    return render(request, "safety/form.html", context)


@require_POST
@requires(Verb.EDIT_SAFETY)
def delegate(request: StaffRequest) -> HttpResponse:
    form = DelegationForm(request.POST)
    if form.is_valid():
        actions.delegate(by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "庁舎管理の委任を登録しました。")
    else:
        messages.error(request, "委任する人を選んでください。")
    return redirect("safety:settings")


@require_POST
@requires(Verb.EDIT_SAFETY)
def end_delegation(request: StaffRequest, pk: int) -> HttpResponse:
    delegation = access.delegation_to_change(pk)
    actions.end_delegation(delegation=delegation, by=request.user, at=timezone.now())
    messages.success(request, "庁舎管理の委任を終えました。")
    return redirect("safety:settings")
