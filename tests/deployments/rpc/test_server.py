"""The answering end of links: who may come in, what gathers into frames, and TLS where Ray has it."""

import asyncio
import datetime
import ipaddress
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deployments.rpc import server as exchange
from deployments.rpc.protocol import KEY_BYTES, Address, CallOutput, CancelCall, Frame, OpenCall, messages, packed
from deployments.rpc.server import FrameWriter
from gateway.pacing import MOST, Load
from tests.fakes.replicas import Replica, called, here, taken, until

__all__ = ["here"]


async def visited(said: bytes) -> tuple[bytes, Replica]:
    """What a replica that expects somebody else answers to whoever says this."""
    replica = Replica()
    async with called(replica) as (peer, _):
        await taken(peer, "say", ["a"])
        assert replica._server is not None
        reader, writer = await asyncio.open_connection(*replica._server.sockets[0].getsockname())
        writer.write(said)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    return answer, replica


class Bomb:
    gone_off = False

    def __reduce__(self) -> Any:
        return setattr, (Bomb, "gone_off", True)


async def test_whoever_does_not_know_the_key_is_sent_away_unread() -> None:
    data = pickle.dumps(Bomb())
    answer, replica = await visited(bytes(KEY_BYTES) + len(data).to_bytes(4, "big") + data)
    assert answer == b""
    assert not Bomb.gone_off
    assert await replica.record_autoscaling_stats() == {"calls": 0}


async def test_whoever_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.01)
    assert (await visited(b"half a key"))[0] == b""


@asynccontextmanager
async def expected(replica: Replica) -> AsyncIterator[Address]:
    """Where the replica expects one caller, whose link is over in the end."""
    link = replica.link()
    address = await anext(link)
    held = asyncio.ensure_future(anext(link, None))
    yield address
    assert await held is None
    assert replica._server is not None
    replica._server.close()


async def test_a_key_lets_in_one_caller_once() -> None:
    replica = Replica()
    async with expected(replica) as address:
        first, second = [await asyncio.open_connection(address.host, address.port) for _ in range(2)]
        first[1].write(address.key)
        await until(lambda: not replica._expected)
        second[1].write(address.key)
        assert await second[0].read() == b""
        for _, writer in (first, second):
            writer.close()


async def test_a_call_that_is_given_up_before_it_begins_is_over() -> None:
    replica = Replica()
    async with expected(replica) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(address.key + packed(OpenCall(0, "hang", (), "", {})) + packed(CancelCall(0)))
        writer.write(packed(OpenCall(1, "say", (["a"],), "", {})))
        assert await anext(messages(reader)) == Frame(0, [CallOutput(1, ["a"], True)])
        await until(lambda: not replica.calls)
        assert replica.stopped == 0
        writer.close()


class Windowed(Load):
    @property
    def window(self) -> float:
        return 0.1


async def sent(put: Callable[[FrameWriter], None], frames: int) -> tuple[list[Frame], FrameWriter]:
    """What leaves of what is put, the first `frames` of it."""
    got: list[Frame] = []
    ready = asyncio.Event()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for frame in messages(reader):
            got.append(frame)
            if len(got) == frames:
                ready.set()
        writer.close()

    async with await asyncio.start_server(read, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        leaving = FrameWriter(writer, Windowed())
        put(leaving)
        await ready.wait()
        writer.close()
        await writer.wait_closed()
    return got, leaving


async def test_what_several_calls_have_within_a_window_leaves_in_one_frame() -> None:
    loop = asyncio.get_running_loop()

    def put(frames: FrameWriter) -> None:
        frames.put(1, ["a"])
        frames.put(2, ["b"])
        frames.put(1, ["c"], over=True)
        loop.call_later(0.005, frames.put, 2, ["d"])  # the window of a link is 0.02 here
        loop.call_later(0.010, frames.put, 3, ["e"])

    got, _ = await sent(put, 2)
    assert got == [
        Frame(0, [CallOutput(1, ["a", "c"], True), CallOutput(2, ["b"], False)]),
        Frame(1, [CallOutput(2, ["d"], False), CallOutput(3, ["e"], False)]),
    ]


async def test_there_is_no_room_while_too_much_waits() -> None:
    room: list[asyncio.Future[None]] = []

    def put(frames: FrameWriter) -> None:
        frames.put(1, list(range(MOST)))
        room.append(asyncio.ensure_future(frames.room()))

    await sent(put, 1)
    await asyncio.wait_for(room[0], 10)


def certified(folder: Path) -> dict[str, str]:
    """Ray's variables for a certificate of this machine that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "replica")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    files = {"RAY_TLS_SERVER_CERT": pem, "RAY_TLS_SERVER_KEY": private, "RAY_TLS_CA_CERT": pem}
    return {"RAY_USE_TLS": "1", **{name: str(file) for name, file in files.items()}}


async def test_links_are_under_tls_where_ray_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in certified(tmp_path).items():
        monkeypatch.setenv(name, value)
    replica = Replica()
    async with called(replica) as (peer, _):
        assert await taken(peer, "say", ["a"]) == ["a"]
        assert replica._server is not None
        plain, writer = await asyncio.open_connection(*replica._server.sockets[0].getsockname())
        writer.write(bytes(KEY_BYTES))
        async with asyncio.timeout(10):
            await plain.read()  # it is sent away
        writer.close()
