"""OpenTelemetry spans of streams and of the calls behind them; no text of a stream is in them.

What Ray adds here: with `tracing_config` Serve makes a span of each request, the parent of all others.
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

from deployments.telemetry.metrics import outcome
from deployments.telemetry.serve_internals import request_id, set_request_id
from gateway.events import Event, StreamCompleted, StreamFailed
from gateway.session import OnBatch, Session, SessionObserver
from gateway.upstream_settings import ModelRoute

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "reasoning-gateway"

tracer = trace.get_tracer(SERVICE)


def exporter() -> list[SpanProcessor]:
    """Return an exporter of OTLP over HTTP that OpenTelemetry's own variables configure, for `tracing_config`.

    If no endpoint is set, tracing is disabled: creating spans that nothing exports costs 10% of a stream's start-up.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        os.environ.setdefault(OTEL_SDK_DISABLED, "true")  # Serve makes its provider next, which reads it
        return []
    # Imported here because it loads an HTTP client that only an exporting process needs.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    os.environ.setdefault("OTEL_SERVICE_NAME", SERVICE)
    return [BatchSpanProcessor(OTLPSpanExporter())]


class StreamSpans:
    """Makes a span for each stream and passes the session on to `observer`; `models` gives each model's upstream."""

    def __init__(self, models: Mapping[str, ModelRoute], observer: SessionObserver) -> None:
        self._models, self._observer = models, observer

    def observe(self, session: Session) -> AbstractContextManager[OnBatch]:
        """Observe one session, as a `SessionObserver`. Without tracing this is the inner observer itself."""
        span = tracer.start_span("stream", start_time=time.time_ns() - int((time.monotonic() - session.began) * 1e9))
        return self._traced(span, session) if span.is_recording() else self._observer(session)

    @contextmanager
    def _traced(self, span: Span, session: Session) -> Iterator[OnBatch]:
        span.set_attributes(
            {
                "request_id": request_id(),
                "gateway.stream": session.id,
                "gateway.upstream": self._models[session.model].upstream,
                "gen_ai.request.model": session.model,
            }
        )
        try:
            with self._observer(session) as on_batch:
                yield on_batch
        finally:
            _finish(span, session.last)


def inject_context() -> dict[str, str]:
    """Return the current trace's context as headers, to send with a call; empty if tracing is disabled."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def call_span(name: str, id: str, context: Mapping[str, str]) -> AbstractContextManager[object]:
    """Answer a call on behalf of the request `id`, in a span that `name`s it within its caller's trace.

    `context` is the caller's `inject_context`; if that is empty, no span is made. Lines of the log carry the id.
    """
    set_request_id(id)
    if not context:
        return nullcontext()
    return tracer.start_as_current_span(
        name,
        propagate.extract(context),
        attributes={"request_id": id},
        record_exception=False,  # its message may quote the upstream
        set_status_on_exception=False,
    )


def annotate_current_span(attributes: Mapping[str, str]) -> None:
    """Add attributes to the span of the call that is being answered."""
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
