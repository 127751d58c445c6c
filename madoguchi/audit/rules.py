"""How one line of the trail is bound to the one before it."""

import hashlib

GENESIS = "0" * 64


def chain_hash(previous: str, *parts: str) -> str:
    """Return the SHA-256 of the previous hash and the parts, each preceded by its length."""
    digest = hashlib.sha256(previous.encode())
    for part in parts:
        raw = part.encode()
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.hexdigest()
