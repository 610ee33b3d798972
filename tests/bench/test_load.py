"""The load benchmark with fast, small loads: its parsing, its search and its tables, not its figures."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bench.load import probe
from bench.load.figures import Recording, stream_figures
from bench.load.loads import MODEL, SUMMARIZER, Load, Marking, Route, Script
from bench.load.meter import Meter
from bench.load.minimal_proxy import TagParser
from bench.load.plan import FULL, QUICK, Bench
from bench.load.processes import listens, server
from bench.load.report import markdown, results, svg
from bench.load.stamps import MARKS, Received, digits
from bench.load.sustained import restart, sustained
from bench.load.targets import gateway_config, gateway_rows, proxy
from bench.load.upstream import PROMPT_SUMMARY, characters, chunks, summary_of
from cluster.local import free_port
from gateway.config import GatewaySettings
from gateway.reasoning import ReasoningParser
from gateway.reasoning.formats import FORMATS
from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.part_check import PartCheck
from gateway.summaries.protocol import PartTask
from gateway.summaries.steps import Steps

FEW = Load(5, deltas=20, pace=500, spread=0.02)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Start a scripted upstream, and return its port and its pid."""
    port = free_port()
    command = [sys.executable, "-m", "bench.load.upstream", "--port", str(port)]
    log = tmp_path_factory.mktemp("upstream") / "log"
    with server(command, f"http://127.0.0.1:{port}/health", log, {}) as pid:
        yield port, pid


def stamped(*times: int) -> bytes:
    return b"".join(b"%b%b word" % (MARKS["reasoning"], digits(at)) for at in times)


def texts_of(script: Script) -> dict[str, str]:
    """Return the reasoning and the response of an answer with their stamps."""
    parser, texts = ReasoningParser(FORMATS["auto"]), {"reasoning": "", "response": ""}
    pieces = [
        json.loads(piece.before.split(b"data: ")[1] + digits(7) + piece.after.split(b"\n")[0])
        for piece in chunks(script)
    ]
    segments = [segment for piece in pieces for segment in parser.feed(piece["choices"][0]["delta"]["content"])]
    for segment in [*segments, *parser.close()]:
        texts[segment.kind] += segment.text
    return texts


def test_stamps_are_found_wherever_a_read_splits_them() -> None:
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


def test_the_scripted_summary_of_a_part_is_taken() -> None:
    before, steps = "", Steps()
    for step in [*steps.feed(texts_of(Script(600, 50))["reasoning"]), *steps.close()]:
        task = PartTask(step=step.text, request="How long does the train take?", before=before)
        check = PartCheck(task, EarlierSteps())
        decoder, written = check.decoder(), summary_of(f"<piece>\n{step.text}\n</piece>")
        text = decoder.feed(written) + decoder.close()
        assert f"**{check.checked_title(decoder.title)}** {text}" == written
        before = f"{decoder.title}\n{text}"


def test_merged_deltas_count_each_and_a_repeated_text_does_not() -> None:
    text = stamped(1000, 2000, 3000)
    received = Received([3500, 4000], [b'{"delta":"%b"}' % text, b'{"text":"%b"}' % text])
    assert [delta.latency for delta in received.deltas()] == [2500, 1500, 500]


def test_the_latency_is_right_when_the_clock_of_the_stamps_overflows() -> None:
    turn = 1 << 32
    received = Received([turn + 70], [stamped(turn - 10, turn + 20)])
    assert [delta.latency for delta in received.deltas()] == [80, 50]


def test_a_script_is_read_from_its_prompt() -> None:
    for one in (Script(200, 50), Script(20, 1000, "field", cut=7)):
        assert Script.read(one.prompt()) == one
    with pytest.raises(ValueError, match="no script"):
        Script.read("Hello.")


def test_the_upstream_sends_reasoning_in_steps_and_a_response() -> None:
    texts = texts_of(Script(400, 50))
    assert (texts["reasoning"].count("~r"), texts["response"].count("~a")) == (300, 100)
    assert "<" not in texts["reasoning"] + texts["response"]
    assert len(Steps().feed(texts["reasoning"])) > 3
    assert 0 <= characters(400) - len(texts["reasoning"]) - len(texts["response"]) < 10


def test_the_search_finds_the_highest_rung_below_the_first_that_fails_twice() -> None:
    ladder = (8, 16, 24, 32)
    for most, found in ((7, 0), (8, 8), (24, 24), (31, 24), (99, 32)):
        for start in range(len(ladder)):
            assert sustained(lambda streams, most=most: streams <= most, ladder, start) == found  # type: ignore[misc]


def test_the_rung_between_is_tried_if_the_second_one_fails() -> None:
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
def test_every_delta_of_a_direct_stream_is_measured(upstream: tuple[int, int], reasoning: Marking) -> None:
    run = probe.run(Route(upstream[0]), replace(FEW, reasoning=reasoning))
    assert (run.streams, run.deltas, run.errors) == (5, 100, {})
    assert run.latency_p50 is not None
    assert run.hold_p50 is not None
    assert run.first_event_p50 is not None
    assert run.first_reasoning_p50 is not None
    assert 0 < run.first_event_p50 <= run.first_reasoning_p50


def test_incomplete_streams_are_counted_by_their_reason(upstream: tuple[int, int]) -> None:
    route = Route(upstream[0])
    cut = probe.run(route, replace(FEW, cut=7))
    assert (cut.deltas, cut.errors, cut.sustained) == (35, {"no last event": 5}, False)
    refused = probe.run(Route(free_port()), FEW)
    assert (refused.deltas, refused.latency_p50, refused.errors) == (0, None, {"ConnectionRefusedError": 5})
    lost = Recording(0, [9000], [b"HTTP/1.1 200 OK\r\n\r\n" + stamped(8000) + b"data: [DONE]"])
    assert stream_figures(route, FEW, lost).problem == "19 deltas missing"
    limited = Recording(0, [9000], [b'HTTP/1.1 429 Too Many Requests\r\n\r\n{"error": 1}'])
    assert stream_figures(route, FEW, limited).problem == "status 429"


def test_the_summarizer_answers_at_once(upstream: tuple[int, int]) -> None:
    url = f"http://127.0.0.1:{upstream[0]}/v1/chat/completions"
    for prompt, summary in (
        ("How long?", PROMPT_SUMMARY),
        ("<piece>\nIt goes on.\n</piece>", "**It goes on.** It goes on."),
    ):
        body = {"model": SUMMARIZER, "messages": [{"role": "user", "content": prompt}], "stream": True}
        answer = httpx.post(url, json=body, trust_env=False).text
        assert summary in answer
        assert answer.endswith("data: [DONE]\n\n")


def test_the_minimal_proxy_separates_reasoning_from_response(upstream: tuple[int, int]) -> None:
    port, pid = upstream
    with proxy(port) as running:
        (route,) = running.rows.values()
        lines = httpx.post(
            f"http://127.0.0.1:{route.port}{route.path}",
            content=route.request(FEW.script.prompt()).partition(b"\r\n\r\n")[2],
            trust_env=False,
        ).text.split("\n\n")
        run, costs = Meter(running, pid).measure("proxy", FEW)
        processes = running.processes()
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines if line.startswith("data: {")]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas).count("~r") == 15
    assert "".join(delta.get("content", "") for delta in deltas).count("~a") == 5
    assert (run.deltas, run.errors) == (100, {})
    assert len(processes) == 1
    assert costs["memory_mb"] > 0
    assert not listens(route.port)


def test_the_minimal_proxy_finds_a_tag_wherever_it_is_split() -> None:
    text = "a<think>b < c</think>d"
    for cut in range(len(text)):
        parser, fields = TagParser(), {"content": "", "reasoning_content": ""}
        for piece in (text[:cut], text[cut:]):
            for field, found in parser.feed(piece):
                fields[field] += found
        assert fields == {"content": "ad", "reasoning_content": "b < c"}


def test_a_server_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with (
        pytest.raises(RuntimeError, match="no such thing"),
        server(command, f"http://127.0.0.1:{free_port()}/health", tmp_path / "log", {}),
    ):
        pass


def test_the_gateways_config_is_valid() -> None:
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


def test_the_tables_and_the_plot_contain_every_row() -> None:
    run = {"at_once": 8, "streams": 8, "length": 50, "pace": 50, "received": 8000, "stalls": 0, "errors": {}}
    rows = ("direct", "litellm", "proxy", "gateway")
    bench = Bench(QUICK, (0, 0), print)
    for number, row in enumerate(rows, 1):
        bench.sustained[row] = [8 * number, 16 * number, 8 * number]
        bench.runs.append({**run, "part": "load", "row": row, "cpu_us": 100.0 * number, "latency_p99": None})
    bench.runs.append({**run, "part": "count", "row": "gateway", "cpu_us": 7.5})
    measured = results(bench, {"cores": 2})
    table = markdown(measured)
    assert "|  | direct | litellm | proxy | gateway |" in table
    assert "| streams sustained (each round) | 8 (8, 16, 8) | 16 (16, 32, 16) |" in table
    assert "| streams sustained, times LiteLLM's | 2.0 |" in table
    assert "| CPU a delta, µs | 7.5 |" in table
    assert all(f"{row}</text>" in svg(measured) for row in rows)


def test_a_run_of_one_load_has_neither_a_search_nor_goals() -> None:
    plan = FULL.only(64, 64)
    assert (plan.loads, plan.ladder, plan.lengths, plan.counts) == ((64, 64), (), (), ())
    bench = Bench(plan, (0, 0), print)
    for row in ("direct", "litellm", "proxy", "gateway"):
        bench.sustained[row] = []
        bench.runs.append({"part": "load", "row": row, "at_once": 64, "cpu_us": 7.5, "stalls": 0, "errors": {}})
    measured = results(bench, {"cores": 2})
    assert "| CPU a delta, 64 streams, µs | 7.5 | 7.5 | 7.5 | 7.5 |" in markdown(measured)
    assert "| streams sustained (each round) |  |  |  |  |" in markdown(measured)
    assert "Beside the others" not in markdown(measured)
    assert "gateway</text>" not in svg(measured)
