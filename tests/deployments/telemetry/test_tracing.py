"""Spans are exported if OpenTelemetry's own variables name an endpoint, and only then."""

import os

import pytest
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan

from deployments.telemetry.tracing import ENDPOINTS, exporter


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "")
    monkeypatch.setenv(OTEL_SDK_DISABLED, "")  # recorded, so that monkeypatch restores it
    monkeypatch.delenv(OTEL_SDK_DISABLED)


def test_no_span_is_made_without_an_endpoint() -> None:
    assert exporter() == []
    assert isinstance(TracerProvider().get_tracer("test").start_span("test"), NonRecordingSpan)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_spans_are_exported_to_an_endpoint(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    (processor,) = exporter()
    assert OTEL_SDK_DISABLED not in os.environ
    processor.shutdown()


def test_the_service_has_a_default_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.delenv("OTEL_SERVICE_NAME")
    for processor in exporter():
        processor.shutdown()
    assert os.environ["OTEL_SERVICE_NAME"] == "reasoning-gateway"
