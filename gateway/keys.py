"""Who may ask: keys by their hashes, or addresses where there are none. Knows nothing of files, HTTP or ASGI."""

import hashlib
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import InvalidKey, TooManyStreams

_SHA256 = re.compile(r"[0-9a-f]{64}")
HOW = "send a key of this gateway as Authorization: Bearer KEY"


def key_hashes(text: str) -> tuple[str, ...]:
    """The hash that each line begins with, but for empty lines and those with `#`. Raises ValueError for any other."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    hashes = tuple(words[0].lower() for words in lines)
    if not all(map(_SHA256.fullmatch, hashes)):
        raise ValueError("a line of the keys does not begin with a SHA-256 in hex, as sha256sum prints it")
    return hashes


class Keys:
    """`hashes` are those of the keys; without any, `anonymous` lets anybody in, else only this machine."""

    def __init__(self, hashes: tuple[str, ...], anonymous: bool = False) -> None:
        self._hashes, self._anonymous = hashes, anonymous

    def holder(self, authorization: str, address: str) -> str:
        """Who asks, for counting: a key's hash or an address. Raises InvalidKey.

        `authorization` is the header, empty where there is none; `address` that of the client, empty where some proxy
        hides it.
        """
        if self._hashes:
            return self._known(authorization)
        if not (self._anonymous or is_loopback(address)):
            raise InvalidKey("this gateway has no keys, and so answers its own machine only; configure keys for others")
        return address

    def _known(self, authorization: str) -> str:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise InvalidKey(f"no key: {HOW}")
        hashed = hashlib.sha256(key.strip().encode()).hexdigest()
        # Every hash is compared, each in constant time, so that the time says nothing.
        if not sum(hmac.compare_digest(hashed, known) for known in self._hashes):
            raise InvalidKey(f"this key is not known: {HOW}")
        return hashed


class Streams:
    """Counts what each holder has at once, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[str] = Counter()

    @contextmanager
    def one(self, holder: str) -> Iterator[None]:
        """Raises TooManyStreams."""
        if self._running[holder] >= self._most:
            raise TooManyStreams(f"{self._most} streams at once are the most; wait for one to end")
        self._running[holder] += 1
        try:
            yield
        finally:
            self._running[holder] -= 1
            if not self._running[holder]:
                del self._running[holder]


def is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
