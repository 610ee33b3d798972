"""The law of imports:  gateway  <-  engine, client, upstreams, web  <-  deployments  <-  graph.py

Read from the sources with ast, so an import counts wherever it stands and nothing is run.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("gateway", "engine", "client", "upstreams", "web", "deployments", "graph", "cluster", "bench", "tests")
HTTP = (
    *("aiohttp", "fastapi", "flask", "grpc", "h11", "h2", "hypercorn", "http", "httpcore", "httpx", "httpx_sse"),
    *("openai", "pycurl", "requests", "sanic", "socketserver", "starlette", "tornado", "urllib", "urllib3", "uvicorn"),
    *("websockets", "wsgiref", "xmlrpc"),
)
SOURCES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.py"), *(path for home in OURS for path in (ROOT / home).rglob("*.py"))]
)


def imported(path: PurePosixPath, source: str) -> Iterator[str]:
    """Every module that a file imports, in full; `from package import module` names the module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                package = ".".join(path.parts[: len(path.parts) - level]) if level else ""
                base = ".".join(filter(None, (package, module)))
                for name in names:
                    inner = f"{base}.{name.name}".removeprefix(".")
                    yield inner if is_module(inner) else base


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return name.split(".")[0] in OURS and (place.is_dir() or place.with_suffix(".py").is_file())


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def allowed(path: PurePosixPath, module: str) -> bool:
    """Return whether the file may import the module."""
    root, home = module.split(".")[0], path.parts[0]
    if home in ("tests", "cluster", "bench"):
        return True
    if root == "ray":
        return home in ("deployments", "graph.py")
    match home:
        case "gateway":
            modelled = str(path) in ("gateway/config.py", "gateway/upstream_settings.py") or path.parts[1] == "requests"
            pydantic = modelled and root == "pydantic"
            detector = path.as_posix() == "gateway/summaries/language.py" and root == "py3langid"
            borders = path.as_posix() == "gateway/summaries/sentences.py" and root == "sentencex"
            orjson = path.parts[1] == "wire" and root == "orjson"
            cryptography = path.as_posix() == "gateway/sealing.py" and root == "cryptography"
            secrets = path.as_posix() == "gateway/summaries/masking.py" and root == "detect_secrets"
            plain = root in sys.stdlib_module_names and root not in (*HTTP, "socket")
            libraries = pydantic or orjson or cryptography or detector or borders or secrets
            return libraries or plain or root == "gateway"
        case "engine":
            return root not in HTTP and (
                root not in OURS or within(module, "engine", "gateway.errors", "gateway.mailbox")
            )
        case "client":
            ours = within(module, "client", "gateway.events", "gateway.wire")
            return root != "torch" and (root not in OURS or ours)
        case "upstreams" | "web":
            return root not in OURS or root in (home, "gateway")
        case "deployments" if path.parts[1] == "telemetry":
            return root not in OURS or root == "gateway" or within(module, "deployments.telemetry")
        case "deployments":
            return root not in OURS or root in ("deployments", "engine", "client", "upstreams", "web", "gateway")
        case "graph.py":
            return root not in OURS or root in ("graph", "deployments", "engine", "client", "gateway")
    raise AssertionError(f"no rule says what {path} may import")


def breaches(path: PurePosixPath, source: str) -> list[str]:
    return [module for module in imported(path, source) if not allowed(path, module)]


def test_the_sources_are_found() -> None:
    assert {path.parts[0] for path in SOURCES} >= {"gateway", "engine", "client", "deployments", "graph.py", "tests"}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_module_imports_only_what_it_may(path: Path) -> None:
    assert breaches(PurePosixPath(path), (ROOT / path).read_text("utf-8")) == []


def test_no_python_stands_where_no_rule_reaches() -> None:
    stray = {path.parent.name for path in ROOT.glob("*/*.py") if not path.parent.name.startswith(".")} - set(OURS)
    assert stray <= {"build", "dist"}
    assert [path.name for path in ROOT.glob("*.py")] == ["graph.py"]


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        # gateway: the standard library, itself, pydantic, orjson and cryptography each in its place.
        ("gateway/session.py", "import ray", ["ray"]),
        ("gateway/session.py", "import numpy as np", ["numpy"]),
        ("gateway/session.py", "import asyncio, torch.nn", ["torch.nn"]),
        ("gateway/session.py", "from pydantic import BaseModel", ["pydantic"]),
        ("gateway/wire/config.py", "from pydantic import BaseModel", ["pydantic"]),
        ("gateway/events.py", "import orjson", ["orjson"]),
        ("gateway/summaries/prompts.py", "import py3langid", ["py3langid"]),
        ("gateway/summaries/steps.py", "import sentencex", ["sentencex"]),
        ("gateway/config.py", "import orjson", ["orjson"]),
        ("gateway/upstream_settings.py", "import orjson", ["orjson"]),
        ("gateway/wire/responses.py", "from cryptography.fernet import Fernet", ["cryptography.fernet"]),
        ("gateway/reasoning/parser.py", "from engine.text import StopStrings", ["engine.text"]),
        ("gateway/session.py", "from client import stream", ["client"]),
        ("gateway/session.py", "import graph", ["graph"]),
        ("gateway/session.py", "from ..deployments import ingress", ["deployments.ingress"]),
        ("gateway/wire/native.py", "import httpx", ["httpx"]),
        ("gateway/upstream.py", "import socket", ["socket"]),
        ("gateway/upstream.py", "from http import client", ["http"]),
        # engine: neither Ray nor HTTP; of ours the errors and the mailbox only.
        ("engine/engine.py", "import ray.serve", ["ray.serve"]),
        ("engine/engine.py", "from urllib.request import urlopen", ["urllib.request"]),
        ("engine/engine.py", "import http.server", ["http.server"]),
        ("engine/engine.py", "from fastapi import FastAPI", ["fastapi"]),
        ("engine/engine.py", "from gateway.events import Usage", ["gateway.events"]),
        ("engine/engine.py", "from gateway import events", ["gateway.events"]),
        ("engine/engine.py", "from gateway import errors, upstream", ["gateway.upstream"]),
        ("engine/engine.py", "import gateway", ["gateway"]),
        ("engine/engine.py", "from gateway.errors_of_old import X", ["gateway.errors_of_old"]),
        ("engine/engine.py", "from client import api", ["client.api"]),
        # client: the events and the wire.
        ("client/api.py", "from gateway.errors import Failure", ["gateway.errors"]),
        ("client/api.py", "from gateway import session", ["gateway.session"]),
        ("client/api.py", "from engine.engine import Engine", ["engine.engine"]),
        ("client/api.py", "import torch", ["torch"]),
        ("client/api.py", "import ray", ["ray"]),
        # upstreams and web: neither Ray nor deployments, nor each other.
        ("upstreams/http.py", "from ray.serve.context import x", ["ray.serve.context"]),
        ("upstreams/http.py", "from deployments.telemetry import metrics", ["deployments.telemetry.metrics"]),
        ("upstreams/choice.py", "from web.routes import Routes", ["web.routes"]),
        ("web/routes.py", "import ray", ["ray"]),
        ("web/auth.py", "from deployments import ingress", ["deployments.ingress"]),
        # Inside of deployments: telemetry knows neither rpc nor the web.
        (
            "deployments/telemetry/tracing.py",
            "from deployments.rpc.protocol import OpenCall",
            ["deployments.rpc.protocol"],
        ),
        ("deployments/telemetry/metrics.py", "from web.routes import Routes", ["web.routes"]),
        # deployments and the graph: nothing above them.
        ("deployments/ingress.py", "from graph import build", ["graph"]),
        ("deployments/ingress.py", "from . import summarizer\nfrom .. import graph", ["graph"]),
        ("deployments/ingress.py", "from tests.fakes import Fake", ["tests.fakes"]),
        ("graph.py", "from bench.parser import main", ["bench.parser"]),
        ("graph.py", "from cluster import local", ["cluster.local"]),
        # Wherever it stands in the file.
        ("engine/engine.py", "def run():\n    import ray", ["ray"]),
        (
            "gateway/session.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ray import serve",
            ["ray"],
        ),
        ("gateway/session.py", "try:\n    import uvloop\nexcept ImportError:\n    pass", ["uvloop"]),
    ],
)
def test_a_breach_is_found(path: str, source: str, expected: list[str]) -> None:
    assert breaches(PurePosixPath(path), source) == expected


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("gateway/session.py", "import asyncio\nfrom collections.abc import Sequence\nfrom gateway.wire import native"),
        ("gateway/wire/native.py", "import orjson\nfrom gateway.wire import sse\nfrom . import sse"),
        ("gateway/config.py", "from pydantic import BaseModel"),
        ("gateway/upstream_settings.py", "from pydantic import BaseModel"),
        ("gateway/sealing.py", "from cryptography.exceptions import InvalidTag"),
        ("gateway/requests/base.py", "from pydantic import BaseModel"),
        ("gateway/requests/responses.py", "from pydantic import BaseModel"),
        (
            "engine/engine.py",
            "import torch, engine\nfrom gateway.errors import UpstreamError\nfrom gateway import errors, mailbox",
        ),
        ("client/api.py", "import httpx\nfrom gateway.events import Event\nfrom gateway.wire import native"),
        ("deployments/ingress.py", "import ray, fastapi\nfrom gateway.session import Session\nfrom engine import text"),
        ("graph.py", "from ray import serve\nfrom deployments.ingress import Ingress"),
        ("tests/graph/test_graph.py", "import ray, graph, client"),
        ("cluster/local.py", "import ray"),
        ("bench/load.py", "import ray, client"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert breaches(PurePosixPath(path), source) == []


def test_a_file_without_a_rule_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no rule"):
        breaches(PurePosixPath("tools/x.py"), "import os")


def is_test_module(module: str) -> bool:
    return within(module, "tests") and module.rpartition(".")[2].startswith(("test_", "conftest"))


def test_no_module_imports_a_test_module() -> None:
    found = [
        (str(path), module)
        for path in SOURCES
        for module in imported(PurePosixPath(path), (ROOT / path).read_text("utf-8"))
        if is_test_module(module)
    ]
    assert found == [], "what tests share is in tests/fakes, or a fixture in a conftest.py"
