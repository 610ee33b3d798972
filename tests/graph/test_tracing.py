"""What a collector is sent of streams over the real graph: one trace each, and no text of them."""

import asyncio
from typing import Any

import httpx

from tests.fakes.collector import Collector, Span, Tree, trees
from tests.graph.conftest import SECRET, Observed
from tests.graph.test_logs import LOOKS, ask

UPSTREAM: Tree = ("ScriptedUpstream stream", [])
PARSER: Tree = ("StreamParser stream", [UPSTREAM])
PROMPT: Tree = ("Summarizer prompt", [UPSTREAM])
PART: Tree = ("Summarizer part", [UPSTREAM, UPSTREAM])
"""A part that is not grounded: the model is asked for a second draft."""


def request(*calls: Tree) -> list[Tree]:
    return [("replica_handle_request Ingress __call__", [*calls, ("stream", [])])]


async def traced(collector: Collector, id: str, tree: list[Tree]) -> list[Span]:
    """The spans of that request, once they are there."""
    for _ in range(LOOKS):
        if trees(spans := collector.trace(id)) == tree:
            break
        await asyncio.sleep(0.5)
    assert trees(spans) == tree
    return spans


def said(spans: list[Span], *names: str) -> dict[str, Any]:
    """Of the stream itself: its attributes whose names begin so."""
    (stream,) = [span for span in spans if span.name == "stream"]
    return {name: value for name, value in stream.attributes.items() if name.startswith(names)}


async def test_a_stream_is_one_trace(http: httpx.AsyncClient, observed: Observed) -> None:
    id = await ask(http, observed.url, f"</think>{SECRET}", id="traced-1")
    spans = await traced(observed.collector, id, request(PARSER, PART, PROMPT))
    assert {span.attributes["request_id"] for span in spans} == {id}
    assert {span.attributes["service.name"] for span in spans} == {"reasoning-gateway"}
    assert not [span for span in spans if span.failed]
    (name,) = said(spans, "gateway.stream").values()
    assert said(spans, "gateway.", "gen_ai.") == {
        "gateway.stream": name,
        "gateway.upstream": "qwen",
        "gateway.outcome": "completed",
        "gateway.stage": "",
        "gen_ai.request.model": "qwen2.5-coder-0.5b-instruct",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
    }
    calls = {span.attributes["gateway.call"] for span in spans if "gateway.call" in span.attributes}
    assert calls == {name, f"{name}-prompt", f"{name}-part-0-again"}  # of a part, its last draft
    assert SECRET.encode() not in observed.collector.bodies


async def test_a_stream_that_fails_is_marked(http: httpx.AsyncClient, observed: Observed) -> None:
    # A summary that is cut before it begins has no span.
    id = await ask(http, observed.url, {"summed_up": True}, {"fail": f"{SECRET} broke"}, id="traced-2")
    spans = await traced(observed.collector, id, request(PARSER, PROMPT))
    how = {"gateway.outcome": "failed", "gateway.stage": "upstream", "error.type": "upstream_error"}
    assert said(spans, "gateway.outcome", "gateway.stage", "error.") == how
    assert [span.name for span in spans if span.failed] == ["stream"]
    assert SECRET.encode() not in observed.collector.bodies
