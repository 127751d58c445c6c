"""What stands on every page: the city, and the ways through the citizens' pages."""

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from madoguchi.offices.models import City


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_here: bool


HEAD = (
    ("予約する", "booking:services"),
    ("予約の確認・変更", "booking:find_booking"),
    ("混雑状況", "reception:congestion"),
    ("よくある質問", "knowledge:faq"),
    ("窓口の案内", "publicsite:offices"),
)
FOOT = (
    ("サイトマップ", "publicsite:site_map"),
    ("相談・意見を送る", "intake:submit"),
    ("送った相談の返事を見る", "intake:open_page"),
    ("アンケートに答える", "casework:survey_code"),
    ("ウェブアクセシビリティ", "publicsite:accessibility"),
)


def links(entries: tuple[tuple[str, str], ...], *, path: str) -> tuple[Link, ...]:
    """Return the links whose page exists; the one we are under is marked."""
    return tuple(
        Link(gettext(label), url, is_here=path.startswith(url))
        for label, name in entries
        if (url := address(name)) is not None
    )


def address(name: str) -> str | None:
    """Return the address of a page, or None when its app is not part of this installation."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def frame(request: HttpRequest) -> dict[str, object]:
    """Give every template the city, the menus, and whether this is the practice city."""
    return {
        "city": SimpleLazyObject(City.objects.first),
        "is_demo": settings.DEMO,
        "languages": settings.LANGUAGES,
        "public_menu": SimpleLazyObject(partial(links, HEAD, path=request.path)),
        "footer_menu": SimpleLazyObject(partial(links, FOOT, path=request.path)),
    }
