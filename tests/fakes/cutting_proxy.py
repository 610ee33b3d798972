"""A TCP proxy in a thread, whose connections a test cuts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class CuttingProxy:
    """Listens at `port` and passes all bytes on to `target`, a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._pumps: list[Thread] = []
        self.port: int = self._listening.getsockname()[1]

    def cut(self) -> None:
        """Close all connections, in both directions; new ones are accepted."""
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut all connections and accept none."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self.cut()
        for pump in self._pumps:
            pump.join()
        for connection in (self._listening, *self._sockets):
            connection.close()

    def accept(self) -> None:
        with suppress(OSError):  # until it is closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    self._pumps.append(Thread(target=_pump, args=(source, sink)))
                    self._pumps[-1].start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def cutting_proxy(target: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target)
    thread = Thread(target=proxy.accept)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
