"""A server on a real socket that gives every request the same answer, and keeps what it was asked.

Knows nothing of events: an answer is bytes.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

READ_SECONDS = 30.0


class CannedServer(ThreadingHTTPServer):
    """Answers every POST with `body`, then hangs up or, if it is `endless`, waits until the client disconnects.

    `requests` are pairs of a path and a JSON body, `keys` the requests' authorization; `disconnected` is set once the
    client of an endless answer has disconnected.
    """

    daemon_threads = False

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str], endless: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.status, self.headers, self.endless = body, status, headers, endless
        self.requests: list[tuple[str, Any]] = []
        self.keys: list[str | None] = []
        self.disconnected = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: CannedServer
    timeout = READ_SECONDS

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)
        if self.server.endless:
            self._wait_for_disconnect()

    def _wait_for_disconnect(self) -> None:
        try:
            ended = self.connection.recv(1) == b""
        except ConnectionError:
            ended = True
        if ended:
            self.server.disconnected.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""
