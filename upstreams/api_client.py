"""An HTTP client for streaming APIs, over aiohttp: its parser is C, and its pool does not slow down as it fills.

What aiohttp (3.14) leaves open is closed here: text that came before a connection broke is not lost with it, and every
failure is one of two. Knows nothing of what is asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

import aiohttp
import httpx
from aiohttp.http_exceptions import ContentEncodingError
from multidict import CIMultiDictProxy
from yarl import URL

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""A proxy of the environment cannot reach them."""


class Broken(Exception):
    """No connection, one that was lost, or something else than HTTP on it."""


class Undecodable(Exception):
    """The body is not in the encoding that it says it is in."""


class ApiClient:
    """For one API at the base `url`; only connecting has a deadline, and no cookies are kept. Proxies are the
    environment's, if it names any."""

    def __init__(self, url: str, headers: Mapping[str, str], connect_seconds: float) -> None:
        self._url, self._headers, self._connect_seconds = URL(url), dict(headers), connect_seconds
        self._trusted = httpx.create_ssl_context()  # reads many certificates, which no request should wait for

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "ApiResponse":
        """A JSON `body` to the `path` below the base, to the head of its answer. Raises Broken."""
        with _failures():
            url = self._url.joinpath(path)
            return ApiResponse(await self._session.post(url, data=body, headers=headers, allow_redirects=False))

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._session.close()

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        """Made where the loop runs that it belongs to."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json", **self._headers},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            trust_env=self._url.host not in LOOPBACK,
        )


class ApiResponse:
    """An answer whose body is `read` piece by piece. The socket rests while nobody reads: what comes meanwhile is then
    one piece, not one for each chunk."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response, self._begun = response, b""
        self.status: int = response.status
        self.headers: CIMultiDictProxy[str] = response.headers

    async def begin(self) -> bool:
        """Wait for the first of the body, which stays to be read; whether there is any. Raises as `read`."""
        self._begun = await self.read()
        return bool(self._begun)

    async def read(self) -> bytes:
        """What has come since; empty at the end. Raises Broken and Undecodable behind all that came before."""
        if begun := self._begun:
            self._begun = b""
            return begun
        self._rest(False)
        try:
            with _failures():
                return await self._response.content.readany()
        except (Broken, Undecodable):
            # aiohttp's `StreamReader` forgets what it has received and nobody read.
            if unread := self._response.content._read_nowait(-1):
                return unread
            raise
        finally:
            self._rest(True)

    def close(self) -> None:
        """Where its body was read to the end, its connection is kept for the next."""
        self._rest(False)
        self._response.release()

    def _rest(self, on: bool) -> None:
        """Behind its end an answer has no connection any more."""
        connection = self._response.connection
        if connection and (transport := connection.transport):
            transport.pause_reading() if on else transport.resume_reading()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise Undecodable(str(error.__cause__)) from error
        raise Broken(str(error) or type(error).__name__) from error
