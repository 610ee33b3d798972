"""An OpenTelemetry collector that receives OTLP over HTTP and keeps the spans."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Tree = tuple[str, list[Any]]
"""The name of a span, and the trees of its children in the order of their names."""


class Span(NamedTuple):
    """A span; `failed` is true if its status is an error. `attributes` include those of its resource."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    failed: bool
    attributes: dict[str, Any]


class Collector(ThreadingHTTPServer):
    """Listens on a free port while it is entered. `spans` and `bodies` are all that it has received."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.spans: list[Span] = []
        self.bodies = b""

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def trace(self, request_id: str) -> list[Span]:
        """Return the spans of all traces in which a span has this request id: of one trace, if all is well."""
        traces = {span.trace for span in self.spans if span.attributes.get("request_id") == request_id}
        return [span for span in self.spans if span.trace in traces]


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for span in [span for scope in resource.scope_spans for span in scope.spans]:
                attributes = {one.key: _value(one.value) for one in [*resource.resource.attributes, *span.attributes]}
                failed = span.status.code == span.status.STATUS_CODE_ERROR
                self.server.spans.append(
                    Span(span.name, span.trace_id, span.span_id, span.parent_span_id, failed, attributes)
                )
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def trees(spans: list[Span], parent: bytes = b"") -> list[Tree]:
    """Return the trees of the spans below a parent; those at the root have the empty parent."""
    below = sorted((span for span in spans if span.parent == parent), key=lambda span: span.name)
    return [(span.name, trees(spans, span.id)) for span in below]


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))
