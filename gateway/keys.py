"""Access control: keys by their hashes, or addresses if there are no keys, and how many streams run at once.

Knows nothing of files, HTTP or ASGI.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import InvalidKey, Overloaded, TooManyStreams

_SHA256 = re.compile(r"[0-9a-f]{64}")
HINT = "send a key of this gateway as Authorization: Bearer KEY"


def key_hashes(text: str) -> tuple[str, ...]:
    """Return the SHA-256 that each line begins with, in lower-case hex. Skip empty lines and those that begin with `#`.

    Raises ValueError for any other line.
    """
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    hashes = tuple(words[0].lower() for words in lines)
    if not all(map(_SHA256.fullmatch, hashes)):
        raise ValueError("a line of the keys does not begin with a SHA-256 in hex, as sha256sum prints it")
    return hashes


class Keys:
    """The clients that are admitted: those with a key whose SHA-256 is in `hashes`.

    Without any hashes: every client if `anonymous`, else clients on this machine only.
    """

    def __init__(self, hashes: tuple[str, ...], anonymous: bool = False) -> None:
        self._hashes, self._anonymous = hashes, anonymous

    @property
    def required(self) -> bool:
        """True if only clients with a key are admitted."""
        return bool(self._hashes)

    @property
    def local_only(self) -> bool:
        """True if clients on this machine are admitted without a key, and no others."""
        return not (self._hashes or self._anonymous)

    def identify(self, authorization: str, address: str) -> str:
        """Return a name of the client to count its streams by: the hash of its key, or its address.

        `authorization` is the request's header, empty if it has none; `address` is the client's IP address, empty if a
        proxy hides it. Raises InvalidKey.
        """
        if self._hashes:
            return self._key_hash(authorization)
        if self.local_only and not is_loopback(address):
            raise InvalidKey("this gateway has no keys, so it answers its own machine only; configure keys for others")
        return address

    def _key_hash(self, authorization: str) -> str:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise InvalidKey(f"missing key: {HINT}")
        hashed = hashlib.sha256(key.strip().encode()).hexdigest()
        # Compare with every hash, each in constant time, so that the time taken tells nothing about the keys.
        if not sum(hmac.compare_digest(hashed, known) for known in self._hashes):
            raise InvalidKey(f"unknown key: {HINT}")
        return hashed


class ConcurrencyLimiter:
    """Counts streams: at most `per_client` of one client and `in_all` of all clients run at once.

    Clients whose name is empty cannot be told apart, so only the limit of all applies to them.
    """

    def __init__(self, per_client: int, in_all: int) -> None:
        self.resize(per_client, in_all)
        self._running: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    def resize(self, per_client: int, in_all: int) -> None:
        """Change both limits; streams that run beyond the new ones go on."""
        self._per_client, self._in_all = per_client, in_all

    @contextmanager
    def slot(self, client: str) -> Iterator[None]:
        """Occupy one slot. Raises TooManyStreams if the client has all it may have, Overloaded if all are taken."""
        if client and self._running[client] >= self._per_client:
            limit = f"limit {self._per_client} for each client"
            raise TooManyStreams(f"too many concurrent streams ({limit}); wait for one to end")
        if self._running.total() >= self._in_all:
            raise Overloaded("the gateway has as many streams as it takes; try again shortly")
        self._running[client] += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
            if not self._running:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until no stream runs."""
        await self._idle.wait()


def is_loopback(address: str) -> bool:
    """Return whether `address` is an IP address of this machine's loopback interface, also as IPv4 mapped into IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
