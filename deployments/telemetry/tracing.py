"""OpenTelemetry spans of streams; no text of a stream is in them.

What Ray adds here: with `tracing_config` Serve makes a span of each request; the calls behind it hang below.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import propagate, trace
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, StatusCode

from deployments.rpc.protocol import OpenCall
from deployments.telemetry.metrics import outcome
from deployments.telemetry.serve_internals import request_id, set_request_id
from gateway.config import ModelRoute
from gateway.events import Event, StreamCompleted, StreamFailed
from gateway.session import OnBatch, Session, SessionObserver

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "reasoning-gateway"

tracer = trace.get_tracer(SERVICE)


def exporter() -> list[SpanProcessor]:
    """What `tracing_config` names: OTLP over HTTP, as OpenTelemetry's own variables say.

    Where none is set, no span is made: those that nobody gets are a tenth of what it costs to begin a stream.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        os.environ.setdefault(OTEL_SDK_DISABLED, "true")  # Serve makes its provider next, which reads it
        return []
    # What sends is loaded only where something is sent.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    os.environ.setdefault("OTEL_SERVICE_NAME", SERVICE)
    return [BatchSpanProcessor(OTLPSpanExporter())]


class StreamSpans:
    """A span for each stream that `observe` looks at; `models` tells each model's upstream."""

    def __init__(self, models: Mapping[str, ModelRoute], observe: SessionObserver) -> None:
        self._models, self._observe = models, observe

    def observe(self, session: Session) -> AbstractContextManager[OnBatch]:
        """`web.routes.SessionObserver`; a span that nobody gets costs nothing more."""
        span = tracer.start_span("stream", start_time=time.time_ns() - int((time.monotonic() - session.began) * 1e9))
        return self._spanned(span, session) if span.is_recording() else self._observe(session)

    @contextmanager
    def _spanned(self, span: Span, session: Session) -> Iterator[OnBatch]:
        span.set_attributes(
            {
                "request_id": request_id(),
                "gateway.stream": session.id,
                "gateway.upstream": self._models[session.model].upstream,
                "gen_ai.request.model": session.model,
            }
        )
        try:
            with self._observe(session) as note:
                yield note
        finally:
            _finish(span, session.last)


def carried() -> dict[str, str]:
    """What names the trace that this is a part of, to take along in a call; empty where no span is made."""
    trace_of: dict[str, str] = {}
    propagate.inject(trace_of)
    return trace_of


def handling(deployment: str, call: OpenCall) -> AbstractContextManager[object]:
    """While a call is answered, its request's id stands in the lines of the log, and its span in its caller's trace."""
    set_request_id(call.request_id)
    if not call.trace:
        return nullcontext()
    return tracer.start_as_current_span(
        f"{deployment} {call.method}",
        propagate.extract(call.trace),
        attributes={"request_id": call.request_id},
        record_exception=False,  # its message may quote the upstream
        set_status_on_exception=False,
    )


def note(attributes: Mapping[str, str]) -> None:
    """Add to the span of the call that is being answered."""
    trace.get_current_span().set_attributes(attributes)


def _finish(span: Span, last: Event | None) -> None:
    ended, stage = outcome(last)
    span.set_attributes({"gateway.outcome": ended, "gateway.stage": stage})
    match last:
        case StreamCompleted(usage=usage):
            span.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", usage.completion_tokens)
        case StreamFailed(error=error):
            span.set_attribute("error.type", error.type)  # a message may quote the upstream
            span.set_status(StatusCode.ERROR)
    span.end()
