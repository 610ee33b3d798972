"""Spans leave where OpenTelemetry's own variables name an endpoint, and nowhere else."""

import os

import pytest

from deployments.tracing import ENDPOINTS, exporter


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "")


def test_without_an_endpoint_nothing_leaves() -> None:
    assert exporter() == []


@pytest.mark.parametrize("name", ENDPOINTS)
def test_with_an_endpoint_spans_leave(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    (processor,) = exporter()
    processor.shutdown()


def test_a_service_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.delenv("OTEL_SERVICE_NAME")
    for processor in exporter():
        processor.shutdown()
    assert os.environ["OTEL_SERVICE_NAME"] == "reasoning-gateway"
