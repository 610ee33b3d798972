"""The body of a request: read, decoded if it is compressed, and bounded in size and time.

The size is that after decoding. Knows nothing of what a body contains.
"""

import asyncio
import zlib

from fastapi import Request

from gateway.errors import InvalidRequest, RequestTimeout, RequestTooLarge, UnknownEncoding

ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Each Content-Encoding that is decoded, and zlib's `wbits` for it."""
ACCEPTED = "gzip, deflate"
"""Their names for people and for the header `Accept-Encoding` of a refusal (RFC 9110, 15.5.16)."""
SECONDS = 30.0
"""Seconds in which more of a body must come."""
BYTES_PER_SECOND = 1000
"""Bytes that a body must bring a second, after the first `SECONDS`."""


async def read(http: Request, limit: int, seconds: float = SECONDS) -> bytes:
    """Return the request's body, decoded.

    Raises RequestTooLarge if it has more than `limit` bytes, RequestTimeout if nothing of it comes for `seconds` or
    if it goes on coming too slowly, UnknownEncoding, or InvalidRequest if it is not what its encoding says.
    """
    decoder = _decoder(http)
    body = bytearray()
    now = asyncio.get_running_loop().time
    slowest = now() + seconds
    try:
        async with asyncio.timeout(seconds) as timeout:
            async for chunk in http.stream():
                slowest += len(chunk) / BYTES_PER_SECOND
                timeout.reschedule(min(now() + seconds, slowest))
                body += await decoder.decode(chunk, limit + 1 - len(body))
                if len(body) > limit:
                    raise RequestTooLarge(f"the request is larger than {limit} bytes")
    except TimeoutError:
        raise RequestTimeout(f"the rest of the body did not come within {seconds:g} s; send it again") from None
    decoder.check_end()
    return bytes(body)


class _Identity:
    """The decoder of a body that is not encoded."""

    async def decode(self, chunk: bytes, size: int) -> bytes:
        return chunk

    def check_end(self) -> None:
        pass


class _Inflater:
    """The decoder of one gzip member or one zlib stream; `name` is the encoding's."""

    def __init__(self, name: str) -> None:
        self._name, self._zlib = name, zlib.decompressobj(ENCODINGS[name])

    async def decode(self, chunk: bytes, size: int) -> bytes:
        """Return what follows from `chunk`, at most `size` bytes: a few bytes may stand for gigabytes.

        In a thread, since these take 20 ms for 8 MB.
        """
        try:
            decoded = await asyncio.to_thread(self._zlib.decompress, chunk, size)
        except zlib.error as error:
            raise InvalidRequest(f"the body is not {self._name}, as its Content-Encoding says: {error}") from None
        if self._zlib.unused_data:
            raise InvalidRequest(f"the body goes on after the end of its {self._name}")
        return decoded

    def check_end(self) -> None:
        if not self._zlib.eof:
            raise InvalidRequest(f"the body ends before its {self._name} does")


def _decoder(http: Request) -> _Identity | _Inflater:
    given = ",".join(http.headers.getlist("content-encoding")).lower()
    names = [name for name in map(str.strip, given.split(",")) if name not in ("", "identity")]
    match names:
        case []:
            return _Identity()
        case [name] if name in ENCODINGS:
            return _Inflater(name)
    raise UnknownEncoding(f"the Content-Encoding {given} is not decoded here; send {ACCEPTED}, or the body as it is")
