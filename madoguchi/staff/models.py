from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from madoguchi.offices.models import Division
from madoguchi.staff import rules


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """職員 — a person who works for the city; the role says what, the division where."""

    personal_fields = ("name", "kana", "email")

    username = models.CharField("職員ID", max_length=60, unique=True)
    name = models.CharField("氏名", max_length=60)
    kana = models.CharField("ふりがな", max_length=120, blank=True)
    email = models.EmailField("メール", blank=True)
    role = models.CharField(
        "役割",
        max_length=30,
        choices=[(role.value, rules.ROLE_LABELS[role]) for role in rules.Role],
    )
    division = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="部署", related_name="staff"
    )
    is_contractor = models.BooleanField("委託事業者", default=False)
    is_active = models.BooleanField("在職", default=True)
    must_change_password = models.BooleanField("仮パスワード", default=False)
    session_epoch = models.PositiveIntegerField("セッションの世代", default=0)
    rights_end_at = models.DateTimeField("権限が終わる日時", null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name", "role"]

    class Meta:
        verbose_name = "職員"

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """A new password or a new epoch ends every session that was open."""
        return self._session_hash(settings.SECRET_KEY)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return (self._session_hash(key) for key in settings.SECRET_KEY_FALLBACKS)

    def _session_hash(self, secret: str | bytes) -> str:
        return salted_hmac(
            "madoguchi.staff.session",
            f"{self.session_epoch}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def may(self, verb: rules.Verb) -> bool:
        return self.is_active and rules.may(rules.Role(self.role), verb)

    @property
    def is_centre(self) -> bool:
        return self.division.is_centre

    def rights_ended(self, *, at: datetime) -> bool:
        """Say whether the day of a transfer has begun, and the new place is not entered yet."""
        return self.rights_end_at is not None and self.rights_end_at <= at


class Draft(models.Model):
    """下書き — what someone is typing into a form, kept on the server until the form is saved."""

    personal_fields = ("fields",)

    user = models.ForeignKey(User, on_delete=models.CASCADE, verbose_name="職員")
    form = models.CharField("画面", max_length=120)
    fields = models.JSONField("入力", default=dict)
    saved_at = models.DateTimeField("保存日時")

    class Meta:
        verbose_name = "下書き"
        constraints = [
            models.UniqueConstraint(fields=["user", "form"], name="draft_once_per_form")
        ]

    def __str__(self) -> str:
        return self.form


class FailedLogin(models.Model):
    """ログイン失敗 — how often one account failed from one place, and since when it must wait."""

    personal_fields = ()

    key = models.CharField("口座と場所の要約値", max_length=64, unique=True)
    failures = models.PositiveIntegerField("回数", default=0)
    last_at = models.DateTimeField("最後の失敗", db_index=True)

    class Meta:
        verbose_name = "ログイン失敗"

    def __str__(self) -> str:
        return f"{self.failures}"


class ApiToken(models.Model):
    """
    APIトークン — lets a program act for a person, within its scopes and the person's rights.

    The token itself is shown once; only its digest is kept. It is a long random number, so one
    fast hash is enough: there is nothing to guess from.
    """

    personal_fields = ()

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, verbose_name="職員", related_name="tokens"
    )
    digest = models.CharField("要約値", max_length=64, unique=True, editable=False)
    scopes = models.CharField("できること", max_length=200)
    created_at = models.DateTimeField("発行日時")
    revoked_at = models.DateTimeField("失効日時", null=True, blank=True)

    class Meta:
        verbose_name = "APIトークン"
        constraints = [
            models.CheckConstraint(name="token_has_a_scope", condition=~models.Q(scopes=""))
        ]

    def __str__(self) -> str:
        return f"APIトークン {self.pk}"

    def allows(self, scope: rules.Scope) -> bool:
        return scope.value in self.scopes.split()
