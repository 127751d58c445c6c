"""Who may do what: one table of roles and verbs."""

from datetime import datetime, timedelta
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken


class UnknownScope(RuleBroken):
    """A token can be given only what the table of scopes names."""


class Role(StrEnum):
    RECEPTION = "reception"
    COUNSELLOR = "counsellor"
    PSYCHOLOGIST = "psychologist"
    CONSUMER_COUNSELLOR = "consumer_counsellor"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    CENTRE_HEAD = "centre_head"
    SAFETY_DESK = "safety_desk"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLE_LABELS = {
    Role.RECEPTION: "受付",
    Role.COUNSELLOR: "市民相談員",
    Role.PSYCHOLOGIST: "心理カウンセラー",
    Role.CONSUMER_COUNSELLOR: "消費生活相談員",
    Role.OFFICER: "所管課職員",
    Role.SUPERVISOR: "係長・課長",
    Role.CENTRE_HEAD: "センター長",
    Role.SAFETY_DESK: "安心対応サポート室",
    Role.AUDITOR: "監査",
    Role.ADMIN: "システム管理者",
}


class Scope(StrEnum):
    """What a program may be let do for a person; the person's own rights hold besides."""

    READ_CASES = "cases:read"
    WRITE_CASES = "cases:write"


def read_scopes(text: str) -> list[Scope]:
    """
    Return the scopes of "cases:write,cases:read", in the order of the table.

    :raises UnknownScope: one of them is none of ours, or there is none at all.
    """
    asked = {part.strip() for part in text.split(",") if part.strip()}
    known = [scope for scope in Scope if scope.value in asked]
    if not known or len(known) != len(asked):
        raise UnknownScope(f"できることは、次から選んでください: {', '.join(Scope)}")
    return known


class Verb(StrEnum):
    """What staff do; each with its words in VERB_LABELS."""

    RECEIVE_VISITS = "receive_visits"
    CALL_VISITS = "call_visits"
    BOOK_FOR_RESIDENT = "book_for_resident"
    EDIT_SERVICES = "edit_services"
    APPROVE_STAGES = "approve_stages"
    RECEIVE_CASES = "receive_cases"
    HANDLE_LETTERS = "handle_letters"
    HANDLE_INCIDENTS = "handle_incidents"
    JUDGE_INCIDENTS = "judge_incidents"
    EDIT_SAFETY = "edit_safety"
    READ_CASES = "read_cases"
    WRITE_CASES = "write_cases"
    ASK_DIVISIONS = "ask_divisions"
    ANSWER_REQUESTS = "answer_requests"
    CLOSE_CASES = "close_cases"
    READ_RESIDENTS = "read_residents"
    REVEAL_ADDRESS = "reveal_address"
    WRITE_FAQ = "write_faq"
    APPROVE_FAQ = "approve_faq"
    READ_ROTA = "read_rota"
    EDIT_ROTA = "edit_rota"
    APPROVE_SWAPS = "approve_swaps"
    REPORT_ABSENCES = "report_absences"
    READ_STATISTICS = "read_statistics"
    READ_AUDIT = "read_audit"
    EDIT_OFFICES = "edit_offices"
    EDIT_STAFF = "edit_staff"
    PLAN_MOVES = "plan_moves"
    APPROVE_MOVES = "approve_moves"
    READ_OPERATIONS = "read_operations"


VERB_LABELS = {
    Verb.RECEIVE_VISITS: "来庁者を受け付ける",
    Verb.CALL_VISITS: "来庁者を呼び出す",
    Verb.BOOK_FOR_RESIDENT: "代理で予約を取る",
    Verb.EDIT_SERVICES: "手続き・相談メニューを設定する",
    Verb.APPROVE_STAGES: "予約制への切り替えを承認する",
    Verb.RECEIVE_CASES: "案件を受理する",
    Verb.HANDLE_LETTERS: "市長への手紙を扱う",
    Verb.HANDLE_INCIDENTS: "難しい応対を事案として記録し、段階を進める",
    Verb.JUDGE_INCIDENTS: "事案を判定し、措置を承認する",
    Verb.EDIT_SAFETY: "安心対応の基準・時間・言葉を決める",
    Verb.READ_CASES: "案件を読む",
    Verb.WRITE_CASES: "相談記録を書く",
    Verb.ASK_DIVISIONS: "出向・引き継ぎを依頼する",
    Verb.ANSWER_REQUESTS: "出向依頼に応じ、対応記録を返す",
    Verb.CLOSE_CASES: "案件を終了する",
    Verb.READ_RESIDENTS: "相談者の記録を読む",
    Verb.REVEAL_ADDRESS: "秘匿された住所を表示する",
    Verb.WRITE_FAQ: "FAQを書く",
    Verb.APPROVE_FAQ: "FAQを承認・公開する",
    Verb.READ_ROTA: "当番表を見る",
    Verb.EDIT_ROTA: "当番表を作る・直す",
    Verb.APPROVE_SWAPS: "当番の交代を承認する",
    Verb.REPORT_ABSENCES: "不在と代わりの人を登録する",
    Verb.READ_STATISTICS: "統計を見る",
    Verb.READ_AUDIT: "監査証跡を見る",
    Verb.EDIT_OFFICES: "組織を設定する",
    Verb.EDIT_STAFF: "職員を設定する",
    Verb.PLAN_MOVES: "人事異動の一覧を作る",
    Verb.APPROVE_MOVES: "人事異動の一覧を承認する",
    Verb.READ_OPERATIONS: "運用状況を見る",
}

_COUNSEL = frozenset(
    {
        Verb.HANDLE_LETTERS,
        Verb.HANDLE_INCIDENTS,
        Verb.RECEIVE_VISITS,
        Verb.CALL_VISITS,
        Verb.BOOK_FOR_RESIDENT,
        Verb.RECEIVE_CASES,
        Verb.READ_CASES,
        Verb.WRITE_CASES,
        Verb.ASK_DIVISIONS,
        Verb.CLOSE_CASES,
        Verb.READ_RESIDENTS,
        Verb.REVEAL_ADDRESS,
        Verb.WRITE_FAQ,
        Verb.READ_ROTA,
        Verb.REPORT_ABSENCES,
        Verb.READ_STATISTICS,
    }
)
_DIVISION = frozenset(
    {
        Verb.HANDLE_INCIDENTS,
        Verb.CALL_VISITS,
        Verb.BOOK_FOR_RESIDENT,
        Verb.RECEIVE_CASES,
        Verb.READ_CASES,
        Verb.WRITE_CASES,
        Verb.ANSWER_REQUESTS,
        Verb.READ_RESIDENTS,
        Verb.WRITE_FAQ,
        Verb.READ_ROTA,
        Verb.REPORT_ABSENCES,
    }
)

MAY: dict[Role, frozenset[Verb]] = {
    Role.RECEPTION: frozenset(
        {
            Verb.HANDLE_INCIDENTS,
            Verb.RECEIVE_VISITS,
            Verb.CALL_VISITS,
            Verb.BOOK_FOR_RESIDENT,
            Verb.READ_ROTA,
            Verb.REPORT_ABSENCES,
        }
    ),
    Role.COUNSELLOR: _COUNSEL,
    Role.PSYCHOLOGIST: _COUNSEL,
    Role.CONSUMER_COUNSELLOR: _COUNSEL,
    Role.OFFICER: _DIVISION,
    Role.SUPERVISOR: _DIVISION
    | {
        Verb.CLOSE_CASES,
        Verb.JUDGE_INCIDENTS,
        Verb.APPROVE_FAQ,
        Verb.READ_STATISTICS,
        Verb.EDIT_SERVICES,
        Verb.APPROVE_STAGES,
        Verb.APPROVE_SWAPS,
    },
    Role.CENTRE_HEAD: _COUNSEL
    | {
        Verb.JUDGE_INCIDENTS,
        Verb.EDIT_SAFETY,
        Verb.APPROVE_FAQ,
        Verb.EDIT_SERVICES,
        Verb.APPROVE_STAGES,
        Verb.EDIT_ROTA,
        Verb.APPROVE_SWAPS,
        Verb.APPROVE_MOVES,
    },
    Role.SAFETY_DESK: frozenset({Verb.READ_ROTA}),
    Role.AUDITOR: frozenset({Verb.READ_AUDIT}),
    Role.ADMIN: frozenset(
        {
            Verb.EDIT_OFFICES,
            Verb.EDIT_SAFETY,
            Verb.EDIT_STAFF,
            Verb.PLAN_MOVES,
            Verb.APPROVE_MOVES,
            Verb.EDIT_SERVICES,
            Verb.READ_OPERATIONS,
        }
    ),
}


def may(role: Role, verb: Verb) -> bool:
    """Say whether the role carries the verb; which rows it reaches is each app's access.py."""
    return verb in MAY[role]


IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use of a session is kept
PENDING = timedelta(minutes=10)  # between the password and the second factor
KNOWN_DEVICE = timedelta(days=180)
RECOVERY_CODES = 10

FREE_FAILURES = 4  # one account from one place
FREE_FAILURES_ANYWHERE = 20  # one account from all unknown places together
LONGEST_WAIT = timedelta(minutes=5)
FAILURES_KEPT = timedelta(days=1)

PASSWORD_LENGTH = 10
DRAFT_BYTES = 200_000
DRAFT_DAYS = 14


def session_end(*, began: datetime, seen: datetime, now: datetime) -> str:
    """Return why the session is over: "absolute", "idle", or "" while it goes on."""
    if now - began >= ABSOLUTE:
        return "absolute"
    if now - seen >= IDLE:
        return "idle"
    return ""


def wait_after(failures: int, *, free: int = FREE_FAILURES) -> timedelta:
    """Return how long the next attempt must wait: nothing, then 2, 4, 8 … s up to a bound."""
    if failures <= free:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - free, 20)), LONGEST_WAIT)
