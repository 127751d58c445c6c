from datetime import datetime
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Length, Replace
from django.db.models.lookups import Exact

from madoguchi.messaging import rules

_ONE_RECIPIENT = ~Q(to="")
for _separator in rules.SEPARATORS.replace("\0", ""):  # neither database stores NUL in a text
    _ONE_RECIPIENT &= ~Q(to__contains=_separator)
_ONE_AT = Exact(Length(Replace(F("to"), Value("@"), Value(""))), Length(F("to")) - 1)


class OutboundMessageQuerySet(models.QuerySet["OutboundMessage"]):
    def waiting(self) -> Self:
        return self.filter(sent_at=None, gave_up_at=None)

    def due(self, *, at: datetime) -> Self:
        return self.waiting().filter(next_try_at__lte=at)


class OutboundMessage(models.Model):
    """
    送信連絡 — one message to one recipient, written in the transaction that causes it.

    Waiting, then either sent or given up. `key` becomes the Message-ID and never changes, so a
    recipient's mail program recognises a message that had to be sent twice.
    """

    personal_fields = ("to", "subject", "body")

    key = models.UUIDField("識別子", default=uuid4, unique=True, editable=False)
    channel = models.CharField(
        "経路",
        max_length=20,
        choices=[(channel.value, rules.CHANNEL_LABELS[channel]) for channel in rules.Channel],
    )
    to = models.CharField("宛先", max_length=254)
    subject = models.CharField("件名", max_length=200)
    body = models.TextField("本文")
    about = models.CharField("対象", max_length=80, blank=True, db_index=True)
    created_at = models.DateTimeField("作成日時")
    next_try_at = models.DateTimeField("次の送信")
    tries = models.PositiveIntegerField("送信回数", default=0)
    sent_at = models.DateTimeField("送信日時", null=True, blank=True)
    gave_up_at = models.DateTimeField("断念日時", null=True, blank=True)
    last_error = models.CharField("最後の失敗", max_length=60, blank=True)

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = "送信連絡"
        constraints = [
            models.CheckConstraint(name="message_one_recipient", condition=_ONE_RECIPIENT),
            models.CheckConstraint(
                name="message_one_mail_address",
                condition=~Q(channel=rules.Channel.MAIL.value) | Q(_ONE_AT),
            ),
            models.CheckConstraint(
                name="message_sent_or_given_up",
                condition=Q(sent_at=None) | Q(gave_up_at=None),
            ),
        ]
        indexes = [
            models.Index(
                name="message_waiting",
                fields=["next_try_at"],
                condition=Q(sent_at=None, gave_up_at=None),
            ),
            models.Index(name="message_newest", fields=["-created_at"]),
        ]

    def __str__(self) -> str:
        return f"送信連絡 {self.key}"


class OneTimeLink(models.Model):
    """一度だけのリンク — opens one of our pages once; a message carries it instead of content."""

    personal_fields = ()

    token = models.CharField("鍵", max_length=64, unique=True)
    path = models.CharField("ページ", max_length=300)
    made_at = models.DateTimeField("作成日時")
    until = models.DateTimeField("いつまで", db_index=True)
    used_at = models.DateTimeField("使った日時", null=True, blank=True)

    class Meta:
        verbose_name = "一度だけのリンク"
        constraints = [
            models.CheckConstraint(
                name="one_time_link_leads_into_the_house", condition=Q(path__startswith="/")
            ),
            models.CheckConstraint(
                name="one_time_link_ends_after_it_begins", condition=Q(until__gt=F("made_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"リンク {self.pk}"
