"""The spans of streams over the real graph, as a collector receives them: one trace each, without text."""

from typing import Any

import httpx

from gateway.summaries.part_draft import DRAFTS
from tests.fakes.collector import Collector, Span, Tree, trees
from tests.fakes.observed_gateway import SECRET, ObservedGateway, ask
from tests.fakes.polling import last_read

UPSTREAM: Tree = ("ScriptedUpstream stream", [])
PARSER: Tree = ("StreamParser stream", [UPSTREAM])
PROMPT: Tree = ("Summarizer prompt", [UPSTREAM])
PART: Tree = ("Summarizer part", [UPSTREAM] * DRAFTS)
"""A part that is not grounded: the model is asked for another draft."""


def request(*calls: Tree) -> list[Tree]:
    return [("replica_handle_request Ingress __call__", [*calls, ("stream", [])])]


async def spans_of(collector: Collector, request_id: str, tree: list[Tree]) -> list[Span]:
    """Return the spans of a request, once they form `tree`."""

    async def received() -> list[Span]:
        return collector.trace(request_id)

    spans = await last_read(received, lambda found: trees(found) == tree)
    assert trees(spans) == tree
    return spans


def attributes(spans: list[Span], *prefixes: str) -> dict[str, Any]:
    """Return the attributes of the stream's own span whose names have one of the prefixes."""
    (stream,) = [span for span in spans if span.name == "stream"]
    return {name: value for name, value in stream.attributes.items() if name.startswith(prefixes)}


async def test_a_stream_is_one_trace(http: httpx.AsyncClient, observed: ObservedGateway) -> None:
    id = await ask(http, observed.url, f"</think>{SECRET}", id="traced-1")
    spans = await spans_of(observed.collector, id, request(PARSER, PART, PROMPT))
    assert {span.attributes["request_id"] for span in spans} == {id}
    assert {span.attributes["service.name"] for span in spans} == {"reasoning-gateway"}
    assert not [span for span in spans if span.failed]
    (name,) = attributes(spans, "gateway.stream").values()
    assert attributes(spans, "gateway.", "gen_ai.") == {
        "gateway.stream": name,
        "gateway.upstream": "qwen",
        "gateway.outcome": "completed",
        "gateway.stage": "",
        "gen_ai.request.model": "qwen2.5-coder-1.5b-instruct",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
    }
    calls = {span.attributes["gateway.call"] for span in spans if "gateway.call" in span.attributes}
    assert calls == {name, f"{name}-prompt", f"{name}-part-0-again-{DRAFTS - 1}"}  # of a part, its last draft
    assert SECRET.encode() not in observed.collector.bodies


async def test_the_span_of_a_failed_stream_has_an_error_status(
    http: httpx.AsyncClient, observed: ObservedGateway
) -> None:
    # The script waits for the prompt's summary: a call that is cancelled before it begins has no span.
    id = await ask(http, observed.url, {"summed_up": True}, {"fail": f"{SECRET} broke"}, id="traced-2")
    spans = await spans_of(observed.collector, id, request(PARSER, PROMPT))
    outcome = {"gateway.outcome": "failed", "gateway.stage": "upstream", "error.type": "upstream_error"}
    assert attributes(spans, "gateway.outcome", "gateway.stage", "error.") == outcome
    assert [span.name for span in spans if span.failed] == ["stream"]
    assert SECRET.encode() not in observed.collector.bodies
