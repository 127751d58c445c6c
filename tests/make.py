"""Typed builders: the smallest true row of each kind. Say only what the test is about."""

from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from madoguchi.casework.models import Case, Category
from madoguchi.casework.rules import Channel, Kind
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


def category(name: str = "行政手続・市政", *, code: str = "ADMIN") -> Category:
    return Category.objects.get_or_create(name=name, defaults={"code": code})[0]


def case(title: str = "転入届の書き方", **more: object) -> Case:
    by = more.pop("by", None) or staff()
    return Case.objects.create(
        **{
            "number": f"R8-{next(_number):05d}",
            "kind": Kind.CONSULTATION.value,
            "channel": Channel.COUNTER.value,
            "category": more.pop("category", None) or category(),
            "title": title,
            "summary": "書き方が分からない。",
            "owner": more.pop("owner", None) or centre(),
            "received_at": NOW,
            "received_by": by,
            "changed_at": NOW,
            "changed_by": by,
        }
        | more
    )
