"""What may be seen of a resident, and how."""

import unicodedata
from dataclasses import dataclass

MASK = "（秘匿）"
REASON_LENGTH = 400  # the audit trail's column


class Hidden:
    """
    A value nobody sees by accident: text, templates, logs, exports and JSON get the mask.

    Only `opened` gives the value itself, and only this app calls it (a house rule test holds
    that); everyone else asks `Resident.contact` or `actions.reveal`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __str__(self) -> str:
        return MASK if self._value else ""

    def __repr__(self) -> str:
        return f"<Hidden {'…' if self._value else 'nothing'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def opened(hidden: Hidden) -> str:
    """Return the value itself. For `Resident.contact`, `reveal` and the out-tray alone."""
    return hidden._value


@dataclass(frozen=True)
class ShownContact:
    """What one reader sees of a resident's contact: the values, or masks in their place."""

    phone: str
    email: str
    address: str
    is_masked: bool


def masked() -> ShownContact:
    return ShownContact(MASK, MASK, MASK, is_masked=True)


def phone_key(phone: str) -> str:
    """Return the digits alone: ０９０－１２３４ and 090(1234) agree."""
    return "".join(c for c in unicodedata.normalize("NFKC", phone) if c.isdecimal())
