"""The parts of `make hostile`: its API, its clients and its watcher, each without a gateway."""

import asyncio
import json
from collections import Counter
from threading import Semaphore

import pytest

from bench.hostile import api
from bench.hostile.__main__ import Result
from bench.hostile.clients import ROUTES, Clients, asked
from bench.hostile.memory import sampled, table
from bench.hostile.watcher import SCRIPT, Watched, answer, lateness, problem_of
from bench.load.figures import Recording
from bench.load.stamps import MARKS, digits
from bench.load.upstream import response_text

CHAT = ROUTES[1]


async def first_bytes(port: int, family: str) -> bytes:
    """Return what the API sends first when it is asked for a family."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    _, body = asked(CHAT, family)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    try:
        return await reader.read(100)
    finally:
        writer.close()


@pytest.mark.parametrize("family", sorted(set(api.FAMILIES) - {"mute"}))
async def test_every_family_begins_an_event_stream(family: str) -> None:
    async with api.serving() as port:
        assert (await first_bytes(port, family)).startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream")


def test_huge_chunks_have_a_megabyte_of_one_kind_of_text() -> None:
    assert {len(api.run_of(text)) for text in api.RUNS} <= {api.MEGABYTE, api.MEGABYTE - 1, api.MEGABYTE - 4}


async def test_each_kind_of_client_asks_something_and_ends_with_its_connection() -> None:
    received, came = list[bytes](), asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(20))
        came.set()
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        clients = Clients(server.sockets[0].getsockname()[1])
        kinds = clients.kinds()
        for kind in kinds:
            came.clear()
            asking = asyncio.ensure_future(kind())
            await came.wait()
            asking.cancel()
            await asyncio.wait([asking])
    assert len(kinds) == 12 + len(api.FAMILIES)
    assert all(received)


def recording(*written: int, end: bytes = b"data: [DONE]\n\n", late: int = 0) -> Recording:
    """Return a chat completion with the known answer, whose deltas were written at these times in microseconds."""
    words = response_text(SCRIPT).split(" ")
    texts = [f"~r{digits(at).decode()} so" for at in written]
    texts += [f" ~a{digits(written[-1] + 1).decode()}{words[0]}", *(f" {word}" for word in words[1:])]
    fields = ["reasoning_content"] * len(written) + ["content"] * len(words)
    events = [
        b"data: %b\n\n" % json.dumps({"choices": [{"delta": {field: text}}]}).encode()
        for field, text in zip(fields, texts, strict=True)
    ]
    arrived = [*(at + 10 + late for at in written), *[written[-1] + 20] * len(words), written[-1] + 30]
    return Recording(0, arrived, [*events, end])


WRITTEN = range(50_000, 50_000 * SCRIPT.deltas, 50_000)


def test_the_right_answer_is_recognized() -> None:
    assert problem_of(CHAT, recording(*WRITTEN)) == ""
    assert problem_of(CHAT, recording(*WRITTEN, end=b"")) == "no last event"
    assert problem_of(CHAT, recording(*WRITTEN[1:])) == "deltas are missing"
    other = recording(*WRITTEN)
    other.chunks.insert(-1, b'data: {"choices": [{"delta": {"content": "more"}}]}\n\n')
    other.arrived.append(other.arrived[-1])
    assert problem_of(CHAT, other) == "another answer"
    assert MARKS["reasoning"] not in answer(b"".join(other.chunks)).encode()


def test_a_stream_is_late_by_its_latest_delta_its_first_request_or_its_end() -> None:
    assert lateness(recording(*WRITTEN)) == 29
    assert lateness(recording(*WRITTEN, late=70_000)) == 70_010
    assert lateness(recording(*(at + 90_000 for at in WRITTEN))) == 90_000


def test_each_bound_that_is_missed_is_named() -> None:
    memory = Counter({"Ingress": 100, "Ray": 900})
    good = Watched(late=[0.2, 0.9], health=[0.1])
    assert Result(good, [memory, Counter({"Ingress": 190, "Ray": 900})], 0).missed() == []
    bad = Watched([1.3], Counter({"no last event": 2}), [1.2], Counter({"status 503": 3}))
    assert Result(bad, [memory, Counter({"Ingress": 201, "Ray": 900})], 0).missed() == [
        "2 of the watcher's streams failed",
        "a stream of the watcher was late by 1.3 s",
        "/health failed 3 times",
        "/health took 1.2 s",
        "memory is not back",
    ]


def test_memory_is_a_table_by_minute_and_part() -> None:
    samples = [Counter({"Ray": 900}), Counter({"Ray": 950, "Ingress": 100}), Counter({"Ray": 910, "Ingress": 90})]
    assert table(samples).splitlines() == [
        "| minute, MB | all | Ingress | Ray |",
        "|---|--:|--:|--:|",
        "| before | 900 | 0 | 900 |",
        "| 1 | 1050 | 100 | 950 |",
        "| after | 1000 | 90 | 910 |",
    ]


def test_memory_is_sampled_until_the_exit() -> None:
    taken = Semaphore(0)

    def take() -> Counter[str]:
        taken.release()
        return Counter({"Ray": 900})

    with sampled(take, seconds=0.001) as samples:
        taken.acquire()
        taken.acquire()
    count = len(samples)
    assert samples == [Counter({"Ray": 900})] * count
    assert count >= 2
