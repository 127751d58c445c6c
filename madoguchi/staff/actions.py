import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import rules
from madoguchi.staff.models import Draft, User


class DraftTooLong(RuleBroken):
    """A form full of text is far below this; something else is being stored."""


@transaction.atomic
def save_draft(*, user: User, form: str, fields: dict[str, Any], at: datetime) -> Draft:
    """
    Keep what the user has typed so far; the last save of a form wins.

    Not audited: a draft is his own unfinished text, and the save of the form will be.

    :raises DraftTooLong: more than `rules.DRAFT_BYTES`.
    """
    if len(json.dumps(fields, ensure_ascii=False).encode()) > rules.DRAFT_BYTES:
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
