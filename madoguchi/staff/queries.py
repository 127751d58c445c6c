from typing import Any

from madoguchi.staff.models import Draft, User


def draft_fields(*, user: User, form: str) -> dict[str, Any]:
    """Return what the user was typing into the form, or nothing."""
    draft = Draft.objects.filter(user=user, form=form).first()
    return draft.fields if draft else {}
