"""
Live updates: durable events, written in the business transaction, read by every web process.

A process keeps one hub: it reads new events once and hands them to the open streams. What a
stream has received is named by a *position*, sent as the ``id:`` of server-sent events and given
back by the browser as ``Last-Event-ID``; every event at or after it may still be new.

* SQLite: one writer at a time, so the order of keys is the order of commits. Position = key.
* PostgreSQL: a lower key may be committed after a higher one. Position = the oldest transaction
  still running when the events were read (``pg_snapshot_xmin``): whatever becomes visible later
  was written by that transaction or a younger one.

An event may arrive twice, never not at all: it says "look again", it carries no content.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
from asgiref.sync import sync_to_async
from django.db import connection, models
from django.http import StreamingHttpResponse
from django.utils import timezone

from madoguchi.foundation.models import LiveEvent

log = logging.getLogger(__name__)

CHANNEL = "madoguchi_live"
POLL = 0.1  # seconds between two looks at SQLite's data_version
SAFETY = 5.0  # seconds after which the hub reads even if nobody called it
PULSE = 5.0  # seconds after which a quiet stream shows life, and is checked again
RETRY = 2_000  # milliseconds until the browser connects again
MOST = 1_000  # open streams of one process
WAITING = 100  # batches a slow browser may fall behind before it must connect again
OVERLAP = timedelta(seconds=15)  # between drawing a page and opening its stream
KEPT = timedelta(days=3)


class _CurrentTransaction(models.Func):
    """The number of the writing transaction; nothing on SQLite, where keys are in order."""

    template = "0"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: Any, db: Any, **more: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, db, template="pg_current_xact_id()::text::bigint", **more)


def publish(*, topic: str, kind: str, at: datetime, **ids: int | str) -> LiveEvent:
    """
    Tell every open screen of the topic that something changed, once this transaction commits.

    The body carries ids and numbers only: the screen asks for what it may see.
    """
    event = LiveEvent.objects.create(
        topic=topic, kind=kind, body=ids, at=at, written_in=_CurrentTransaction()
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return event


def prune(*, at: datetime) -> int:
    """Forget events that no open screen can still be waiting for; say how many."""
    count, _ = LiveEvent.objects.filter(at__lt=at - KEPT).delete()
    return count


@dataclass(frozen=True)
class Change:
    """One event as the hub reads it; `position` is its key or its transaction."""

    key: int
    position: int
    topic: str
    kind: str
    body: str  # JSON


@dataclass(frozen=True)
class Batch:
    """Events of one reading; a stream that got them all stands at `after`."""

    changes: tuple[Change, ...]
    before: int
    after: int


class Feed(Protocol):
    """How the hub learns of new events; one implementation for each database."""

    async def position(self) -> int:
        """Return where a stream stands that starts now."""

    async def wait(self) -> None:
        """Return when something may have been committed, SAFETY seconds later at the latest."""

    async def read(self, position: int) -> Batch:
        """Return the events at and after the position."""

    async def read_since(self, moment: datetime) -> list[Change]:
        """Return the events published at the moment or later."""

    async def close(self) -> None: ...


class SqliteFeed:
    """Watches the file on a connection of its own: a process does not see its own commits."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=SAFETY)
        self.version = self._version()

    def _version(self) -> int:
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def _changes(self, query: str, value: object) -> list[Change]:
        return [Change(*row) for row in self.db.execute(query, [value])]

    async def position(self) -> int:
        last = self.db.execute("SELECT max(id) FROM foundation_liveevent").fetchone()[0]
        return (last or 0) + 1

    async def wait(self) -> None:
        for _ in range(round(SAFETY / POLL)):
            await asyncio.sleep(POLL)
            version = self._version()
            if version != self.version:
                self.version = version
                return

    async def read(self, position: int) -> Batch:
        changes = self._changes(
            "SELECT id, id, topic, kind, body FROM foundation_liveevent WHERE id >= ? ORDER BY id",
            position,
        )
        after = changes[-1].key + 1 if changes else position
        return Batch(tuple(changes), before=position, after=after)

    async def read_since(self, moment: datetime) -> list[Change]:
        return self._changes(
            "SELECT id, id, topic, kind, body FROM foundation_liveevent WHERE at >= ? ORDER BY id",
            connection.ops.adapt_datetimefield_value(moment),
        )

    async def close(self) -> None:
        self.db.close()


class PostgresFeed:
    """Listens on one connection and reads on another; never through a pooling proxy."""

    def __init__(self, listener: "_Postgres", reader: "_Postgres") -> None:
        self.listener = listener
        self.reader = reader

    @classmethod
    async def connect(cls, parameters: dict[str, Any]) -> "PostgresFeed":
        listener = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        await listener.execute(f"LISTEN {CHANNEL}")
        reader = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        return cls(listener, reader)

    async def position(self) -> int:
        return (await self.read(2**62)).after

    async def wait(self) -> None:
        async for _ in self.listener.notifies(timeout=SAFETY, stop_after=1):
            pass

    async def read(self, position: int) -> Batch:
        cursor = await self.reader.execute(  # one snapshot for the oldest transaction and rows
            "SELECT now.oldest, e.id, e.written_in, e.topic, e.kind, e.body::text"
            " FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest) now"
            " LEFT JOIN foundation_liveevent e ON e.written_in >= %s ORDER BY e.id",
            [position],
        )
        rows = await cursor.fetchall()
        changes = tuple(Change(*row[1:]) for row in rows if row[1] is not None)
        return Batch(changes, before=position, after=rows[0][0])

    async def read_since(self, moment: datetime) -> list[Change]:
        cursor = await self.reader.execute(
            "SELECT id, written_in, topic, kind, body::text FROM foundation_liveevent"
            " WHERE at >= %s ORDER BY id",
            [moment],
        )
        return [Change(*row) for row in await cursor.fetchall()]

    async def close(self) -> None:
        await self.listener.close()
        await self.reader.close()


_Postgres = psycopg.AsyncConnection[Any]


async def open_feed() -> Feed:
    """Connect to the product's database, beside the connections that Django keeps."""
    if connection.vendor == "sqlite":
        return SqliteFeed(str(connection.settings_dict["NAME"]))
    parameters = connection.get_connection_params()
    return await PostgresFeed.connect(
        {k: v for k, v in parameters.items() if k not in ("context", "cursor_factory", "pool")}
    )


class Stream:
    """One open screen: the topics it follows and what waits to be sent to it."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        self.waiting: asyncio.Queue[Batch | None] = asyncio.Queue(WAITING)

    def offer(self, batch: Batch) -> bool:
        """Queue what concerns this screen; False when it has fallen too far behind."""
        mine = tuple(change for change in batch.changes if change.topic in self.topics)
        if not mine:
            return True
        try:
            self.waiting.put_nowait(Batch(mine, batch.before, batch.after))
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Let the screen connect again, from where it stands."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Hub:
    """Reads new events once for all streams of this process."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.feed: Feed | None = None
        self.pump: asyncio.Task[None] | None = None
        self.closing = False
        self.lock = asyncio.Lock()

    async def join(self, stream: Stream) -> tuple[Feed, int]:
        """
        Add the stream; return the feed and the position where it starts.

        The pump is started here, inside the streaming response: a task that is started in a
        view dies with the temporary loop in which synchronous middleware runs it.
        """
        async with self.lock:
            if self.feed is None:
                self.feed = await open_feed()
            if self.pump is None or self.pump.done():
                position = await self.feed.position()
                self.pump = asyncio.create_task(self._pump(position))
        self.streams.add(stream)  # before its position: from here on the pump serves it
        return self.feed, await self.feed.position()

    def leave(self, stream: Stream) -> None:
        self.streams.discard(stream)

    def close(self) -> None:
        """End every stream: the server is stopping."""
        self.closing = True
        for stream in self.streams:
            stream.end()

    async def _pump(self, position: int) -> None:
        given: set[int] = set()  # keys at or after the position that streams already have
        while not self.closing:
            try:
                if self.feed is None:
                    self.feed = await open_feed()
                else:
                    await self.feed.wait()
                batch = await self.feed.read(position)
            except (sqlite3.Error, psycopg.Error, OSError) as error:
                log.warning("live updates lost the database: %s", type(error).__name__)
                with suppress(Exception):
                    if self.feed is not None:
                        await self.feed.close()
                self.feed = None
                await asyncio.sleep(1)
                continue
            fresh = tuple(change for change in batch.changes if change.key not in given)
            given = {change.key for change in batch.changes if change.position >= batch.after}
            position = batch.after
            if fresh:
                self._hand_out(Batch(fresh, batch.before, batch.after))

    def _hand_out(self, batch: Batch) -> None:
        for stream in tuple(self.streams):
            if not stream.offer(batch):
                stream.end()


HUB = Hub()


async def _sent(
    topics: frozenset[str], last_seen: int | None, may_stay: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    stream = Stream(topics)
    try:
        feed, position = await HUB.join(stream)
        if last_seen is None:
            missed = await feed.read_since(timezone.now() - OVERLAP)
        else:
            missed = list((await feed.read(last_seen)).changes)
        already = {change.key for change in missed}
        yield f"retry: {RETRY}\n\n"
        yield _text((change for change in missed if change.topic in topics), position)
        while not HUB.closing:
            try:
                batch = await asyncio.wait_for(stream.waiting.get(), PULSE)
            except TimeoutError:
                if not await may_stay():
                    return
                yield ": ping\n\n"
                continue
            if batch is None or not await may_stay():
                return
            yield _text((c for c in batch.changes if c.key not in already), batch.after)
    finally:
        HUB.leave(stream)


def _text(changes: Iterable[Change], position: int) -> str:
    """Return the events, then the position: it counts only when all of them have arrived."""
    lines = []
    for change in changes:
        seen = json.dumps({"topic": change.topic, "kind": change.kind} | json.loads(change.body))
        lines.append(f"event: change\ndata: {seen}\n\n")
    return "".join([*lines, f"id: {position}\n\n"])


def respond(
    *, topics: Iterable[str], last_seen: str, may_stay: Callable[[], bool]
) -> StreamingHttpResponse:
    """
    Answer with the events of the topics as server-sent events named ``change``.

    `last_seen` is the request's Last-Event-ID or empty; `may_stay` is asked before every
    delivery and at least every PULSE seconds, and ends the stream by saying no.
    """

    @sync_to_async
    def still_welcome() -> bool:
        try:
            return may_stay()
        finally:
            connection.close()  # a stream is open for hours and must not hold a connection

    if len(HUB.streams) >= MOST:
        return StreamingHttpResponse(status=503, headers={"Retry-After": "30"})
    position = int(last_seen) if last_seen.isascii() and last_seen.isdigit() else None
    return StreamingHttpResponse(
        _sent(frozenset(topics), position, still_welcome),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
