"""How a text becomes public: one writes, another approves."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken


class Status(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    RETIRED = "retired"


STATUS_LABELS = {
    Status.DRAFT: "下書き",
    Status.PROPOSED: "承認待ち",
    Status.PUBLISHED: "公開中",
    Status.RETIRED: "取り下げ",
}

# From → to. Writing a text again begins a new draft; what is public stays until the approval.
STEPS = {
    Status.DRAFT: frozenset({Status.DRAFT, Status.PROPOSED, Status.RETIRED}),
    Status.PROPOSED: frozenset({Status.DRAFT, Status.PUBLISHED, Status.RETIRED}),
    Status.PUBLISHED: frozenset({Status.DRAFT, Status.RETIRED}),
    Status.RETIRED: frozenset({Status.DRAFT}),
}

_PIECE = re.compile(r"[0-9０-９]+|[A-Za-z]+|[ァ-ヺー]+|[一-鿿々]+|[ぁ-ゖ]+|\s|.", re.DOTALL)
KEY_FORBIDDEN = frozenset("/\\,;?#%&\"'<>")


class StepNotAllowed(RuleBroken):
    pass


class AuthorMayNotApprove(RuleBroken):
    pass


class TextMissing(RuleBroken):
    pass


def check_step(now: Status, to: Status) -> None:
    """Refuse a step that the table does not have. :raises StepNotAllowed: it has not."""
    if to not in STEPS[now]:
        raise StepNotAllowed(
            f"「{STATUS_LABELS[now]}」のFAQは「{STATUS_LABELS[to]}」にできません。"
            "画面を読み込み直して、今の状態を確認してください。"
        )


def check_sending_back(now: Status) -> None:
    """Refuse to send back what nobody proposed. :raises StepNotAllowed: it is not proposed."""
    if now is not Status.PROPOSED:
        raise StepNotAllowed("承認待ちのFAQだけを差し戻せます。画面を読み込み直してください。")


def check_text(question: str, answer: str) -> None:
    """Refuse an empty question or answer. :raises TextMissing: one is blank."""
    if not question.strip():
        raise TextMissing("質問を入力してください。")
    if not answer.strip():
        raise TextMissing("回答を入力してください。")


def check_approver(*, author: int | None, approver: int) -> None:
    """Refuse the author's own approval. :raises AuthorMayNotApprove: same person."""
    if author == approver:
        raise AuthorMayNotApprove(
            "自分が書いたFAQは承認できません。ほかの承認者に依頼してください。"
        )


def is_key(key: str) -> bool:
    """Say whether a text can name a FAQ in addresses and tables: 1–60 characters, no blanks."""
    return (
        0 < len(key) <= 60
        and key not in (".", "..")
        and key.isprintable()
        and not any(character.isspace() or character in KEY_FORBIDDEN for character in key)
    )


@dataclass(frozen=True)
class Change:
    """A piece of text: kept, new (`is_new`) or gone (`is_gone`)."""

    text: str
    is_new: bool = False
    is_gone: bool = False


def compare(before: str, after: str) -> list[Change]:
    """Return the pieces of both texts in reading order, cut at words' and sentences' ends."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    pieces: list[Change] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Change("".join(new[c:d])))
            continue
        if b > a:
            pieces.append(Change("".join(old[a:b]), is_gone=True))
        if d > c:
            pieces.append(Change("".join(new[c:d]), is_new=True))
    return pieces
