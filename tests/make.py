"""Typed builders: the smallest true row of each kind. Say only what the test is about."""

from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

JST = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=JST)  # a Tuesday, an open day
_number = count(1)


def site(name: str = "本庁舎", **more: object) -> Site:
    found = Site.objects.filter(name=name).first()
    return found or Site.objects.create(**{"code": f"site{next(_number)}", "name": name} | more)


def division(name: str = "保育課", **more: object) -> Division:
    found = Division.objects.filter(name=name).first()
    return found or Division.objects.create(
        **{"code": f"division{next(_number)}", "name": name} | more
    )


def centre() -> Division:
    return division("市民相談センター", is_centre=True)


def counter(name: str = "1番", **more: object) -> Counter:
    at = more.pop("site", None) or site()
    of = more.pop("division", None) or division()
    return Counter.objects.create(site=at, division=of, name=name, **more)  # type: ignore[misc]


def room(name: str = "相談室1") -> Room:
    return Room.objects.create(site=site(), name=name)


def staff(
    role: Role = Role.COUNSELLOR, *, division: Division | None = None, username: str = ""
) -> User:
    return User.objects.create(
        username=username or f"staff{next(_number)}",
        name="相談 花子",
        role=role,
        division=division or centre(),
    )


def resident(name: str = "山田 太郎", **more: object) -> Resident:
    return Resident.objects.create(**{"name": name, "created_at": NOW} | more)
