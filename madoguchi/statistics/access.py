"""What a reader of the statistics counts: the cases the reader may see, and no others."""

from django.db.models import QuerySet

from madoguchi.casework.access import visible_cases
from madoguchi.casework.models import Case
from madoguchi.staff.models import User


def countable_cases(user: User) -> QuerySet[Case]:
    """Return the cases behind every number the user is shown: each number opens its list."""
    return visible_cases(user)


def all_cases(user: User) -> QuerySet[Case] | None:
    """Return all cases, of which only their number is told; None outside the centre."""
    return Case.objects.all() if user.is_centre else None
