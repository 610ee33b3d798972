"""Chromium, and the graph on real Serve over the scripted API of the page: without keys, and with one."""

import hashlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.config import AccessSettings, DeadlineSettings, GatewaySettings, SummarizerSettings
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.browser import MISSING, Browser, chromium
from tests.fakes.cluster import Cluster
from tests.fakes.page_api import KEY, SUMMARIES, PageApi
from tests.fakes.scripted_api import in_thread


@pytest.fixture(scope="package")
def api() -> Iterator[PageApi]:
    api = PageApi()
    with in_thread(api):
        yield api


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if not shutil.which("chromium"):
        pytest.skip(MISSING)
    with chromium() as running:
        yield running


def deployed(cluster: Cluster, api: PageApi, name: str, access: AccessSettings) -> str:
    from ray import serve

    import graph

    summaries = api.url.replace("/v1", f"/{SUMMARIES}/v1")
    settings = GatewaySettings(
        upstream=None,
        http_upstreams=(
            HttpUpstreamSettings(url=api.url, models=("deepseek-r1",)),
            HttpUpstreamSettings(url=summaries, models=("writer",)),
        ),
        summarizer=SummarizerSettings(model="writer"),
        deadlines=DeadlineSettings(prompt_summary=5, reasoning_summary=5),
        access=access,
    )
    serve.run(graph.build(settings), name=name, route_prefix=f"/{name}")
    return cluster.url(f"/{name}/")


@pytest.fixture(scope="package")
def url(cluster: Cluster, api: PageApi) -> Iterator[str]:
    """Deploy the graph, and return the address of its page."""
    from ray import serve

    yield deployed(cluster, api, "page", AccessSettings())
    serve.delete("page", _blocking=False)


@pytest.fixture(scope="package")
def keyed_url(cluster: Cluster, api: PageApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Deploy the graph behind a key, and return the address of its page."""
    from ray import serve

    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(hashlib.sha256(KEY.encode()).hexdigest())
    yield deployed(cluster, api, "keyed", AccessSettings(keys_file=str(file)))
    serve.delete("keyed", _blocking=False)


@pytest.fixture
def tab(browser: Any, url: str) -> Iterator[Browser]:
    """A new tab, of a browser that has never been here, with the page in it. No error may be left in its console."""
    with Browser.open(browser, url) as tab:
        yield tab
        assert tab.problems == []
