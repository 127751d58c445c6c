"""HTTP and live updates in one ASGI application."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.core.management.base import BaseCommand

# Requests of one web process that are at work at the same time. Staff have a door of their own:
# the counter goes on working while a whole town wants the same morning. Few at the public's: what
# they do is short, and on SQLite those who want to write crowd out everybody else.
PUBLIC_AT_ONCE, STAFF_AT_ONCE = 4, 12


class Turnstile:
    """
    Let so many requests work at once; the others wait their turn, none is sent away.

    Django gives every request a thread and a database connection of its own. In a rush that is
    more than PostgreSQL accepts (100 unless configured), and on SQLite more writers than can
    wait in line. A request asks for its turn once its body has arrived, so that a slow sender
    keeps nobody waiting; a stream, once begun (live updates, files), gives its turn back.

    With its turn a request gets a seat: one of the threads that stay, with the database
    connection that stays in it. To open a new one for each request costs more than most pages.
    """

    def __init__(self, application: ASGIHandler, *, at_once: int) -> None:
        self.application = application
        self.places = asyncio.Semaphore(at_once)
        self.seats = [ThreadPoolExecutor(1, "seat") for _ in range(at_once)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The turn ends first, so that the context finds no thread of ours to shut down.
        async with ThreadSensitiveContext() as context, AsyncExitStack() as turn:
            is_inside = False

            def stand_up(seat: ThreadPoolExecutor) -> None:
                SyncToAsync.context_to_thread_executor.pop(context, None)
                self.seats.append(seat)

            async def read() -> Any:
                nonlocal is_inside
                message = await receive()
                is_whole = message["type"] == "http.request" and not message.get("more_body")
                if is_whole and not is_inside:
                    is_inside = True
                    await turn.enter_async_context(self.places)
                    seat = self.seats.pop()
                    SyncToAsync.context_to_thread_executor[context] = seat
                    turn.callback(stand_up, seat)
                return message

            async def answer(message: Any) -> None:
                if message.get("more_body"):
                    await turn.aclose()
                await send(message)

            await self.application(scope, read, answer)


class Doors:
    """Two turnstiles before one application: the staff's, and everybody else's."""

    def __init__(self, inside: ASGIHandler) -> None:
        self.public = Turnstile(inside, at_once=PUBLIC_AT_ONCE)
        self.staff = Turnstile(inside, at_once=STAFF_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        door = self.staff if scope.get("path", "").startswith("/staff/") else self.public
        await door(scope, receive, send)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = Doors(get_asgi_application())
BaseCommand().check()  # whatever server runs this: it refuses to serve an unsafe database
