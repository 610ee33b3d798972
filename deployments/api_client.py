"""An httpx client for streaming APIs, over aiohttp: its parser is C, and its pool does not slow down as it fills.

httpcore (1.0) parses chunk by chunk in Python, and looks at every connection of its pool for each request. What
httpx-aiohttp (0.2) leaves open is closed here: text that came before a connection broke is not lost with it, and every
failure is httpx's own. Knows nothing of what is asked.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from client.api import DIRECT

READ_BYTES = 1 << 18
"""All that may wait in a socket that rests, in one piece: what uvloop reads at once."""


def api_client(url: str, headers: dict[str, str], connect_seconds: float) -> httpx.AsyncClient:
    """For one API at the base `url`; only connecting has a deadline, and no cookies are kept. Proxies are the
    environment's, if it names any."""
    trusted = httpx.create_ssl_context()
    return httpx.AsyncClient(
        base_url=url,
        headers=headers,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(None, connect=connect_seconds),
        transport=_Transport(trusted, proxies=True),
        mounts=dict.fromkeys(DIRECT, _Transport(trusted, proxies=False)),
    )


class _Transport(AiohttpTransport):
    def __init__(self, trusted: SSLContext, *, proxies: bool) -> None:
        super().__init__(verify=trusted, client=self._session)
        self._proxies = proxies

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self.ssl_context),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._proxies,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        response.stream = _Body(response.stream)
        return response


class _Body(httpx.AsyncByteStream):
    """The socket rests while nobody reads: what comes meanwhile is then one read, not one for each chunk.

    Where the connection breaks, aiohttp (3.14, `StreamReader.read`) forgets what it has received and nobody read.
    """

    def __init__(self, stream: Any) -> None:
        stream.CHUNK_SIZE = READ_BYTES
        self._stream, self._response = stream, stream._aiohttp_response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                with self._resting():
                    yield chunk
        except (httpx.TransportError, aiohttp.ClientError) as error:
            if unread := self._response.content._read_nowait(-1):
                yield unread
            if isinstance(error, aiohttp.ClientError):
                raise httpx.RemoteProtocolError(str(error)) from error
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    @contextmanager
    def _resting(self) -> Iterator[None]:
        """Behind its end an answer has no connection any more."""
        connection = self._response.connection
        transport = connection.transport if connection else None
        if transport:
            transport.pause_reading()
        try:
            yield
        finally:
            if transport:
                transport.resume_reading()
