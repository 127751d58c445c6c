"""Password hashing that cannot be used to keep every core and all memory busy."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 2
PATIENCE = 20.0  # seconds
_places = BoundedSemaphore(AT_ONCE)


class TooManyAtOnce(Exception):
    """More people are signing in than the machine can check; they should try again."""


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=PATIENCE):
        raise TooManyAtOnce
    try:
        yield
    finally:
        _places.release()


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id (RFC 9106) with Django's parameters, a few at a time in each process."""

    def encode(self, password: str, salt: str) -> str:
        with _place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _place():
            return super().verify(password, encoded)
