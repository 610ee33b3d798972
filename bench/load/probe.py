"""The load probe: streams on raw sockets and one epoll.

While the streams run, a read costs a clock and an append (on asyncio it would cost twice that); what the bytes say is
looked at when all are over. As a program it takes a route and a load as JSON, its argument, and writes the figures.
"""

import gc
import json
import select
import socket
import sys
import time
from dataclasses import asdict

from bench.load.figures import Heard, Run, figures
from bench.load.loads import Load, Route
from bench.load.stamps import now

PATIENCE, PATIENCE_SECONDS = 3, 5
"""Times the ideal time, and seconds more, after which streams that have not ended are given up."""
BUFFER = 1 << 16
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Stream:
    """A request and its answer, as far as it has been `heard`. Raises OSError where nobody listens."""

    def __init__(self, port: int, request: bytes) -> None:
        self.heard = Heard(now())
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def read(self, buffer: memoryview) -> bool:
        """Take what is there; False where the body or the connection has ended."""
        try:
            size = self.socket.recv_into(buffer)
        except OSError as error:
            self.heard.problem = type(error).__name__
            return False
        if not size:
            return False
        self.heard.arrived.append(now())
        chunk = bytes(buffer[:size])
        self.heard.chunks.append(chunk)
        return not chunk.endswith(_LAST_CHUNK)


def run(route: Route, load: Load) -> Run:
    """Put the load on the route and measure it."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    heard = _listen(route, load)
    cpu = time.process_time() - began
    gc.enable()
    return figures(route, load, heard, cpu)


def _listen(route: Route, load: Load) -> list[Heard]:
    """All streams, when they are over or given up."""
    request, buffer = route.request(load.ask.prompt()), memoryview(bytearray(BUFFER))
    began = time.monotonic()
    end = began + load.spread + PATIENCE * load.ideal + PATIENCE_SECONDS
    starts = [began + number * load.spread / load.streams for number in reversed(range(load.streams))]
    heard, reading = list[Heard](), dict[int, Stream]()
    with select.epoll() as epoll:
        while (starts or reading) and (at := time.monotonic()) < end:
            if starts and starts[-1] <= at:
                starts.pop()
                heard.append(_begin(route.port, request, epoll, reading))
                continue
            for number, _ in epoll.poll(max(0, (starts[-1] if starts else end) - at)):
                if not reading[number].read(buffer):
                    reading.pop(number).socket.close()
    for stream in reading.values():
        stream.heard.problem = "given up"
        stream.socket.close()
    return heard


def _begin(port: int, request: bytes, epoll: select.epoll, reading: dict[int, Stream]) -> Heard:
    """Send one more request, and read its answer from now on."""
    try:
        stream = Stream(port, request)
    except OSError as error:
        return Heard(now(), problem=type(error).__name__)
    number = stream.socket.fileno()
    reading[number] = stream
    epoll.register(number, select.EPOLLIN)
    return stream.heard


def main() -> None:
    asked = json.loads(sys.argv[1])
    json.dump(asdict(run(Route(**asked["route"]), Load(**asked["load"]))), sys.stdout)


if __name__ == "__main__":
    main()
