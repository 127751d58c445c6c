from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from madoguchi.booking.models import Service
from madoguchi.booking.queries import services_found
from madoguchi.offices.models import Site
from madoguchi.offices.queries import office_days
from madoguchi.offices.rules import OfficeDay


@dataclass(frozen=True)
class Category:
    """Services of one kind, under the words people look for."""

    name: str
    services: tuple[Service, ...]


@dataclass(frozen=True)
class OpenSite:
    """A site with its coming days; the first is today."""

    site: Site
    days: tuple[OfficeDay, ...]

    @property
    def today(self) -> OfficeDay:
        return self.days[0]


def services_by_category(words: str) -> list[Category]:
    """Return the services that fit the words, category by category; all of them for no words."""
    found = services_found(words).order_by("category", "order", "id")
    return [
        Category(name or "そのほか", tuple(services))
        for name, services in groupby(found, key=lambda service: service.category)
    ]


def open_sites(*, today: date, days: int) -> list[OpenSite]:
    """Return every site with its hours from today on. One query for each site."""
    last = today + timedelta(days=days - 1)
    return [
        OpenSite(site, tuple(office_days(site=site, first=today, last=last)))
        for site in Site.objects.order_by("id")
    ]
