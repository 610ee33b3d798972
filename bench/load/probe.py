"""The load probe: streams on raw sockets and one epoll.

While the streams run, a read costs one reading of the clock and one append (half of what it costs with asyncio); the
bytes are parsed when all streams have ended. The program takes a route and a load as JSON and writes the figures.
"""

import gc
import json
import select
import socket
import sys
import time
from dataclasses import asdict

from bench.load.figures import Recording, Run, figures
from bench.load.loads import Load, Route
from bench.load.stamps import now

PATIENCE, PATIENCE_SECONDS = 3, 5
"""A stream is abandoned after this multiple of its ideal duration, plus this number of seconds."""
BUFFER = 1 << 16
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Stream:
    """A request and a `recording` of its answer. The constructor raises OSError if the connection is refused."""

    def __init__(self, port: int, request: bytes) -> None:
        self.recording = Recording(now())
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def read(self, buffer: memoryview) -> bool:
        """Read the available bytes. Return False if the body or the connection has ended."""
        try:
            size = self.socket.recv_into(buffer)
        except OSError as error:
            self.recording.problem = type(error).__name__
            return False
        if not size:
            return False
        self.recording.arrived.append(now())
        chunk = bytes(buffer[:size])
        self.recording.chunks.append(chunk)
        return not chunk.endswith(_LAST_CHUNK)


def run(route: Route, load: Load) -> Run:
    """Put a load on a route, and return its figures."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    recordings = record(route, load)
    cpu = time.process_time() - began
    gc.enable()
    return figures(route, load, recordings, cpu)


def record(route: Route, load: Load) -> list[Recording]:
    """Return the recordings of all streams, when each has ended or has been abandoned."""
    request, buffer = route.request(load.script.prompt()), memoryview(bytearray(BUFFER))
    began = time.monotonic()
    end = began + load.spread + PATIENCE * load.ideal + PATIENCE_SECONDS
    starts = [began + number * load.spread / load.streams for number in reversed(range(load.streams))]
    recordings, reading = list[Recording](), dict[int, Stream]()
    with select.epoll() as epoll:
        while (starts or reading) and (at := time.monotonic()) < end:
            if starts and starts[-1] <= at:
                starts.pop()
                recordings.append(_begin(route.port, request, epoll, reading))
                continue
            for number, _ in epoll.poll(max(0, (starts[-1] if starts else end) - at)):
                if not reading[number].read(buffer):
                    reading.pop(number).socket.close()
    for stream in reading.values():
        stream.recording.problem = "given up"
        stream.socket.close()
    return recordings


def _begin(port: int, request: bytes, epoll: select.epoll, reading: dict[int, Stream]) -> Recording:
    """Send a request and register its socket. Return its recording, to which `Stream.read` adds."""
    try:
        stream = Stream(port, request)
    except OSError as error:
        return Recording(now(), problem=type(error).__name__)
    number = stream.socket.fileno()
    reading[number] = stream
    epoll.register(number, select.EPOLLIN)
    return stream.recording


def main() -> None:
    arguments = json.loads(sys.argv[1])
    json.dump(asdict(run(Route(**arguments["route"]), Load(**arguments["load"]))), sys.stdout)


if __name__ == "__main__":
    main()
