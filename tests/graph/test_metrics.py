"""The gateway's metrics as Ray's own Prometheus endpoint exports them."""

from typing import NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.cluster import Cluster
from tests.fakes.metered_gateway import SAMPLES, SUMMARIES, metered_gateway, some_streams
from tests.fakes.polling import last_read

APPLICATION = "metered"
LOOP_LAG = "ray_gateway_loop_lag_seconds"
MODELS = {("qwen2.5-coder-1.5b-instruct", "qwen"), ("deepseek-r1", "http")}
TAGS = ("outcome", "kind", "written_by", "reason", "cached", "called")


class Scraped(NamedTuple):
    """The application's samples by name and tag, and separately those that depend on timing."""

    samples: dict[tuple[str, str], float]
    summaries: list[float]
    frames: float
    items: float
    loops: set[str]
    """The deployments whose event loops are measured."""


async def scrape(http: httpx.AsyncClient, cluster: Cluster) -> Scraped:
    """Return what the endpoint exports now; of a histogram, its number of observations."""
    samples: dict[tuple[str, str], float] = {}
    measured: set[str] = set()
    for family in text_string_to_metric_families((await http.get(cluster.metrics)).text):
        for sample in family.samples:
            own = sample.name.startswith("ray_gateway_") and sample.labels.get("application") == APPLICATION
            if own and sample.name.startswith(LOOP_LAG):  # measured all the time
                measured.add(sample.labels["deployment"])
                continue
            if own and sample.name.endswith(("_total", "_count")):
                if (called := sample.labels.get("called")) is None:
                    assert (sample.labels["model"], sample.labels["upstream"]) in MODELS
                elif called != "StreamParser":  # some of the calls for summaries are cancelled: their number varies
                    continue
                tag = next((sample.labels[tag] for tag in TAGS if tag in sample.labels), "")
                name = sample.name.removeprefix("ray_gateway_").removesuffix("_total")
                samples[name, tag] = samples.get((name, tag), 0) + sample.value
    frames, items = (samples.pop((name, "StreamParser"), 0) for name in ("frames", "frame_items"))
    summaries = [samples.pop(name, 0) for name in SUMMARIES]
    return Scraped(samples, summaries, frames, items, measured)


async def test_every_stream_is_counted_and_measured(http: httpx.AsyncClient, cluster: Cluster) -> None:
    async with metered_gateway(cluster, APPLICATION) as url:
        await some_streams(http, url)
        scraped = await last_read(
            lambda: scrape(http, cluster), lambda found: found.samples == SAMPLES and all(found.summaries)
        )
    assert scraped.samples == SAMPLES
    assert all(
        least <= tokens <= most for tokens, (least, most) in zip(scraped.summaries, SUMMARIES.values(), strict=True)
    )
    assert scraped.loops == {"Ingress", "StreamParser", "Summarizer"}
    # Three streams of few items; the number of frames depends on timing.
    assert 3 <= scraped.frames <= scraped.items <= 12
