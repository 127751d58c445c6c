"""In and out: password, second factor, new password."""

from datetime import datetime
from secrets import token_urlsafe
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login
from django_otp import user_has_device
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from madoguchi.foundation import limits
from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import actions, rules
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.forms import CodeForm, LogInForm, PasswordForm
from madoguchi.staff.hashers import TooManyAtOnce
from madoguchi.staff.middleware import second_factor_required
from madoguchi.staff.models import User

DEVICE_COOKIE = "madoguchi_device"
ENDED = {
    "idle": "30分間操作がなかったため、ログアウトしました。"
    "もう一度ログインすると、続きの画面に戻ります。入力中の内容は下書きに残っています。",
    "absolute": "ログインから12時間たったため、ログアウトしました。"
    "もう一度ログインすると、続きの画面に戻ります。入力中の内容は下書きに残っています。",
    "moved": "人事異動の日になったため、元の部署の権限は終わりました。"
    "数分後に、もう一度ログインしてください。",
}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    form = LogInForm(request.POST or None)
    status = 200
    if form.is_valid():
        username = form.cleaned_data["username"]
        place, is_known = _place(request, username)
        try:
            user = actions.check_password(
                username=username,
                password=form.cleaned_data["password"],
                place=place,
                is_known_device=is_known,
                at=timezone.now(),
            )
        except actions.MustWait as reason:
            form.add_error(None, str(reason))
            status = 429
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        except TooManyAtOnce:
            form.add_error(
                None, "今、ログインが混み合っています。少し待ってから、もう一度お試しください。"
            )
            status = 503
        else:
            return _after_password(request, user)
    ended = ENDED.get(request.GET.get("ended", ""), "")
    return render(request, "staff/log_in.html", {"form": form, "ended": ended}, status=status)


def _after_password(request: HttpRequest, user: User) -> HttpResponse:
    if not second_factor_required():
        return _let_in(request, user, None, _next(request))
    request.session.flush()  # what an earlier visitor of this browser left
    request.session["pending"] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "until": (timezone.now() + rules.PENDING).isoformat(),
        "next": _next(request),
    }
    return redirect("staff:second_factor")


def _pending(request: HttpRequest) -> User | None:
    """Return who has shown the password and not yet the second factor."""
    pending: dict[str, Any] = request.session.get("pending", {})
    if not pending or timezone.now() > datetime.fromisoformat(pending["until"]):
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    return user if user and user.get_session_auth_hash() == pending["hash"] else None


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    user = _pending(request)
    if user is None:
        return redirect("staff:log_in")
    if not user_has_device(user):
        return redirect("staff:enrol")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device = actions.check_code(
                user=user, code=form.cleaned_data["code"], at=timezone.now()
            )
        except RuleBroken as reason:
            form.add_error("code", str(reason))
        else:
            return _let_in(request, user, device, request.session["pending"]["next"])
    return render(request, "staff/second_factor.html", {"form": form})


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Set up the authenticator on the first log in; the recovery codes are shown once."""
    user = _pending(request)
    if user is None:
        return redirect("staff:log_in")
    if user_has_device(user):
        return redirect("staff:second_factor")
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = "認証アプリに表示された6けたの数字を入力してください。"
    if form.is_valid():
        try:
            device, codes = actions.enrol(
                user=user, code=form.cleaned_data["code"], at=timezone.now()
            )
        except RuleBroken as reason:
            form.add_error("code", str(reason))
        else:
            onwards = _let_in(request, user, device, request.session["pending"]["next"])
            page = render(
                request,
                "staff/recovery_codes.html",
                {"codes": codes, "next": onwards["Location"]},
            )
            page.cookies = onwards.cookies
            return page
    device = actions.enrolment(user=user)
    return render(
        request,
        "staff/enrol.html",
        {"form": form, "qr": _qr(device), "secret": _readable_secret(device)},
    )


def _qr(device: TOTPDevice) -> str:
    code = segno.make(device.config_url, error="m")
    # The library's own markup: a path of squares, no text of ours in it, no style attributes.
    return mark_safe(  # noqa: S308
        code.svg_inline(scale=5, border=4, light="#fff", svgclass="qr", lineclass=None)
    )


def _readable_secret(device: TOTPDevice) -> str:
    secret = device.config_url.split("secret=")[1].split("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _let_in(request: HttpRequest, user: User, device: Device | None, onwards: str) -> HttpResponse:
    request.session.pop("pending", None)
    login(request, user)  # a new session id
    if device is not None:
        otp_login(request, device)
    now = timezone.now()
    request.session["began_at"] = request.session["seen_at"] = now.isoformat()
    actions.log_in(user=user, at=now)
    response = redirect(onwards or resolve_url(settings.LOGIN_REDIRECT_URL))
    known = _known_devices(request)
    known.setdefault(user.username, token_urlsafe(12))
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(dict(list(known.items())[-5:]), salt=DEVICE_COOKIE),
        max_age=rules.KNOWN_DEVICE,
        path=resolve_url("staff:log_in"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _known_devices(request: HttpRequest) -> dict[str, str]:
    try:
        known: dict[str, str] = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=DEVICE_COOKIE, max_age=rules.KNOWN_DEVICE
        )
    except signing.BadSignature:
        return {}
    return known


def _place(request: HttpRequest, username: str) -> tuple[str, bool]:
    """Return from where somebody tries: the known device, or the visitor's address."""
    device = _known_devices(request).get(username)
    return (device, True) if device else (limits.visitor(request), False)


def _next(request: HttpRequest) -> str:
    address = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else ""


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        actions.log_out(user=request.user, at=timezone.now())
    logout(request)
    response = redirect("staff:log_in")
    # Not "cookies": the known device would become a stranger.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@sensitive_post_parameters("old", "new", "again")
@requires(also_with_first_password=True)
def change_password(request: StaffRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if form.is_valid():
        if not request.user.check_password(form.cleaned_data["old"]):
            form.add_error("old", "今のパスワードが違います。")
        else:
            try:
                user = actions.change_password(
                    user=request.user,
                    new=form.cleaned_data["new"],
                    by=request.user,
                    at=timezone.now(),
                )
            except RuleBroken as reason:
                form.add_error("new", str(reason))
            else:
                update_session_auth_hash(request, user)  # this session goes on, others end
                messages.success(request, "パスワードを変更しました。")
                return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "staff/change_password.html", {"form": form})
