"""What every JSON API of the product answers when it refuses."""

from ninja import Schema


class Wrong(Schema):
    """One wrong field: where it stands and what to do."""

    type: str
    loc: list[str | int]
    msg: str


class Invalids(Schema):
    """422: every wrong field."""

    detail: list[Wrong]


class NotFound(Schema):
    """404: there is no such thing, or one may not know of it."""

    detail: str


class Refusal(Schema):
    """Why nothing was done, as a code for programs and as words for people."""

    code: str
    message: str
