"""
The full-text index over SearchDoc: what the database keeps beside the table by itself.

SQLite: an external-content FTS5 table that triggers follow. Django rebuilds a table by making a
new one, and the triggers of the old one are lost without a word; so `install` runs after every
migration and a system check misses them loudly. PostgreSQL: a generated tsvector column per
weight, made from the blank-separated words as they are (`to_tsvector` would cut them again).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from madoguchi.knowledge import analyser
from madoguchi.knowledge.models import Faq, SearchDoc, SearchTerm

TABLE = "knowledge_searchdoc"
FTS = "knowledge_search_fts"
COLUMNS = ("title_words", "body_words", "asked_words", "senses")
CANDIDATES = 200  # a top 10 out of 200 is that of all documents; out of 20 it loses 4 %
BUDGET = 20_000  # documents that the words of one query may touch together

_NAMES = ", ".join(COLUMNS)
_NEW = ", ".join(f"new.{column}" for column in COLUMNS)
_OLD = ", ".join(f"old.{column}" for column in COLUMNS)
_GONE = f"INSERT INTO {FTS}({FTS}, rowid, {_NAMES}) VALUES ('delete', old.id, {_OLD});"  # noqa: S608
_HERE = f"INSERT INTO {FTS}(rowid, {_NAMES}) VALUES (new.id, {_NEW});"  # noqa: S608
TRIGGERS = {
    f"{FTS}_insert": f"AFTER INSERT ON {TABLE} BEGIN {_HERE} END",
    f"{FTS}_update": f"AFTER UPDATE OF {_NAMES} ON {TABLE} BEGIN {_GONE} {_HERE} END",
    f"{FTS}_delete": f"AFTER DELETE ON {TABLE} BEGIN {_GONE} END",
}


def install() -> None:
    """Make what is missing of the index; after a table rebuild fill it anew."""
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {FTS} USING fts5({_NAMES},"
                f" content='{TABLE}', content_rowid='id', tokenize=\"unicode61"
                " remove_diacritics 0 categories 'L* N* Co Mn S*'\")"
            )
            if missing_triggers():
                for name, action in TRIGGERS.items():
                    cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {action}")
                cursor.execute(f"INSERT INTO {FTS}({FTS}) VALUES ('rebuild')")  # noqa: S608
        elif not _has_vectors(cursor):
            for column, words in (
                ("title_tsv", "title_words"),
                ("all_tsv", " || ' ' || ".join(COLUMNS)),
            ):
                cursor.execute(
                    f"ALTER TABLE {TABLE} ADD COLUMN {column} tsvector GENERATED"
                    " ALWAYS AS (array_to_tsvector(array_remove("
                    f"string_to_array({words}, ' '), ''))) STORED"
                )
            cursor.execute(f"CREATE INDEX {FTS} ON {TABLE} USING gin (all_tsv)")


def _has_vectors(cursor: CursorWrapper) -> bool:
    columns = connection.introspection.get_table_description(cursor, TABLE)
    return any(column.name == "all_tsv" for column in columns)


def missing_triggers() -> list[str]:
    """Return the names of triggers that SQLite has lost; [] before the first migration."""
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return []
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in TRIGGERS if name not in there]


@transaction.atomic
def write(faqs: Iterable[Faq]) -> None:
    """Write the words of these FAQs' public texts, in the caller's transaction."""
    faqs = list(faqs)
    erase([faq.pk for faq in faqs])
    docs = [_document(faq) for faq in faqs if faq.live is not None]
    SearchDoc.objects.bulk_create(docs)
    _count(docs, by=1)


@transaction.atomic
def erase(faq_ids: Sequence[int]) -> None:
    """Take these FAQs out of the index, in the caller's transaction."""
    former = SearchDoc.objects.filter(faq__in=faq_ids)
    _count(former, by=-1)
    former.delete()


def forget_unused_terms() -> None:
    """Drop words that no document has any more; they only take room."""
    SearchTerm.objects.filter(documents__lte=0).delete()


def candidates(words: dict[str, int], *, limit: int = CANDIDATES) -> list[int]:
    """
    Return ids of the documents worth ranking, best first by the database's own measure.

    `words` maps each word to the number of documents it stands in. The rarest words are asked
    for until their documents exceed BUDGET; the rest still counts in the ranking.
    """
    asked: list[str] = []
    touched = 0
    for word, documents in sorted(words.items(), key=lambda item: (item[1], item[0])):
        touched += documents
        if documents > 0 and (not asked or touched <= BUDGET):
            asked.append(word)
    if not asked:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"SELECT rowid FROM {FTS} WHERE {FTS} MATCH %s"  # noqa: S608
                " AND rank MATCH 'bm25(2.0, 1.0, 1.0, 0.3)' ORDER BY rank, rowid LIMIT %s",
                [" OR ".join(_quoted(word) for word in asked), limit],
            )
        else:
            total = SearchDoc.objects.count()
            weights = [log(1 + total / words[word]) for word in asked]
            queries = [_lexeme(word) for word in asked]
            measure = " + ".join(
                "%s * ((all_tsv @@ %s::tsquery)::int + (title_tsv @@ %s::tsquery)::int)"
                for _ in asked
            )
            cursor.execute(
                f"SELECT id FROM {TABLE} WHERE all_tsv @@ %s::tsquery"  # noqa: S608
                f" ORDER BY {measure} DESC, id LIMIT %s",
                [
                    " | ".join(queries),
                    *(part for w, q in zip(weights, queries, strict=True) for part in (w, q, q)),
                    limit,
                ],
            )
        return [pk for (pk,) in cursor.fetchall()]


def _quoted(word: str) -> str:
    return '"{}"'.format(word.replace('"', '""'))


def _lexeme(word: str) -> str:
    return "'{}'".format(word.replace("\\", "\\\\").replace("'", "''"))


def _document(faq: Faq) -> SearchDoc:
    live = faq.public_text
    title, body = analyser.analyse(live.question), analyser.analyse(live.answer)
    asked = analyser.analyse(live.asked)
    return SearchDoc(
        faq=faq,
        title_words=" ".join(title.words),
        body_words=" ".join(body.words),
        asked_words=" ".join(asked.words),
        senses=" ".join(dict.fromkeys(title.senses + asked.senses + body.senses)),
        compounds=" ".join(dict.fromkeys(title.compounds + asked.compounds + body.compounds)),
        text=f"{analyser.fold(live.question)}\n{analyser.fold(live.answer)}",
        title_length=len(title.words),
        body_length=len(body.words),
        asked_length=len(asked.words),
        analyser_revision=analyser.revision(),
    )


def _count(docs: Iterable[SearchDoc], *, by: int) -> None:
    """Add to, or take from, the number of documents of each word."""
    documents: Counter[str] = Counter()
    titles: Counter[str] = Counter()
    bodies: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for doc in docs:
        title, body = set(doc.title_words.split()), set(doc.body_words.split())
        documents.update(title | body | {*doc.asked_words.split(), *doc.senses.split()})
        titles.update(title)
        bodies.update(body)
        both.update(title & body)
    table = SearchTerm._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO {table} (word, documents, titles, bodies, "both")'  # noqa: S608
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (word) DO UPDATE SET"
            f" documents = {table}.documents + excluded.documents,"
            f" titles = {table}.titles + excluded.titles,"
            f" bodies = {table}.bodies + excluded.bodies,"
            f' "both" = {table}."both" + excluded."both"',
            [  # in one order everywhere, so that two writers never wait for each other
                (word, by * documents[word], by * titles[word], by * bodies[word], by * both[word])
                for word in sorted(documents)
            ],
        )
