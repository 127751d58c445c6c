"""How one event of the trail is bound to the one before it, and what a broken trail tells."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

GENESIS = "0" * 64
REACH = 1000  # how many numbers away a moved line is looked for


class Line(NamedTuple):
    """One event as the table holds it; `at` is UTC, `2026-11-24 01:00:00.000000`."""

    number: int
    at: str
    verb: str
    actor: str
    target_label: str
    target_key: str
    person: int | None
    reason: str
    detail: str
    previous_hash: str
    hash: str


class Anchor(NamedTuple):
    """The head of the trail at some moment, kept where the database's owner cannot reach."""

    number: int
    hash: str


class Break(NamedTuple):
    """The first event at which the trail is no longer what was written."""

    number: int
    kind: str  # edited, removed, inserted, reordered, cut_off, rewritten


BREAK_LABELS = {
    "edited": "が書き換えられています",
    "removed": "が削除されています",
    "inserted": "があとから挿入されています",
    "reordered": "の順序が入れ替えられています",
    "cut_off": "以降が切り捨てられています（控えより短い）",
    "rewritten": "までのどこかが、要約値ごと書き換えられています（控えと一致しない）",
}


def canonical(detail: dict[str, Any]) -> str:
    """Return the one spelling of the detail that is stored and hashed: ASCII, keys in order."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"))


def chain_hash(line: Line) -> str:
    """
    Return the SHA-256 of the JSON array of the line without its own hash.

    The number and the hash of the line before are inside, so no line can move or go missing.
    """
    return hashlib.sha256(json.dumps(line[:-1]).encode()).hexdigest()


class Checker:
    """
    Walks the trail once, in order of numbers, and stops at the first event that is not genuine.

    Memory stays small: the checker keeps the last hash and the anchors.
    """

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        self.anchors = dict(anchors)
        self.number = 0
        self.hash = GENESIS

    def feed(self, rows: list[tuple[Any, ...]]) -> Break | None:
        """Check the next rows (columns as in `Line`); None means that all are genuine."""
        number, before, anchors = self.number, self.hash, self.anchors
        encode, sha256 = json.JSONEncoder().encode, hashlib.sha256  # a million times
        for index, row in enumerate(rows):
            number += 1
            digest = sha256(encode(row[:-1]).encode()).hexdigest()
            if row[0] != number or row[9] != before or row[10] != digest:
                return _what_happened([Line(*row) for row in rows[index:]], number)
            before = digest
            if number in anchors and anchors[number] != digest:
                return Break(number, "rewritten")
        self.number, self.hash = number, before
        return None

    def end(self) -> Break | None:
        """Say whether an anchor lies beyond the last event."""
        if max(self.anchors, default=0) > self.number:
            return Break(self.number + 1, "cut_off")
        return None


def _what_happened(lines: list[Line], number: int) -> Break:
    """
    Name the first bad event: `lines[0]` is not what was written as `number`.

    A line that is genuine at another number was moved: forward by an insertion, back by a
    removal, or by changing places with a line that is still there.
    """
    line, later = lines[0], lines[1:]
    if line.number > number:
        return Break(number, "removed")
    if _genuine_at(line, number):
        # It stands as written, so the one before it was changed and given a new hash.
        return Break(max(number - 1, 1), "edited")
    for written_as in range(max(1, number - REACH), number):
        if _genuine_at(line, written_as):
            return Break(written_as, "inserted")
    for written_as in range(number + 1, number + REACH):
        if _genuine_at(line, written_as):
            is_there = any(line.previous_hash == other.hash for other in later)
            return Break(number, "reordered" if is_there else "removed")
    if any(_genuine_at(other, number) for other in later[:REACH]):
        return Break(number, "inserted")
    return Break(number, "edited")


def _genuine_at(line: Line, number: int) -> bool:
    return chain_hash(line._replace(number=number)) == line.hash


# What each verb of the trail says to the auditor. A test holds that none is missing.
VERB_LABELS = {
    "audit.read": "監査証跡を見た",
    "audit.export": "監査証跡を書き出した",
    "audit.report": "本人への閲覧記録を作った",
    "resident.list": "相談者の一覧を見た",
    "resident.read": "相談者の記録を見た",
    "resident.register": "相談者を登録した",
    "resident.update": "相談者の記録を直した",
    "resident.add_accommodation": "配慮事項を加えた",
    "resident.remove_accommodation": "配慮事項を除いた",
    "resident.restrict": "住所秘匿にした",
    "resident.lift_restriction": "住所秘匿を解いた",
    "resident.reveal": "秘匿された連絡先を表示した",
    "staff.log_in": "ログインした",
    "staff.log_out": "ログアウトした",
    "staff.fail_log_in": "ログインに失敗した",
    "staff.fail_second_factor": "二段階認証に失敗した",
    "staff.use_recovery_code": "予備コードを使った",
    "staff.enrol": "二段階認証を設定した",
    "staff.change_password": "パスワードを変えた",
    "staff.add_person": "職員を加えた",
    "staff.update_person": "職員の設定を変えた",
    "staff.deactivate": "職員の利用を止めた",
    "staff.reactivate": "職員の利用を再開した",
    "staff.reset_password": "仮パスワードを出した",
    "staff.reset_second_factor": "二段階認証を解除した",
}
