"""The load benchmark at a fast pace: what it says of streams, not how fast they are."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bench.load import probe
from bench.load.figures import Heard, tell
from bench.load.loads import MODEL, SUMMARIZER, Ask, Load, Marking, Route
from bench.load.meter import Meter
from bench.load.minimal_proxy import TagParser
from bench.load.plan import QUICK, Bench
from bench.load.processes import listens, server
from bench.load.report import markdown, results, svg
from bench.load.stamps import MARKS, Received, digits
from bench.load.sustained import restart, sustained
from bench.load.targets import gateway_config, gateway_rows, proxy
from bench.load.upstream import characters, script
from cluster.local import free_port
from gateway.config import GatewaySettings
from gateway.reasoning import ReasoningParser
from gateway.reasoning.formats import FORMATS
from gateway.summaries.steps import Steps

FEW = Load(5, deltas=20, pace=500, spread=0.02)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The port and pid of a scripted upstream."""
    port = free_port()
    command = [sys.executable, "-m", "bench.load.upstream", "--port", str(port)]
    log = tmp_path_factory.mktemp("upstream") / "log"
    with server(command, f"http://127.0.0.1:{port}/health", log, {}) as pid:
        yield port, pid


def stamped(*times: int) -> bytes:
    return b"".join(b"%b%b word" % (MARKS["reasoning"], digits(at)) for at in times)


def test_stamps_are_found_wherever_reads_cut_them() -> None:
    body = stamped(1000, 2000) + MARKS["response"] + digits(3000)
    for cut in range(1, len(body)):
        deltas = list(Received([5000, 6000], [body[:cut], body[cut:]]).deltas())
        assert [delta.kind for delta in deltas] == ["reasoning", "reasoning", "response"]
        ends = [10, 25, 40]
        arrived = [5000 if end <= cut else 6000 for end in ends]
        assert [delta.arrived for delta in deltas] == arrived
        assert [delta.latency for delta in deltas] == [
            at - written for at, written in zip(arrived, (1000, 2000, 3000), strict=True)
        ]


def test_deltas_in_one_frame_count_each_and_repeated_texts_not() -> None:
    text = stamped(1000, 2000, 3000)
    received = Received([3500, 4000], [b'{"delta":"%b"}' % text, b'{"text":"%b"}' % text])
    assert [delta.latency for delta in received.deltas()] == [2500, 1500, 500]


def test_stamps_go_on_where_the_clock_turns_over() -> None:
    turn = 1 << 32
    received = Received([turn + 70], [stamped(turn - 10, turn + 20)])
    assert [delta.latency for delta in received.deltas()] == [80, 50]


def test_a_script_passes_through_a_prompt() -> None:
    for ask in (Ask(200, 50), Ask(20, 1000, "field", cut=7)):
        assert Ask.read(ask.prompt()) == ask
    with pytest.raises(ValueError, match="no script"):
        Ask.read("Hello.")


def test_the_scripted_text_is_reasoning_in_steps_and_a_response() -> None:
    parser, steps = ReasoningParser(FORMATS["auto"]), Steps()
    texts = {"reasoning": "", "response": ""}
    cut = 0
    pieces = [
        json.loads(piece.before.split(b"data: ")[1] + digits(7) + piece.after.split(b"\n")[0])
        for piece in script(Ask(400, 50))
    ]
    segments = [segment for piece in pieces for segment in parser.feed(piece["choices"][0]["delta"]["content"])]
    for segment in [*segments, *parser.close()]:
        texts[segment.kind] += segment.text
        cut += len(steps.feed(segment.text)) if segment.kind == "reasoning" else 0
    assert (texts["reasoning"].count("~r"), texts["response"].count("~a")) == (300, 100)
    assert "<" not in texts["reasoning"] + texts["response"]
    assert cut > 3
    assert 0 <= characters(400) - len(texts["reasoning"]) - len(texts["response"]) < 10


def test_the_highest_rung_below_the_first_that_fails_twice() -> None:
    ladder = (8, 16, 24, 32)
    for most, found in ((7, 0), (8, 8), (24, 24), (31, 24), (99, 32)):
        for start in range(len(ladder)):
            assert sustained(lambda streams, most=most: streams <= most, ladder, start) == found  # type: ignore[misc]


def test_the_rung_between_is_tried_where_the_second_does_not_hold() -> None:
    tried: list[int] = []

    def holds(streams: int) -> bool:
        tried.append(streams)
        return streams <= 32

    assert sustained(holds, (8, 16, 24, 32, 48, 64)) == 32
    assert tried == [8, 24, 48, 48, 32]


def test_a_rung_that_fails_once_is_tried_once_more() -> None:
    tried: list[int] = []

    def holds(streams: int) -> bool:
        tried.append(streams)
        return streams != 32 and tried != [8, 24]

    assert sustained(holds, (8, 16, 24, 32)) == 24
    assert tried == [8, 24, 24, 32, 32]
    assert [restart(before, (8, 16, 24)) for before in (0, 8, 16, 24)] == [0, 0, 0, 1]


@pytest.mark.parametrize("reasoning", ["tags", "field"])
def test_every_delta_of_a_direct_stream_is_seen(upstream: tuple[int, int], reasoning: Marking) -> None:
    run = probe.run(Route(upstream[0]), replace(FEW, reasoning=reasoning))
    assert (run.streams, run.deltas, run.errors) == (5, 100, {})
    assert run.latency_p50 is not None
    assert run.hold_p50 is not None
    assert run.first_event_p50 is not None
    assert run.first_reasoning_p50 is not None
    assert 0 < run.first_event_p50 <= run.first_reasoning_p50


def test_what_is_wrong_with_streams_is_told(upstream: tuple[int, int]) -> None:
    route = Route(upstream[0])
    cut = probe.run(route, replace(FEW, cut=7))
    assert (cut.deltas, cut.errors, cut.sustained) == (35, {"no last event": 5}, False)
    nobody = probe.run(Route(free_port()), FEW)
    assert (nobody.deltas, nobody.latency_p50, nobody.errors) == (0, None, {"ConnectionRefusedError": 5})
    lost = Heard(0, [9000], [b"HTTP/1.1 200 OK\r\n\r\n" + stamped(8000) + b"data: [DONE]"])
    assert tell(route, FEW, lost).problem == "19 deltas missing"
    refused = Heard(0, [9000], [b'HTTP/1.1 429 Too Many Requests\r\n\r\n{"error": 1}'])
    assert tell(route, FEW, refused).problem == "status 429"


def test_the_summarizer_answers_at_once(upstream: tuple[int, int]) -> None:
    url = f"http://127.0.0.1:{upstream[0]}/v1/chat/completions"
    for asked, said in (("How long?", "You ask"), ("> piece", "Time of the train\\\\n")):
        body = {"model": SUMMARIZER, "messages": [{"role": "user", "content": asked}], "stream": True}
        answer = httpx.post(url, json=body, trust_env=False).text
        assert said.replace("\\\\", "\\") in answer
        assert answer.endswith("data: [DONE]\n\n")


def test_the_minimal_proxy_tells_reasoning_from_response(upstream: tuple[int, int]) -> None:
    port, pid = upstream
    with proxy(port) as running:
        (route,) = running.rows.values()
        lines = httpx.post(
            f"http://127.0.0.1:{route.port}{route.path}",
            content=route.request(FEW.ask.prompt()).partition(b"\r\n\r\n")[2],
            trust_env=False,
        ).text.split("\n\n")
        run, written = Meter(running, pid).measure("proxy", FEW)
        spent = running.processes()
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines if line.startswith("data: {")]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas).count("~r") == 15
    assert "".join(delta.get("content", "") for delta in deltas).count("~a") == 5
    assert (run.deltas, run.errors) == (100, {})
    assert len(spent) == 1
    assert written["memory_mb"] > 0
    assert not listens(route.port)


def test_the_minimal_proxys_tags_may_be_cut_anywhere() -> None:
    text = "a<think>b < c</think>d"
    for cut in range(len(text)):
        parser, fields = TagParser(), {"content": "", "reasoning_content": ""}
        for piece in (text[:cut], text[cut:]):
            for field, said in parser.feed(piece):
                fields[field] += said
        assert fields == {"content": "ad", "reasoning_content": "b < c"}


def test_a_server_that_does_not_come_up_is_told_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with (
        pytest.raises(RuntimeError, match="no such thing"),
        server(command, f"http://127.0.0.1:{free_port()}/health", tmp_path / "log", {}),
    ):
        pass


def test_the_gateways_config_is_one_it_takes() -> None:
    config = gateway_config(8010)
    (application,) = config["applications"]
    settings = GatewaySettings.model_validate(application["args"])
    assert list(settings.models) == [MODEL, SUMMARIZER]
    assert settings.summary_model[0] == SUMMARIZER
    assert settings.upstream is None
    assert {one["name"] for one in application["deployments"]} == {
        "Ingress",
        "StreamParser",
        "Summarizer",
    }
    assert all(one["autoscaling_config"]["max_replicas"] == 1 for one in application["deployments"])
    assert len(gateway_rows(8000)) == 3


def test_the_tables_and_the_plot_have_every_row() -> None:
    run = {"at_once": 8, "streams": 8, "length": 50, "pace": 50, "received": 8000, "stalls": 0, "errors": {}}
    rows = ("direct", "litellm", "proxy", "gateway")
    bench = Bench(QUICK, (0, 0), print)
    for number, row in enumerate(rows, 1):
        bench.sustained[row] = [8 * number, 16 * number, 8 * number]
        bench.runs.append({**run, "part": "load", "row": row, "cpu_us": 100.0 * number, "latency_p99": None})
    bench.runs.append({**run, "part": "count", "row": "gateway", "cpu_us": 7.5})
    table = markdown(told := results(bench, {"cores": 2}))
    assert "|  | direct | litellm | proxy | gateway |" in table
    assert "| streams sustained (each round) | 8 (8, 16, 8) | 16 (16, 32, 16) |" in table
    assert "| streams sustained, times LiteLLM's | 2.0 |" in table
    assert "| CPU a delta, µs | 7.5 |" in table
    assert all(f"{row}</text>" in svg(told) for row in rows)
