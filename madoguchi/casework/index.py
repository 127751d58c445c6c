"""
The index of the cases: one way to every list and every search, the same on both databases.

A *sign* is a character or a pair of neighbouring characters of a case's text, or a mark: its
status, its category, who may see it. Of each sign the index keeps, in blocks of cases, one bit
for each case. A list is the AND and OR of bitmaps: its count is exact and its thousandth page is
as near as its first; reader's permissions are bitmaps like the rest. A word of three characters
or more is then looked for in the texts themselves, newest first.

`note` writes the text of a case in the transaction that changes it and leaves it *waiting*;
`merge` brings what waits into the bitmaps later, many at once. A search answers for the waiting
ones from the tables, so the index never lags. Plain tables: nothing is lost when Django rebuilds
one. The truth is `queries.cases_found`; `tests/test_index.py` compares.
"""

import re
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import add
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import Max, Q, Value
from django.utils import timezone

from madoguchi.casework import rules
from madoguchi.casework.models import (
    Case,
    Closure,
    Contact,
    Handover,
    Involvement,
    SearchBits,
    SearchText,
)
from madoguchi.foundation.japanese import text_key
from madoguchi.residents import actions as residents
from madoguchi.residents import queries as residents_found

BLOCK = 16_384  # cases; one bitmap of 2 KB
FEW = 12  # cases of a block that are listed rather than drawn as a bitmap
PART = "\n"  # between the fields of a text; no word holds it
FIELDS = "\f"  # between the three fields of `before`; folding has removed it from all
MERGED_AT_ONCE = 500
COUNTED = 1_000  # candidates of a long word that are looked into at once
CHAIN_LOCK = 7_206_012  # PostgreSQL's advisory lock of whoever merges

_ONE = re.compile("1")


@dataclass(frozen=True)
class Document:
    """What search knows of one case."""

    case: int
    text: str
    names: str
    marks: str

    @cached_property
    def signs(self) -> set[str]:
        return _signs(self.text, self.names, self.marks)


def _signs(text: str, names: str, marks: str) -> set[str]:
    found = _grams(text)
    found.update(marks.split())
    if names:
        found.update(f"h:{sign}" for sign in _grams(names))
    return found


def _grams(text: str) -> set[str]:
    found: set[str] = set()
    for part in text.split(PART):
        found.update(part)
        found.update(map(add, part, part[1:]))
    return found


# --- Writing -------------------------------------------------------------------------------


def note(*cases: int) -> None:
    """Write what search knows of the cases, in the caller's transaction; they wait for `merge`."""
    known = SearchText.objects.in_bulk(cases)
    new, changed = [], []
    for document in documents(cases):
        row = known.get(document.case)
        now = (document.text, document.names, document.marks)
        if row is None:
            new.append(_row(document))
        elif (row.text, row.names, row.marks) != now:
            if not row.is_waiting:
                row.before = FIELDS.join([row.text, row.names, row.marks])
                row.is_waiting = True
            row.text, row.names, row.marks = now
            changed.append(row)
    SearchText.objects.bulk_create(new, batch_size=500)
    fields = ["text", "names", "marks", "is_waiting", "before"]
    SearchText.objects.bulk_update(changed, fields, batch_size=100)


def note_new(case: Case, *, involved: int) -> None:
    """Note a case that was opened a moment ago: all there is to know of it is at hand."""
    person = case.resident
    document = _document(
        case=case.pk,
        texts=[case.number, case.title, case.summary],
        names=[person.name, person.kana] if person else [],
        is_hidden=person is not None and person.is_restricted,
        marks={f"m:u:{involved}"},
        is_sensitive=case.is_sensitive,
        received_at=case.received_at,
        s=case.status,
        k=case.kind,
        c=case.channel,
        g=case.category_id,
        o=case.owner_id,
        v=case.owner_id,
    )
    SearchText.objects.bulk_create([_row(document)])


def _document(
    *,
    case: int,
    texts: list[str],
    names: list[str],
    is_hidden: bool,
    marks: set[str],
    is_sensitive: bool,
    received_at: datetime,
    **more: Any,
) -> Document:
    day = timezone.localtime(received_at)
    marks |= {"m:a", f"m:d:{day:%Y%m%d}", f"m:m:{day:%Y%m}", f"m:y:{day:%Y}"}
    marks |= {f"m:{letter}:{value}" for letter, value in more.items()}
    if not is_sensitive:
        marks.add("m:p")
    return Document(
        case=case,
        text=_joined(texts if is_hidden else [*texts, *names]),
        names=_joined(names) if is_hidden else "",
        marks=" ".join(sorted(marks)),
    )


def _row(document: Document, *, is_waiting: bool = True) -> SearchText:
    return SearchText(
        case_id=document.case,
        text=document.text,
        names=document.names,
        marks=document.marks,
        is_waiting=is_waiting,
    )


def _catch_up(changed: Sequence[int]) -> None:
    """Note the cases of residents whose name, or whose restriction, has changed since."""
    with transaction.atomic():
        note(*Case.objects.filter(resident__in=changed).values_list("pk", flat=True))
        residents.settle_search(ids=changed)


@transaction.atomic
def merge(*, most: int = MERGED_AT_ONCE) -> int:
    """Bring the oldest waiting cases into the bitmaps; return how many they were."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    waiting = SearchText.objects.select_for_update().filter(is_waiting=True)
    rows = list(waiting.order_by("pk")[:most])
    come: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    gone: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        block, bit = divmod(row.pk, BLOCK)
        now = _signs(row.text, row.names, row.marks)
        before = _signs(*row.before.split(FIELDS)) if row.before else set()
        for sign in now - before:
            come[block][sign] |= 1 << bit
        for sign in before - now:
            gone[block][sign] |= 1 << bit
    for block in sorted(come.keys() | gone.keys()):
        signs = come[block].keys() | gone[block].keys()
        there = {sign: _as_number(bits) for sign, _, bits in _bitmaps(signs, block=block)}
        _save_bitmaps(
            (sign, block, _packed((there.get(sign, 0) & ~gone[block][sign]) | come[block][sign]))
            for sign in sorted(signs)
        )
    SearchText.objects.filter(pk__in=[row.pk for row in rows]).update(is_waiting=False, before="")
    return len(rows)


def fill() -> None:
    """Make the index when it misses a case: after an upgrade from a release without it."""
    if Case.objects.filter(search_text=None).exists():
        rebuild()


def differences() -> list[int]:
    """Return the cases of which search knows something else than the tables say."""
    known = {row.pk: (row.text, row.names, row.marks) for row in SearchText.objects.iterator()}
    ids = list(Case.objects.order_by("pk").values_list("pk", flat=True))
    return [
        document.case
        for start in range(0, len(ids), 1_000)
        for document in documents(ids[start : start + 1_000])
        if known.get(document.case) != (document.text, document.names, document.marks)
    ]


def rebuild(*, say: Callable[[int, int], None] | None = None) -> int:
    """
    Make the whole index anew, block by block; return how many cases it holds.

    Between two blocks the office goes on; what is not there yet is not found until its turn.
    """
    last = Case.objects.aggregate(last=Max("pk"))["last"] or 0
    SearchBits.objects.filter(block__gt=last // BLOCK).delete()
    count = 0
    for block in range(last // BLOCK + 1):
        count += _rebuild_block(block)
        if say is not None:
            say(min((block + 1) * BLOCK, last), last)
    return count


@transaction.atomic
def _rebuild_block(block: int) -> int:
    first = block * BLOCK
    ids = range(first, first + BLOCK)
    SearchText.objects.filter(case__gte=first, case__lt=first + BLOCK).delete()
    SearchBits.objects.filter(block=block).delete()
    places: dict[str, list[int]] = defaultdict(list)
    rows = []
    for document in documents(ids):
        rows.append(_row(document, is_waiting=False))
        place = document.case - first
        for sign in document.signs:
            places[sign].append(place)
    SearchText.objects.bulk_create(rows, batch_size=2_000)
    drawn = ((sign, block, _drawn(where)) for sign, where in sorted(places.items()))
    if connection.vendor == "postgresql":
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY casework_searchbits (sign, block, bits) FROM STDIN") as copy,
        ):
            for line in drawn:
                copy.write_row(line)
    else:
        _save_bitmaps(drawn)
    return len(rows)


def documents(ids: Sequence[int]) -> Iterator[Document]:
    """Return what search is to know of these cases, from the tables themselves."""
    if not ids:
        return
    if isinstance(ids, range):  # a whole block: too many to be named
        mine, own = Q(case__gte=ids[0], case__lte=ids[-1]), Q(pk__gte=ids[0], pk__lte=ids[-1])
    else:
        mine, own = Q(case__in=ids), Q(pk__in=ids)
    parts: dict[int, list[str]] = defaultdict(list)
    marks: dict[int, set[str]] = defaultdict(set)
    for case, text in Contact.objects.filter(mine).order_by("pk").values_list("case", "text"):
        parts[case].append(text)
    handovers = Handover.objects.filter(mine).order_by("pk")
    for case, to, state, note, outcome in handovers.values_list(
        "case", "to", "state", "note", "outcome"
    ):
        parts[case] += [note, outcome]
        if state not in rules.REFUSED:
            marks[case].add(f"m:v:{to}")
    closures = Closure.objects.filter(mine).order_by("pk")
    for case, result, conclusion, reason, reopened in closures.values_list(
        "case", "result", "conclusion", "reason", "reopened_at"
    ):
        parts[case] += [conclusion, reason]
        if reopened is None:
            marks[case].add(f"m:x:{result}")
    for case, user in Involvement.objects.filter(mine).values_list("case", "user"):
        marks[case].add(f"m:u:{user}")
    cases = Case.objects.filter(own).order_by("pk")
    for case, number, title, summary, name, kana, is_hidden, is_sensitive, *rest in (
        cases.values_list(
            "pk", "number", "title", "summary",
            "resident__name", "resident__kana", "resident__is_restricted", "is_sensitive",
            "status", "kind", "channel", "category", "owner", "received_at",
        )
    ):  # fmt: skip
        status, kind, channel, category, owner, received_at = cast("Any", rest)
        yield _document(
            case=case,
            texts=[number, title, summary, *parts.pop(case, [])],
            names=[name or "", kana or ""],
            is_hidden=bool(is_hidden),
            marks=marks.pop(case, set()),
            is_sensitive=is_sensitive,
            received_at=received_at,
            s=status,
            k=kind,
            c=channel,
            g=category,
            o=owner,
            v=owner,
        )


def _joined(texts: Iterable[str]) -> str:
    return PART.join(key for text in texts if (key := text_key(text)))


# --- Bitmaps -------------------------------------------------------------------------------


def _packed(bits: int) -> bytes:
    places = [BLOCK - 1 - found for found in _ones(f"{bits:0{BLOCK}b}")] if bits else []
    return _drawn(places[::-1])


def _drawn(places: Sequence[int]) -> bytes:
    """Keep few cases as their numbers, many as a bitmap, compressed where that helps."""
    if len(places) <= FEW:
        return b"n" + array("H", places).tobytes()
    bitmap = bytearray(BLOCK // 8)
    for place in places:
        bitmap[place >> 3] |= 1 << (place & 7)
    if len(places) < BLOCK // 16:
        return b"z" + zlib.compress(bitmap, 1)
    return b"b" + bytes(bitmap)


def _unpacked(kept: bytes) -> bytes:
    """Return the bitmap of the block, the first case in the lowest bit of the first byte."""
    kind, rest = kept[:1], kept[1:]
    if kind == b"b":
        return rest
    if kind == b"z":
        return zlib.decompress(rest)
    bitmap = bytearray(BLOCK // 8)
    for place in array("H", rest):
        bitmap[place >> 3] |= 1 << (place & 7)
    return bytes(bitmap)


def _as_number(kept: bytes) -> int:
    return int.from_bytes(_unpacked(kept), "little")


def _ones(digits: str) -> Iterator[int]:
    return (found.start() for found in _ONE.finditer(digits))


def _bitmaps(
    signs: Iterable[str], *, block: int | None = None
) -> Iterator[tuple[str, int, bytes]]:
    wanted = sorted(signs)
    narrowed = "" if block is None else f" AND block = {block:d}"
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), 5_000):
            part = wanted[start : start + 5_000]
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(
                "SELECT sign, block, bits FROM casework_searchbits"  # noqa: S608 our own numbers
                f" WHERE sign IN ({marks}){narrowed}",
                part,
            )
            for sign, where, bits in cursor.fetchall():
                yield sign, where, bytes(bits)


def _save_bitmaps(rows: Iterable[tuple[str, int, bytes]]) -> None:
    rows = list(rows)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO casework_searchbits (sign, block, bits) VALUES (%s, %s, %s)"
            " ON CONFLICT (sign, block) DO UPDATE SET bits = excluded.bits",
            rows,
        )


# --- Finding -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sought:
    """What a list asks for: of each set of marks one at least, and every word."""

    marks: tuple[frozenset[str], ...] = ()
    words: tuple[str, ...] = ()
    finds_hidden_names: bool = False
    also: frozenset[int] = (
        frozenset()
    )  # cases that have the words by another way: a phone, a number


@dataclass
class Found:
    """The cases of one list, newest first; long words are looked for as far as one reads."""

    sought: Sought
    bits: int
    to_check: tuple[str, ...] = ()
    checked: list[int] = field(default_factory=list)
    is_read: bool = False
    next: int = 0

    def count(self) -> tuple[int, bool]:
        """Return how many there are, and whether that is all: "1000 and more" is not."""
        candidates = self.bits.bit_count()
        if not self.to_check:
            return candidates, True
        if candidates <= COUNTED:
            self._read(candidates + 1)
        return len(self.checked), self.is_read

    def ids(self, start: int, stop: int) -> list[int]:
        """Return the ids from one place of the list to another."""
        if self.to_check:
            self._read(stop)
            return self.checked[start:stop]
        return _places(self.bits, start, stop)

    def _read(self, wanted: int) -> None:
        """Look into the texts of the next candidates until so many hold the words."""
        size = COUNTED
        while len(self.checked) < wanted and not self.is_read:
            candidates = _places(self.bits, self.next, self.next + size)
            self.next += len(candidates)
            self.is_read = len(candidates) < size
            self.checked += _holding(self.to_check, candidates, self.sought)
            size = 8 * COUNTED


def _places(bits: int, start: int, stop: int) -> list[int]:
    """Return the numbers of the ones from the highest down, the start-th to the stop-th."""
    found: list[int] = []
    whole = bits.to_bytes(-(-max(bits.bit_length(), 1) // (BLOCK)) * (BLOCK // 8), "little")
    skip, want = start, stop - start
    for block in range(len(whole) // (BLOCK // 8) - 1, -1, -1):
        here = int.from_bytes(whole[block * BLOCK // 8 : (block + 1) * BLOCK // 8], "little")
        if not here:
            continue
        ones = here.bit_count()
        if ones <= skip:
            skip -= ones
            continue
        first = block * BLOCK + BLOCK - 1
        for number, place in enumerate(_ones(f"{here:0{BLOCK}b}")):
            if number < skip:
                continue
            found.append(first - place)
            if len(found) == want:
                return found
        skip = 0
    return found


def _holding(words: Sequence[str], ids: Sequence[int], sought: Sought) -> list[int]:
    """Return which of the cases hold every word, in the same order."""
    if sought.also.issuperset(ids):
        return list(ids)
    place = "instr(text, %s) > 0" if connection.vendor == "sqlite" else "strpos(text, %s) > 0"
    if sought.finds_hidden_names:
        place = f"({place} OR {place.replace('text', 'names')})"
    values = [word for word in words for _ in range(1 + sought.finds_hidden_names)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT case_id FROM casework_searchtext"  # noqa: S608 our own numbers
            f" WHERE case_id IN ({','.join(map(str, ids))})"
            + "".join(f" AND {place}" for _ in words),
            values,
        )
        holding = {pk for (pk,) in cursor.fetchall()}
    return [pk for pk in ids if pk in holding or pk in sought.also]


def waiting() -> list[int]:
    """Return the cases that wait for the bitmaps, once renamed residents are taken note of."""
    here = SearchText.objects.filter(is_waiting=True).annotate(is_person=Value(0))
    people = residents_found.changed_for_search().annotate(is_person=Value(1))
    both = here.values_list("pk", "is_person").union(
        people.values_list("pk", "is_person"), all=True
    )
    found = list(both)
    if changed := [pk for pk, is_person in found if is_person]:
        _catch_up(changed)
        return waiting()
    return [pk for pk, _ in found]


def find(sought: Sought, *, found_waiting: Callable[[Sequence[int]], Iterable[int]]) -> Found:
    """
    Find the cases; `found_waiting` says which of those that wait for the index belong to them.

    First who waits, then the bitmaps: a case that is merged in between is seen in either.
    """
    outside = waiting()
    inside = list(found_waiting(outside)) if outside else []
    grams = {word: _pairs(word) or {word} for word in sought.words}
    signs = {sign for one_of in sought.marks for sign in one_of}
    signs.update(sign for found in grams.values() for sign in found)
    if sought.finds_hidden_names:
        signs.update(f"h:{sign}" for found in grams.values() for sign in found)
    bits = _numbers(signs | {"m:a"})
    result = bits["m:a"]
    for one_of in sought.marks:
        result &= _or(bits[sign] for sign in one_of)
    also = _number_of(sought.also)
    for found in grams.values():
        holding = _and(bits[sign] for sign in found)
        if sought.finds_hidden_names:
            holding |= _and(bits[f"h:{sign}"] for sign in found)
        result &= holding | also
    result = (result & ~_number_of(outside)) | _number_of(inside)
    return Found(sought, result, tuple(word for word in sought.words if len(word) > 2))


def _pairs(word: str) -> set[str]:
    return set(map(add, word, word[1:]))


def _numbers(signs: Iterable[str]) -> dict[str, int]:
    """Return the bitmaps of the signs over all blocks, each as one number."""
    kept: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for sign, block, bits in _bitmaps(signs):
        kept[sign].append((block, bits))
    numbers: dict[str, int] = defaultdict(int)
    for sign, blocks in kept.items():
        whole = bytearray((max(block for block, _ in blocks) + 1) * BLOCK // 8)
        for block, bits in blocks:
            if bits[:1] == b"n":
                for place in array("H", bits[1:]):
                    whole[block * BLOCK // 8 + (place >> 3)] |= 1 << (place & 7)
            else:
                start = block * BLOCK // 8
                whole[start : start + BLOCK // 8] = _unpacked(bits)
        numbers[sign] = int.from_bytes(whole, "little")
    return numbers


def _number_of(ids: Iterable[int]) -> int:
    ids = list(ids)
    whole = bytearray(max(ids, default=0) // 8 + 1)
    for pk in ids:
        whole[pk >> 3] |= 1 << (pk & 7)
    return int.from_bytes(whole, "little")


def _or(numbers: Iterable[int]) -> int:
    result = 0
    for number in numbers:
        result |= number
    return result


def _and(numbers: Iterable[int]) -> int:
    result = -1
    for number in numbers:
        result &= number
    return result
