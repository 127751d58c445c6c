from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from madoguchi.staff import rules
from madoguchi.staff.models import Draft, User


def user_of_session(*, session_key: str, at: datetime) -> User | None:
    """Return who is signed in with the session at this moment, for a page that stays open."""
    session = SessionStore(session_key).load()
    user = User.objects.filter(pk=session.get(SESSION_KEY, 0), is_active=True).first()
    if user is None or user.rights_ended(at=at):
        return None
    if not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    began, seen = (
        datetime.fromisoformat(session.get(name, at.isoformat()))
        for name in ("began_at", "seen_at")
    )
    return None if rules.session_end(began=began, seen=seen, now=at) else user


def draft_fields(*, user: User, form: str) -> dict[str, Any]:
    """Return what the user was typing into the form, or nothing."""
    draft = Draft.objects.filter(user=user, form=form).first()
    return draft.fields if draft else {}
