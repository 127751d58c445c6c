"""The staff menu: what a role may do, in the words of its verbs."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


@dataclass(frozen=True)
class Entry:
    """One line of the menu; shown to who holds one of the verbs (none named: all staff)."""

    label: str
    name: str  # URL name
    verbs: tuple[Verb, ...] = ()
    key: str = ""  # single key, see the "?" sheet


@dataclass(frozen=True)
class Group:
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    key: str
    is_here: bool


@dataclass(frozen=True)
class LinkGroup:
    label: str
    items: tuple[Link, ...]


MENU = (
    Group("", (Entry("今日の机", "staffsite:today", key="t"),)),
    Group(
        "窓口",
        (
            Entry("受付", "reception:receptions", (Verb.RECEIVE_VISITS,), key="u"),
            Entry("呼び出し", "reception:calling", (Verb.CALL_VISITS,), key="y"),
            Entry("代理で予約", "booking:book_for_resident", (Verb.BOOK_FOR_RESIDENT,), key="b"),
            Entry("キャンセル待ち", "booking:waiting_list", (Verb.BOOK_FOR_RESIDENT,)),
        ),
    ),
    Group(
        "相談",
        (
            Entry("案件を受理する", "casework:receive", (Verb.RECEIVE_CASES,), key="n"),
            Entry("案件の一覧", "casework:cases", (Verb.READ_CASES,), key="a"),
            Entry("ウェブ相談", "intake:submissions", (Verb.READ_CASES,)),
            Entry("市長への手紙", "letters:letters", (Verb.HANDLE_LETTERS,)),
            Entry("相談者", "residents:list", (Verb.READ_RESIDENTS,), key="r"),
            Entry("出向・引き継ぎの依頼", "casework:requests", (Verb.ANSWER_REQUESTS,), key="i"),
            Entry(
                "期限を過ぎたもの",
                "casework:overdue",
                (Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS),
                key="o",
            ),
        ),
    ),
    Group(
        "安心対応",
        (
            Entry("事案", "safety:incidents", (Verb.HANDLE_INCIDENTS,), key="h"),
            Entry("事後の措置", "safety:measures", (Verb.HANDLE_INCIDENTS,)),
        ),
    ),
    Group(
        "手引き",
        (Entry("よくある質問", "knowledge:faqs", (Verb.WRITE_FAQ, Verb.APPROVE_FAQ), key="f"),),
    ),
    Group(
        "当番",
        (
            Entry("今日の当番と不在", "rota:today", (Verb.READ_ROTA,), key="z"),
            Entry("当番表", "rota:month", (Verb.READ_ROTA,)),
            Entry("自分の当番・希望", "rota:mine", (Verb.READ_ROTA,)),
            Entry("交代", "rota:swaps", (Verb.READ_ROTA,)),
            Entry("緊急連絡先", "rota:contacts", (Verb.READ_ROTA,)),
            Entry("当番表を作る", "rota:rotas", (Verb.EDIT_ROTA,)),
        ),
    ),
    Group(
        "ふりかえり",
        (
            Entry("統計", "statistics:month", (Verb.READ_STATISTICS,), key="s"),
            Entry("監査証跡", "staff:audit", (Verb.READ_AUDIT,), key="k"),
        ),
    ),
    Group(
        "設定",
        (
            Entry("手続き・相談メニュー", "booking:service_settings", (Verb.EDIT_SERVICES,)),
            Entry("段階的導入", "introduction:introductions", (Verb.EDIT_SERVICES,)),
            Entry("案件の設定", "casework:settings", (Verb.EDIT_OFFICES,)),
            Entry("安心対応の設定", "safety:settings", (Verb.EDIT_SAFETY,)),
            Entry("庁舎と部署", "offices:index", (Verb.EDIT_OFFICES,)),
            Entry("職員", "staff:people", (Verb.EDIT_STAFF,)),
            Entry("人事異動", "personnel:lists", (Verb.PLAN_MOVES, Verb.APPROVE_MOVES)),
            Entry("運用状況", "messaging:operations", (Verb.READ_OPERATIONS,)),
        ),
    ),
    Group(
        "自分",
        (
            Entry("異動と引き継ぎ", "personnel:mine", (Verb.READ_CASES,)),
            Entry("パスワードの変更", "staff:change_password"),
        ),
    ),
)


def menu_for(user: User, *, path: str) -> tuple[LinkGroup, ...]:
    """Return what the user may open; the line whose address the path begins with is marked."""
    groups = [
        (group.label, [entry for entry in group.entries if _is_shown(entry, user)])
        for group in MENU
    ]
    urls = {entry.name: reverse(entry.name) for _, entries in groups for entry in entries}
    here = max((url for url in urls.values() if path.startswith(url)), key=len, default="")
    return tuple(
        LinkGroup(
            label,
            tuple(
                Link(entry.label, urls[entry.name], entry.key, urls[entry.name] == here)
                for entry in entries
            ),
        )
        for label, entries in groups
        if entries
    )


def _is_shown(entry: Entry, user: User) -> bool:
    may = not entry.verbs or any(user.may(verb) for verb in entry.verbs)
    return may and _exists(entry.name)


def _exists(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:  # the app that owns the page is not installed in this city
        return False
    return True


def menu(request: HttpRequest) -> dict[str, object]:
    """Give every staff template its menu and the way out."""

    def draw() -> tuple[LinkGroup, ...]:
        user = getattr(request, "user", None)
        return menu_for(user, path=request.path) if isinstance(user, User) else ()

    return {"menu": SimpleLazyObject(draw)} if request.path.startswith("/staff/") else {}
