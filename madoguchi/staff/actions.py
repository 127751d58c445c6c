import json
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import get_random_string
from django_otp import devices_for_user, user_has_device
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from madoguchi.audit import actions as audit
from madoguchi.foundation import live
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Division
from madoguchi.staff import rules
from madoguchi.staff.models import ApiToken, Draft, FailedLogin, User
from madoguchi.staff.queries import digest_of
from madoguchi.staff.rules import Role, Scope

READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # without 1 l i 0 o: it is read out and typed


class MustWait(RuleBroken):
    """Too many failures; `seconds` says for how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"ログインの失敗が続きました。{seconds}秒待ってから、もう一度お試しください。"
        )
        self.seconds = seconds


class WrongPassword(RuleBroken):
    """One text for an unknown person, a wrong password and a leaver: nothing to learn from it."""


class RightsEnded(RuleBroken):
    """The day of a transfer has begun; the new place is entered within minutes."""


class WrongCode(RuleBroken):
    """The second factor does not fit, was used before, or came too soon after a failure."""


class WeakPassword(RuleBroken):
    """The new password is too short, too common, or too much like the person's name."""


class LastAdmin(RuleBroken):
    """Without an administrator nobody could let the others in again."""


class UsernameTaken(RuleBroken):
    """Somebody has or had this id; it is never given twice."""


class DraftTooLong(RuleBroken):
    """A form full of text is far below this; something else is being stored."""


def check_password(
    *, username: str, password: str, place: str, is_known_device: bool, at: datetime
) -> User:
    """
    Return the person who knows the password.

    `place` is the device from which this account has signed in before, or the address of the
    browser. Failures count before the password is looked at, so that many attempts at once
    gain nothing. A known device is not slowed by failures elsewhere.

    :raises MustWait: the account has failed too often from this place.
    :raises WrongPassword: unknown, wrong or no longer here.
    :raises RightsEnded: the old place is over, the new one is not entered yet.
    """
    limits = {_key(username, place): rules.FREE_FAILURES}
    if not is_known_device:
        limits[_key(username, "anywhere")] = rules.FREE_FAILURES_ANYWHERE
    _count_attempt(limits, at)
    user = authenticate(username=username, password=password)  # hashes for unknown names too
    if user is None:
        known = User.objects.filter(username=username).exists()
        # An unknown name may be a password typed into the wrong field: it is not kept.
        audit.record(verb="staff.fail_log_in", actor=username if known else "?", at=at)
        raise WrongPassword("職員IDまたはパスワードが違います。")
    if user.rights_ended(at=at):
        raise RightsEnded(
            "人事異動の切り替え中です。数分後に、もう一度ログインしてください。"
            "続くときは、システム管理者に連絡してください。"
        )
    FailedLogin.objects.filter(key__in=limits).delete()
    return user


@transaction.atomic
def _count_attempt(limits: dict[str, int], at: datetime) -> None:
    FailedLogin.objects.bulk_create(
        [FailedLogin(key=key, last_at=at) for key in limits], ignore_conflicts=True
    )
    rows = FailedLogin.objects.select_for_update().filter(key__in=limits).order_by("key")
    for row in rows:
        if at - row.last_at > rules.FAILURES_KEPT:
            row.failures = 0
        until = row.last_at + rules.wait_after(row.failures, free=limits[row.key])
        if at < until:
            raise MustWait(ceil((until - at).total_seconds()))
    for row in rows:
        row.failures += 1
        row.last_at = at
        row.save(update_fields=["failures", "last_at"])


def _key(username: str, place: str) -> str:
    return sha256(f"{username.casefold()}\n{place}".encode()).hexdigest()


def prune_failed_logins(*, at: datetime) -> int:
    """Forget failures that no longer count."""
    return FailedLogin.objects.filter(last_at__lt=at - rules.FAILURES_KEPT).delete()[0]


def check_code(*, user: User, code: str, at: datetime) -> Device:
    """
    Accept a code of the authenticator, or one of the recovery codes, each only once.

    :raises WrongCode: it does not fit.
    """
    device = _device_that_knows(user, _plain(code))  # committed: a failure slows the next one
    if device is None:
        audit.record(verb="staff.fail_second_factor", target=user, actor=user.username, at=at)
        raise WrongCode(
            "確認コードが違います。認証アプリに今表示されている数字を入力してください。"
        )
    if isinstance(device, StaticDevice):
        audit.record(verb="staff.use_recovery_code", target=user, actor=user.username, at=at)
    return device


def _plain(code: str) -> str:
    return "".join(unicodedata.normalize("NFKC", code).split()).replace("-", "").lower()


@transaction.atomic
def _device_that_knows(user: User, code: str) -> Device | None:
    kind = TOTPDevice if code.isdecimal() else StaticDevice
    for device in devices_for_user(user, for_verify=True):
        if isinstance(device, kind) and device.verify_token(code):
            return device
    return None


def enrolment(*, user: User) -> TOTPDevice:
    """Return the authenticator the person is about to set up; the same until confirmed."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name="認証アプリ", confirmed=False)


@transaction.atomic
def enrol(*, user: User, code: str, at: datetime) -> tuple[Device, list[str]]:
    """
    Confirm the authenticator by its first code; return it and recovery codes, shown once.

    :raises WrongCode: the code does not fit, or the person has a second factor already.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user_has_device(user):
        raise WrongCode("二段階認証は、すでに設定されています。")
    device = enrolment(user=user)
    device.throttle_reset()
    if not device.verify_token(_plain(code)):
        raise WrongCode(
            "確認コードが違います。認証アプリに今表示されている数字を入力してください。"
        )
    device.confirmed = True
    device.save()
    codes = _new_recovery_codes(user)
    audit.record(verb="staff.enrol", target=user, actor=user.username, at=at)
    return device, codes


def _new_recovery_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="予備コード")
    codes = [StaticToken.random_token() for _ in range(rules.RECOVERY_CODES)]
    device.token_set.bulk_create([StaticToken(device=device, token=code) for code in codes])
    return codes


@transaction.atomic
def log_in(*, user: User, at: datetime) -> None:
    """Note that the person is in; the view opens the session."""
    User.objects.filter(pk=user.pk).update(last_login=at)
    audit.record(verb="staff.log_in", target=user, actor=user.username, at=at)


@transaction.atomic
def log_out(*, user: User, at: datetime) -> None:
    """Note that the person has left the screen; the view ends the session."""
    audit.record(verb="staff.log_out", target=user, actor=user.username, at=at)


@transaction.atomic
def change_password(*, user: User, new: str, by: User, at: datetime) -> User:
    """
    Replace the password; every session the account has open ends.

    :raises WeakPassword: with all that is wrong with it.
    """
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    user = User.objects.select_for_update().get(pk=user.pk)
    user.set_password(new)
    user.must_change_password = by != user
    user.save(update_fields=["password", "must_change_password"])
    audit.record(verb="staff.change_password", target=user, actor=by.username, at=at)
    return user


@transaction.atomic
def add_person(
    *,
    username: str,
    name: str,
    role: Role,
    division: Division,
    kana: str = "",
    email: str = "",
    is_contractor: bool = False,
    by: User | None,
    at: datetime,
) -> tuple[User, str]:
    """Enter a member of staff; return them and the password for the first log in, shown once."""
    password = _first_password()
    user = User(
        username=username,
        name=name,
        kana=kana,
        email=email,
        role=role.value,
        division=division,
        is_contractor=is_contractor,
        must_change_password=True,
    )
    user.set_password(password)
    user.save()
    audit.record(
        verb="staff.add_person",
        target=user,
        actor=by.username if by else "setup",
        at=at,
        detail={"role": role.value, "division": division.pk},
    )
    return user, password


@transaction.atomic
def add_admin(*, username: str, name: str, division: str, at: datetime) -> tuple[User, str]:
    """
    Enter an administrator from the server's terminal, and the division if the city has none so.

    Return the administrator and the password for the first log in.

    :raises UsernameTaken: the id belongs to somebody.
    """
    if User.objects.filter(username=username).exists():
        raise UsernameTaken(f"職員ID「{username}」はすでに使われています。")
    own = Division.objects.filter(name=division).first() or offices.add(
        row=Division(name=division), by=User(username="setup"), at=at
    )
    return add_person(username=username, name=name, role=Role.ADMIN, division=own, by=None, at=at)


def _first_password() -> str:
    return "-".join(get_random_string(4, READABLE) for _ in range(4))


@transaction.atomic
def update_person(*, user: User, by: User, at: datetime, **fields: Any) -> User:
    """
    Change name, role or division. What the person may do changes with the next request.

    :raises LastAdmin: the role of the last administrator would go.
    """
    user = _locked(user)
    changed = sorted(field for field, value in fields.items() if getattr(user, field) != value)
    for field in changed:
        setattr(user, field, fields[field])
    _keep_an_admin(but=user if user.role != Role.ADMIN else None)
    user.save()
    detail: dict[str, Any] = {"fields": changed}
    if "role" in changed:
        detail["role"] = str(user.role)
    audit.record(verb="staff.update_person", target=user, actor=by.username, at=at, detail=detail)
    return user


def set_end_of_rights(*, users: QuerySet[Any, Any], ends: datetime | None) -> None:
    """
    Let the rights of these people end at a moment, or (None) go on.

    Part of an approved list of transfers, whose event in the trail says so. `users` holds ids.
    """
    User.objects.filter(pk__in=users).update(rights_end_at=ends)


@transaction.atomic
def move(*, user: User, division: Division, role: Role, at: datetime) -> User:
    """
    Enter the new place of somebody transferred; sessions and screens of the old one end.

    :raises LastAdmin: the role of the last administrator would go.
    """
    user = _locked(user)
    _keep_an_admin(but=user if role is not Role.ADMIN else None)
    user.division, user.role = division, role.value
    user.rights_end_at = None
    user.session_epoch += 1
    user.save(update_fields=["division", "role", "rights_end_at", "session_epoch"])
    _end_tokens(user, at=at)
    live.publish(topic=f"user.{user.pk}", kind="staff.moved", at=at)
    audit.record(
        verb="staff.move",
        target=user,
        actor="system",
        at=at,
        detail={"role": role.value, "division": division.pk},
    )
    return user


@transaction.atomic
def deactivate(*, user: User, by: User | None, at: datetime) -> User:
    """
    Let a leaver go: every session and every open screen ends at once. `by` None: by a list.

    :raises LastAdmin: nobody else could let people in.
    """
    user = _locked(user)
    _keep_an_admin(but=user)
    user.is_active = False
    user.rights_end_at = None
    user.session_epoch += 1
    user.save(update_fields=["is_active", "rights_end_at", "session_epoch"])
    _end_tokens(user, at=at)
    Draft.objects.filter(user=user).delete()
    live.publish(topic=f"user.{user.pk}", kind="staff.deactivated", at=at)
    actor = by.username if by else "system"
    audit.record(verb="staff.deactivate", target=user, actor=actor, at=at)
    return user


def _end_tokens(user: User, *, at: datetime) -> None:
    """What was lent to programs ends with the place it was lent from."""
    user.tokens.filter(revoked_at=None).update(revoked_at=at)


@transaction.atomic
def create_token(
    *, user: User, scopes: Iterable[Scope], by: str, at: datetime
) -> tuple[ApiToken, str]:
    """
    Let a program act for the person; return the token's row, and the token, which nobody keeps.

    `by` is who did it, as the trail names them: the command line has no session.
    """
    secret = f"mdg_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, digest=digest_of(secret), scopes=" ".join(scopes), created_at=at
    )
    audit.record(verb="token.create", target=token, actor=by, at=at, detail={"user": user.pk})
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: str, at: datetime) -> ApiToken:
    """End the token at once and for good; to end it twice is no mistake."""
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        audit.record(verb="token.revoke", target=token, actor=by, at=at)
    return token


@transaction.atomic
def reactivate(*, user: User, by: User, at: datetime) -> tuple[User, str]:
    """Take somebody back, with a new first password."""
    user = _locked(user)
    password = _first_password()
    user.is_active = True
    user.must_change_password = True
    user.set_password(password)
    user.save(update_fields=["is_active", "must_change_password", "password"])
    audit.record(verb="staff.reactivate", target=user, actor=by.username, at=at)
    return user, password


@transaction.atomic
def reset_password(*, user: User, by: User, at: datetime) -> tuple[User, str]:
    """Give a new first password to somebody who forgot his own."""
    user = _locked(user)
    password = _first_password()
    user.must_change_password = True
    user.set_password(password)
    user.save(update_fields=["must_change_password", "password"])
    audit.record(verb="staff.reset_password", target=user, actor=by.username, at=at)
    return user, password


@transaction.atomic
def reset_second_factor(*, user: User, by: User, at: datetime) -> User:
    """Forget a lost telephone; sessions and screens end, the next log in sets up a new one."""
    user = _locked(user)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    user.session_epoch += 1
    user.save(update_fields=["session_epoch"])
    live.publish(topic=f"user.{user.pk}", kind="staff.reset_second_factor", at=at)
    audit.record(verb="staff.reset_second_factor", target=user, actor=by.username, at=at)
    return user


def _locked(user: User) -> User:
    # All administrators at once: two of them must not remove each other in the same moment.
    list(User.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk"))
    return User.objects.select_for_update().get(pk=user.pk)


def _keep_an_admin(*, but: User | None) -> None:
    admins = User.objects.filter(role=Role.ADMIN, is_active=True)
    if but and admins.filter(pk=but.pk).exists() and not admins.exclude(pk=but.pk).exists():
        raise LastAdmin("最後のシステム管理者です。先に、別の人をシステム管理者にしてください。")


@transaction.atomic
def save_draft(*, user: User, form: str, fields: dict[str, Any], at: datetime) -> Draft:
    """
    Keep what the user has typed so far; the last save of a form wins.

    Not audited: a draft is his own unfinished text, and the save of the form will be.

    :raises DraftTooLong: more than `rules.DRAFT_BYTES`.
    """
    if len(json.dumps(fields, ensure_ascii=False).encode(errors="replace")) > rules.DRAFT_BYTES:
        raise DraftTooLong("下書きが長すぎるため、自動保存できません。")
    draft, _ = Draft.objects.update_or_create(
        user=user, form=form, defaults={"fields": fields, "saved_at": at}
    )
    return draft


def discard_draft(*, user: User, form: str) -> None:
    """Forget the draft, in the transaction that saves the form."""
    Draft.objects.filter(user=user, form=form).delete()


def prune_drafts(*, at: datetime) -> int:
    """Forget drafts nobody came back to."""
    old = Draft.objects.filter(saved_at__lt=at - timedelta(days=rules.DRAFT_DAYS))
    return old.delete()[0]
