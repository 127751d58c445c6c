"""Who came through a link that LINE carried."""

from django.core import signing
from django.http import Http404
from django.shortcuts import get_object_or_404

from madoguchi.foundation.limits import Limit
from madoguchi.integrations.line import rules
from madoguchi.integrations.line.actions import SALT
from madoguchi.integrations.line.models import LineFriend

LOOK_UP = Limit(name="look_up", times=10, span=rules.FOLLOWING)


def friend_of(signed: str) -> LineFriend:
    """Return the friend whom the link was made for, or 404; it lives as long as the link did."""
    try:
        pk = signing.loads(signed, salt=SALT, max_age=rules.FOLLOWING)
    except signing.BadSignature as error:
        raise Http404 from error
    return get_object_or_404(LineFriend, pk=pk, left_at=None)
