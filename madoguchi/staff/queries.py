from datetime import datetime
from hashlib import sha256
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from madoguchi.staff import rules
from madoguchi.staff.models import ApiToken, Draft, User


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


def digest_of(secret: str) -> str:
    """Return what is kept of an API token."""
    return sha256(secret.encode()).hexdigest()


def token_in_force(secret: str, *, at: datetime) -> ApiToken | None:
    """Return the token with its person, while it is not revoked and the person works here."""
    tokens = ApiToken.objects.select_related("user__division")
    found = tokens.filter(digest=digest_of(secret), revoked_at=None, user__is_active=True).first()
    if found is None or found.user.rights_ended(at=at):
        return None
    return found
