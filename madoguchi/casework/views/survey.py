from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from madoguchi.casework import access, actions, rules
from madoguchi.casework.forms import SurveyCodeForm, SurveyForm
from madoguchi.foundation import limits


@never_cache
@require_http_methods(["GET", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the resident how it was: no account, no script, and nothing about the case shown."""
    now = timezone.now()
    closure = access.survey_by_token(token)
    is_from_paper = request.GET.get("from") == "paper"
    form = SurveyForm(request.POST if request.method == "POST" else None)
    try:
        access.check_survey_open(closure, at=now)
        if form.is_valid():
            actions.answer_survey(
                closure=closure,
                scores=form.scores(),
                comment=form.cleaned_data["comment"],
                is_from_paper=is_from_paper,
                at=now,
            )
            return redirect("casework:survey_thanks")
    except rules.SurveyClosed as reason:
        return render(request, "casework/survey_closed.html", {"reason": str(reason)})
    return render(request, "casework/survey.html", {"form": form})


@require_http_methods(["GET", "POST"])
def survey_code(request: HttpRequest) -> HttpResponse:
    """Take the number from the printed card."""
    form = SurveyCodeForm(request.POST or None)
    if form.is_valid():
        try:
            limits.spend(access.SURVEY_CODE, request, at=timezone.now())
        except limits.TooMany as refused:
            form.add_error(None, refused.words)
            answer = render(request, "casework/survey_code.html", {"form": form}, status=429)
            answer["Retry-After"] = str(refused.wait)
            return answer
        closure = access.survey_by_code(form.cleaned_data["code"])
        if closure is not None:
            response = redirect("casework:survey", closure.survey_token)
            response["Location"] += "?from=paper"
            return response
        form.add_error("code", "この番号のアンケートは見つかりません。もう一度確かめてください。")
    return render(request, "casework/survey_code.html", {"form": form})


@require_GET
def survey_thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "casework/survey_thanks.html")
