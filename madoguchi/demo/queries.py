from madoguchi.audit.models import AuditEvent
from madoguchi.offices.models import City, Division
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User

MARK = "demo.load"  # the first event of a demo city's trail


def has_rows() -> bool:
    """Say whether anyone has begun to use this database."""
    return any(
        model._default_manager.exists() for model in (AuditEvent, City, Division, Resident, User)
    )


def is_demo() -> bool:
    """Say whether the trail begins with the loading of the demo city."""
    first = AuditEvent.objects.order_by("pk").first()
    return first is not None and first.verb == MARK
