"""The cost of a batch between two deployments: the sockets of `deployments.rpc`, gRPC, and Serve's own handles.

    python -m bench.rpc [--rounds 3] [--seconds 4]

Two replicas of Serve in its throughput mode. One answers each call with a batch of five small items ten times a
second, on ticks that all its calls share, as `gateway.pacing` sends them; the other reads. Figures are microseconds of
CPU time of both processes together, all threads included and the idle processes' own subtracted: for each batch, and
for each call of one batch, its start. Medians of the rounds, in which the ways take turns.

sockets     deployments.rpc: at most four connections, a frame for whatever the calls have at a time
grpc        grpc.aio, a server stream for each call
grpc-bidi   grpc.aio, the same frames as the sockets over four bidirectional streams
serve       a call through Serve's handle with choose_replica and dispatch
"""

import argparse
import os
import secrets
import sys

os.environ.setdefault("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1")  # Ray reads it on import
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # else Ray writes one into the home

import asyncio
import json
import pickle
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import count
from math import floor
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import ray
from ray import serve

from deployments.rpc.client import MAX_CONNECTIONS, RpcClient
from deployments.rpc.protocol import Frame, OpenCall
from deployments.rpc.server import RpcServer
from deployments.rpc.server_connection import FrameWriter
from gateway.errors import Stopping
from gateway.mailbox import Mailbox
from gateway.upstream import Text

Batches = AsyncIterator[Sequence[Text]]
CALLS = (1, 16, 64, 200)
TICK_SECONDS, WARM_UP_SECONDS, STARTS = 0.1, 1.0, 200
SERVICE = "bench"


class Source(RpcServer):
    """Answers calls, each in one of the ways."""

    def __init__(self) -> None:
        super().__init__(max_calls=1000)

    async def batches(self, number: int | None) -> AsyncGenerator[Sequence[Text]]:
        """Yield so many batches at once, or one a tick until the call is cancelled."""
        now = asyncio.get_running_loop().time
        for tick in count():
            if tick == number:
                return
            yield [Text(f"word {tick} of {item}") for item in range(5)]
            if number is None:
                due = (floor(now() / TICK_SECONDS) + 1) * TICK_SECONDS
                await asyncio.sleep(due - now())

    async def cpu_seconds(self) -> float:
        return time.process_time()

    async def grpc_port(self) -> int:
        """Serve the same over gRPC until the next call of this method, at a free port of this machine."""
        self._grpc = grpc.aio.server()
        codec = {"request_deserializer": pickle.loads, "response_serializer": pickle.dumps}
        handlers = {
            "call": grpc.unary_stream_rpc_method_handler(self._call, **codec),
            "connection": grpc.stream_stream_rpc_method_handler(self._connection, **codec),
        }
        self._grpc.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
        port: int = self._grpc.add_insecure_port("127.0.0.1:0")
        await self._grpc.start()
        return port

    async def _call(self, number: int | None, _: Any) -> Batches:
        async for batch in self.batches(number):
            yield batch

    async def _connection(self, calls: AsyncIterator[OpenCall], _: Any) -> AsyncIterator[Frame]:
        channel = FrameQueue()
        frames = FrameWriter(channel)  # type: ignore[arg-type]

        async def answer(call: OpenCall) -> None:
            async for batch in self.batches(*call.args):
                frames.put(call.call, batch)
            frames.put(call.call, over=True)

        async def accept() -> None:
            async with asyncio.TaskGroup() as group:
                async for call in calls:
                    group.create_task(answer(call))

        accepting = asyncio.create_task(accept())
        try:
            while not channel.frames.over:
                for frame in await channel.frames.take():
                    yield frame
        finally:
            accepting.cancel()


class FrameQueue:
    """Stands for the socket of a FrameWriter."""

    def __init__(self) -> None:
        self.frames = Mailbox[Frame]()

    def send(self, frame: Frame) -> None:
        self.frames.put([frame])


class BidiClient:
    """Calls over a few bidirectional streams of gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        open_stream = channel.stream_stream(f"/{SERVICE}/connection", pickle.dumps, pickle.loads)
        self._streams = [(open_stream(), asyncio.Lock()) for _ in range(MAX_CONNECTIONS)]
        self._mailboxes: dict[int, Mailbox[Text]] = {}
        self._numbers = count()
        self._readers = [asyncio.create_task(self._read(stream)) for stream, _ in self._streams]

    async def call(self, number: int | None) -> AsyncGenerator[Sequence[Text]]:
        call = next(self._numbers)
        mailbox = self._mailboxes[call] = Mailbox[Text]()
        stream, writing = self._streams[call % MAX_CONNECTIONS]
        async with writing:  # gRPC takes one write at a time
            await stream.write(OpenCall(call, "batches", (number,)))
        while items := await mailbox.take():
            yield items

    async def _read(self, stream: Any) -> None:
        async for frame in stream:
            for output in frame.outputs:
                self._mailboxes[output.call].put(output.items)
                if output.over:
                    self._mailboxes.pop(output.call).close()


class Caller:
    """Reads what the source answers, in each of the ways, and measures both."""

    def __init__(self, source: Any) -> None:
        self._source = source

    async def measure(self, way: str, calls: int, seconds: float) -> dict[str, float]:
        """CPU seconds and batches of so many concurrent calls, once all have begun."""
        async with Way(way, self._source) as call:
            received = [0] * calls

            async def read(at: int) -> None:
                async with aclosing(call(None)) as batches:
                    async for _ in batches:
                        received[at] += 1

            readers = [asyncio.create_task(read(at)) for at in range(calls)]
            await asyncio.sleep(WARM_UP_SECONDS)
            before, batches = await self._cpu(), sum(received)
            await asyncio.sleep(seconds)
            after, batches = await self._cpu(), sum(received) - batches
            for reader in readers:
                reader.cancel()
            ended = await asyncio.gather(*readers, return_exceptions=True)
            assert all(isinstance(error, asyncio.CancelledError) for error in ended), ended
        return {"cpu": after - before, "batches": batches}

    async def start(self, way: str) -> dict[str, float]:
        """CPU seconds of calls of one batch, eight at a time, and how many there were."""
        async with Way(way, self._source) as call:

            async def begin(number: int) -> None:
                for _ in range(number):
                    async with aclosing(call(1)) as batches:
                        assert len([batch async for batch in batches]) == 1

            await asyncio.gather(*(begin(2) for _ in range(8)))
            before = await self._cpu()
            await asyncio.gather(*(begin(STARTS // 8) for _ in range(8)))
            return {"cpu": await self._cpu() - before, "calls": STARTS}

    async def _cpu(self) -> float:
        source: float = await self._source.cpu_seconds.remote()
        return source + time.process_time()


class Way:
    """A way to call the source, as a context manager."""

    def __init__(self, way: str, source: Any) -> None:
        self._way, self._source = way, source
        self._close: list[Callable[[], Any]] = []

    async def __aenter__(self) -> Callable[[int | None], AsyncGenerator[Sequence[Text]]]:
        if self._way == "sockets":
            client = RpcClient(self._source)
            self._close.append(partial(client.stop, Stopping("the measurement is over")))
            return lambda number: client.call("batches", number)
        if self._way == "serve":
            return self._dispatch
        port = await self._source.grpc_port.remote()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self._close.append(channel.close)
        if self._way == "grpc":
            stub = channel.unary_stream(f"/{SERVICE}/call", pickle.dumps, pickle.loads)
            return lambda number: _closing(stub(number))
        return BidiClient(channel).call

    async def __aexit__(self, *_: object) -> None:
        for close in self._close:
            await close()

    async def _dispatch(self, number: int | None) -> AsyncGenerator[Sequence[Text]]:
        handle = self._source.options(method_name="batches", stream=True)
        async with handle.choose_replica() as selection:
            answer = handle.dispatch(selection, number)
            try:
                async for batch in answer:
                    yield batch
            finally:
                answer.cancel()


async def _closing(answer: Any) -> AsyncGenerator[Sequence[Text]]:
    try:
        async for batch in answer:
            yield batch
    finally:
        answer.cancel()


async def run(rounds: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Microseconds by way and column; a column `rate` has the share of the batches that came in time."""
    options: dict[str, Any] = {"max_ongoing_requests": 1000, "ray_actor_options": {"num_cpus": 0.1}}
    source, caller_of = serve.deployment(**options)(Source).bind(), serve.deployment(**options)(Caller)
    await asyncio.to_thread(serve.run, caller_of.bind(source), route_prefix=None)
    caller = serve.get_app_handle("default")  # in this mode a handle belongs to an event loop
    idle = (await caller.measure.remote("serve", 0, seconds))["cpu"] / seconds
    figures: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for way in ("sockets", "grpc", "grpc-bidi", "serve"):
            columns = figures.setdefault(way, {})
            for calls in CALLS:
                measured = await caller.measure.remote(way, calls, seconds)
                cpu = (measured["cpu"] - idle * seconds) / max(1, measured["batches"])
                columns.setdefault(f"{calls} calls", []).append(1e6 * cpu)
                columns.setdefault(f"{calls} rate", []).append(measured["batches"] / (calls * seconds / TICK_SECONDS))
            measured = await caller.start.remote(way)
            columns.setdefault("start", []).append(1e6 * measured["cpu"] / measured["calls"])
            print(way, {name: round(values[-1], 2) for name, values in columns.items()}, file=sys.stderr)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many times each way has its turn (3)")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement (4)")
    asked = parser.parse_args()
    root = str(Path(__file__).parent.parent)
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": root}})
    figures = asyncio.run(run(asked.rounds, asked.seconds))
    ray.shutdown()
    print(json.dumps(figures))
    columns = list(figures["sockets"])
    print("| way | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for way, measured in figures.items():
        print(f"| {way} | " + " | ".join(f"{median(measured[name]):,.2f}" for name in columns) + " |")


if __name__ == "__main__":
    main()
