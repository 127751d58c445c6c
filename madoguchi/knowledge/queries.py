from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from django.conf import settings
from django.db.models import Avg, Case, Count, Q, QuerySet, When

from madoguchi.knowledge import analyser, index
from madoguchi.knowledge.models import Faq, FaqQuerySet, FaqVersion, SearchDoc, SearchTerm
from madoguchi.knowledge.rules import Status, publication, ranking, synonyms
from madoguchi.offices.models import Division

LONGEST_QUERY = 2_000  # characters: a whole letter; what comes after is not read
MOST_WORDS = 150
EXCERPT = 110  # characters of an answer in a list
NEAR = 0.1  # score from which another FAQ is worth showing beside one


@dataclass(frozen=True)
class Hit:
    """A public FAQ that may answer, its score 0–1, and the words that brought it."""

    faq: Faq
    text: FaqVersion
    score: float
    words: tuple[str, ...]
    synonyms: tuple[str, ...]


def search(q: str, limit: int = 10, *, weights: ranking.Weights | None = None) -> list[Hit]:
    """
    Return at most `limit` public FAQs for a question in anybody's words, best first.

    The database supplies candidates, all words decide their order. Nothing to search for, or
    nothing found: [].
    """
    query = _query(q[:LONGEST_QUERY])
    statistics = _statistics(query)
    asked = {
        word: term.documents
        for word, term in statistics.terms.items()
        if word in {*query.words, *query.senses, *query.synonyms}
    }
    documents = _documents(index.candidates(asked))
    if not documents:
        return []
    statistics = _with_titles(statistics, documents)
    weights = weights or ranking.Weights(**settings.SEARCH_WEIGHTS)
    best = ranking.rank(query, documents, statistics, weights)[:limit]
    faqs = Faq.objects.public().select_related("live", "division", "search_doc")
    found = {faq.search_doc.pk: faq for faq in faqs.filter(search_doc__in=[r.pk for r in best])}
    return [_hit(found[one.pk], one) for one in best if one.pk in found]


def _hit(faq: Faq, ranked: ranking.Ranked) -> Hit:
    return Hit(faq, faq.public_text, ranked.score, ranked.words, ranked.synonyms)


def _query(text: str) -> ranking.Query:
    found = analyser.analyse(text)
    words = tuple(dict.fromkeys(found.words))[:MOST_WORDS]
    return ranking.Query(
        words=words,
        senses=tuple(dict.fromkeys(found.senses))[:MOST_WORDS],
        synonyms=synonyms.expand(found.words[: 2 * MOST_WORDS], _synonym_groups()),
        text=analyser.fold(text),
    )


@cache
def _synonym_groups() -> synonyms.Groups:
    lines = (analyser.WORDS / "synonyms.txt").read_text(encoding="utf-8").splitlines()
    return synonyms.read_groups(lines, lambda entry: analyser.analyse(entry).words)


def _statistics(query: ranking.Query) -> ranking.Statistics:
    lengths = SearchDoc.objects.aggregate(
        documents=Count("pk"),
        title=Avg("title_length"),
        body=Avg("body_length"),
        asked=Avg("asked_length"),
    )
    return ranking.Statistics(
        documents=lengths["documents"],
        title_length=lengths["title"] or 0,
        body_length=lengths["body"] or 0,
        asked_length=lengths["asked"] or 0,
        terms=_terms({*query.words, *query.senses, *query.synonyms}),
    )


def _with_titles(
    statistics: ranking.Statistics, documents: list[ranking.Document]
) -> ranking.Statistics:
    """Return the statistics with the words of the candidates' questions as well."""
    titles = {word for doc in documents for word in doc.title}
    terms = {**statistics.terms, **_terms(titles - statistics.terms.keys())}
    return replace(statistics, terms=terms)


def _terms(words: set[str]) -> dict[str, ranking.Term]:
    rows = SearchTerm.objects.filter(word__in=words, documents__gt=0)
    return {
        word: ranking.Term(*counts)
        for word, *counts in rows.values_list("word", "documents", "titles", "bodies", "both")
    }


def _documents(ids: list[int]) -> list[ranking.Document]:
    rows = SearchDoc.objects.filter(pk__in=ids).values_list(
        "pk", "title_words", "body_words", "asked_words", "senses", "text"
    )
    return [
        ranking.Document(
            pk=pk,
            title=title.split(),
            body=body.split(),
            asked=asked.split(),
            senses=frozenset(senses.split()),
            title_text=text.partition("\n")[0],
            body_text=text.partition("\n")[2],
        )
        for pk, title, body, asked, senses, text in rows
    ]


def table() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the public FAQs as rows: id, category, question, answer, division."""
    rows = (
        Faq.objects.public()
        .order_by("pk")
        .values_list("key", "live__category", "live__question", "live__answer", "division__name")
    )
    for key, category, question, answer, division in rows.iterator():
        yield key, category, question, answer, division or ""


def unindexed() -> QuerySet[Faq]:
    """Return the public FAQs whose words are missing or come from another analyser."""
    current = SearchDoc.objects.filter(analyser_revision=analyser.revision())
    return Faq.objects.public().exclude(search_doc__in=current)


@dataclass(frozen=True)
class ShownHit:
    """A hit as a list shows it: question and beginning of the answer, found words marked."""

    key: str
    category: str
    question: list[tuple[str, bool]]
    excerpt: list[tuple[str, bool]]
    synonyms: tuple[str, ...]


def shown_hits(q: str, limit: int) -> list[ShownHit]:
    """Return the hits of a search in pieces of text, each with whether it matched."""
    return [
        ShownHit(
            key=hit.faq.key,
            category=hit.text.category,
            question=analyser.marked(hit.text.question, {*hit.words, *hit.synonyms}),
            excerpt=analyser.marked(_excerpt(hit.text.answer), {*hit.words, *hit.synonyms}),
            synonyms=() if hit.words else hit.synonyms[:3],
        )
        for hit in search(q, limit)
    ]


def _excerpt(answer: str) -> str:
    plain = " ".join(answer.split())
    return f"{plain[:EXCERPT]}…" if len(plain) > EXCERPT else plain


def categories() -> list[tuple[str, int]]:
    """Return the categories of public FAQs with their counts, the largest first."""
    counted = Faq.objects.public().exclude(live__category="").values_list("live__category")
    return list(counted.annotate(count=Count("pk")).order_by("-count", "live__category"))


def of_category(category: str) -> QuerySet[Faq]:
    faqs = Faq.objects.public().filter(live__category=category).select_related("live")
    return faqs.order_by("-helped", "pk")


def related(faq: Faq, limit: int = 3) -> list[Hit]:
    """Return other public FAQs near this one."""
    hits = search(faq.public_text.question, limit + 1)
    return [hit for hit in hits if hit.faq.pk != faq.pk and hit.score >= NEAR][:limit]


def categories_of(faqs: QuerySet[Faq]) -> list[str]:
    names = faqs.exclude(category="").order_by("category").values_list("category", flat=True)
    return list(names.distinct())


def filtered(
    faqs: FaqQuerySet,
    *,
    on: date,
    q: str = "",
    status: str = "",
    category: str = "",
    division: Division | None = None,
    due: bool = False,
) -> QuerySet[Faq]:
    """Return the FAQs of a staff list, what waits for somebody first; `due`: review overdue."""
    for word in q.split():
        faqs = faqs.filter(
            Q(question__icontains=word) | Q(answer__icontains=word) | Q(key__icontains=word)
        )
    if status:
        faqs = faqs.filter(status=status)
    if category:
        faqs = faqs.filter(category=category)
    if division:
        faqs = faqs.filter(division=division)
    if due:
        faqs = faqs.public().filter(review_on__lt=on)
    turn = Case(When(status=Status.PROPOSED, then=0), When(status=Status.DRAFT, then=1), default=2)
    return faqs.select_related("division", "author").order_by(turn, "-written_at", "-pk")


def versions(faq: Faq) -> QuerySet[FaqVersion]:
    return faq.versions.select_related("author", "approved_by").order_by("-number")


def changes(faq: Faq) -> list[tuple[str, list[publication.Change]]]:
    """Return what the newest texts change against the public ones, field by field."""
    if faq.live is None or faq.status == Status.PUBLISHED:
        return []
    fields = (
        ("質問", "question"),
        ("ほかの聞かれ方", "asked"),
        ("回答", "answer"),
        ("分野", "category"),
    )
    return [
        (label, publication.compare(getattr(faq.live, name), getattr(faq, name)))
        for label, name in fields
        if getattr(faq.live, name) != getattr(faq, name)
    ]
