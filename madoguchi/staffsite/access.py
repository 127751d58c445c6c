"""Who may follow which live topic."""

from collections.abc import Collection

from django.utils import timezone

from madoguchi.casework import access as casework
from madoguchi.safety import access as safety
from madoguchi.staff import queries
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


def may_follow(user: User, topic: str) -> bool:
    """Say whether the user may know that something changed there; the rest is the page's."""
    kind, _, key = topic.partition(".")
    match kind:
        case "public":
            return True
        case "reception":
            return user.may(Verb.RECEIVE_VISITS) or user.may(Verb.CALL_VISITS)
        case "division":
            may_ask_all = user.is_centre and user.may(Verb.ASK_DIVISIONS)
            return key == str(user.division_id) or (may_ask_all and key.isdecimal())
        case "case":
            return casework.may_follow_case(user, key)
        case "incident":
            return safety.may_follow_incident(user, key)
        case "rota":
            return user.may(Verb.READ_ROTA)
        case "moves":
            return user.may(Verb.PLAN_MOVES) or user.may(Verb.APPROVE_MOVES)
        case "user":
            return key == str(user.pk)
        case _:
            return False


def may_stay(*, session_key: str, topics: Collection[str]) -> bool:
    """Say whether an open stream may go on: still employed, signed in, and entitled."""
    user = queries.user_of_session(session_key=session_key, at=timezone.now())
    return user is not None and all(may_follow(user, topic) for topic in topics)
