"""An HTTP client for streaming APIs, over aiohttp: its parser is C, and its pool does not slow down as it fills.

It adds two things to aiohttp (3.14): text that came before a connection broke is not lost with it, and every failure is
one of two. The only module with private API of aiohttp. Knows nothing of what is asked.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property

import aiohttp
import certifi
from aiohttp.http_exceptions import ContentEncodingError
from multidict import CIMultiDictProxy
from yarl import URL

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts for which the proxy of the environment is not used: it could not reach them."""

PIECE_BYTES = 16_384
"""The most bytes that are read at once: what is done with them takes a few milliseconds."""


class Broken(Exception):
    """There is no connection, it was lost, or something other than HTTP came over it."""


class Undecodable(Exception):
    """The body is not in the encoding that its headers name."""


class ApiClient:
    """An HTTP client for the API at the base `url`.

    Only connecting has a deadline. Cookies are not kept. Proxies and certificates are those that the environment names
    (HTTPS_PROXY, SSL_CERT_FILE), else none and Mozilla's.
    """

    def __init__(self, url: str, headers: Mapping[str, str], connect_seconds: float) -> None:
        self._url, self._headers, self._connect_seconds = URL(url), dict(headers), connect_seconds
        # Now, and not when the first request waits for it.
        self._trusted = _trusting(os.environ.get("SSL_CERT_FILE") or certifi.where())

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "ApiResponse":
        """Post a JSON `body` to `path` below the base; return the response once its head has come. Raises Broken."""
        with _failures():
            url = self._url.joinpath(path)
            return ApiResponse(await self._session.post(url, data=body, headers=headers, allow_redirects=False))

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._session.close()

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        """A session belongs to the event loop in which it is made, so it is made at the first request."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json", **self._headers},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            trust_env=self._url.host not in LOOPBACK,
        )


@cache
def _trusting(certificates: str) -> ssl.SSLContext:
    """Return a context with the certificates in a file; reading some hundred of them takes 20 ms."""
    return ssl.create_default_context(cafile=certificates)


class ApiResponse:
    """A response whose body is `read` piece by piece.

    The socket is paused while nobody reads: everything that comes meanwhile is then one piece, and the parser runs once
    for it instead of once for each chunk. What has come before that, 256 KB at most, is handed out in pieces of
    PIECE_BYTES, however large an API's chunks are.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response, self._first = response, b""
        self.status: int = response.status
        self.headers: CIMultiDictProxy[str] = response.headers

    async def begin(self) -> bool:
        """Wait for the first piece, which the next `read` returns; return whether there is any. Raises as `read`."""
        self._first = await self.read()
        return bool(self._first)

    async def read(self) -> bytes:
        """Return what has come since the last call, at most PIECE_BYTES of it; empty at the end.

        Raises Broken and Undecodable, after everything that came before.
        """
        if first := self._first:
            self._first = b""
            return first
        self._pause(False)
        try:
            with _failures():
                return await self._response.content.read(PIECE_BYTES)
        except (Broken, Undecodable):
            if unread := unread_bytes(self._response.content):
                return unread
            raise
        finally:
            self._pause(True)

    def close(self) -> None:
        """Release the connection; it is kept for the next request if the body was read to its end."""
        self._pause(False)
        self._response.release()

    def _pause(self, on: bool) -> None:
        connection = self._response.connection  # None once the body has ended
        if connection and (transport := connection.transport):
            transport.pause_reading() if on else transport.resume_reading()


def unread_bytes(content: aiohttp.StreamReader) -> bytes:
    """Return a piece that was received before a failure, which every public way to read raises instead."""
    unread: bytes = content._read_nowait(PIECE_BYTES)
    return unread


@contextmanager
def _failures() -> Iterator[None]:
    """Translate failures of aiohttp and of the socket into Broken and Undecodable."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise Undecodable(str(error.__cause__)) from error
        raise Broken(str(error) or type(error).__name__) from error
