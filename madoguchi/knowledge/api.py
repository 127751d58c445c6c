"""The public JSON API of what the office knows."""

from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema

from madoguchi.foundation import limits
from madoguchi.foundation.schemas import Invalids
from madoguchi.knowledge import access, queries

router = Router(tags=["FAQ"])


class FaqResult(Schema):
    """One public FAQ; `score` is 0–1, larger when it fits better."""

    id: str
    question: str
    answer: str
    score: float


class FaqResults(Schema):
    results: list[FaqResult]


class TooManySearches(Schema):
    """Too many requests; the header Retry-After says for how many seconds."""

    code: Literal["too_many"]
    message: str


@router.get("/faq", response={200: FaqResults, 422: Invalids}, summary="よくある質問を探す")
def search(
    request: HttpRequest,
    q: Annotated[str, Query(min_length=1, max_length=queries.LONGEST_QUERY)],
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> FaqResults:
    """Return public FAQs for a question in anybody's words, best first."""
    limits.spend(access.SEARCHES, request, at=timezone.now())
    return FaqResults(
        results=[
            FaqResult(
                id=hit.faq.key,
                question=hit.text.question,
                answer=hit.text.answer,
                score=hit.score,
            )
            for hit in queries.search(q, limit)
        ]
    )
