"""The overload benchmark's reading of answers, without a gateway."""

from collections import Counter

from bench.load.figures import Recording
from bench.load.loads import Load, Route
from bench.load.stamps import MARKS, digits
from bench.overload import Result, steady, told_by

ROUTE, LOAD = Route(1), Load(4, deltas=1, pace=50)
WHOLE = b"HTTP/1.1 200 OK\r\n\r\n" + MARKS["reasoning"] + digits(1000) + b"data: [DONE]"
FULL = b'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n{"error": 1}'
PLAIN = b"HTTP/1.1 503 Service Unavailable\r\n\r\nfull"


def test_answers_are_told_apart() -> None:
    recordings = [
        Recording(0, [5000], [WHOLE]),
        Recording(0, [6000], [WHOLE[:-6]]),
        Recording(0, [7000, 9000], [FULL[:40], FULL[40:]]),
        Recording(0, [8000], [PLAIN]),
        Recording(0, problem="given up"),
    ]
    told = told_by(ROUTE, LOAD, recordings)
    assert (told.whole, told.latencies, told.told_ms) == (1, [4.0, 5.0], [9.0, 8.0])
    assert told.refused == {"503 (Retry-After 2)": 1, "503 (no Retry-After, not OpenAI's body)": 1}
    assert told.broken == {"no last event": 1, "given up": 1}


def test_each_bound_that_is_missed_is_named() -> None:
    good = told_by(ROUTE, LOAD, [Recording(0, [5000], [WHOLE])])
    late = told_by(ROUTE, LOAD, [Recording(0, [10000], [WHOLE]), Recording(0, [200_000], [FULL]), Recording(0)])
    assert Result(good, good, good, [0.5], Counter()).missed() == []
    assert Result(good, good, late, [1.5], Counter({"status 503": 2})).missed() == [
        "the p99 of the latency grew from 4 to 9 ms",
        "the p99 of a refusal took 200 ms",
        "1 streams ended early, or got no answer",
        "/health took 1.5 s",
        "/health failed 2 times",
    ]


def test_a_steady_load_has_as_many_streams_at_a_time_as_asked_for() -> None:
    assert [(steady(n, 60).at_once, steady(n, 60).streams) for n in (4, 960)] == [(4, 60), (960, 14400)]
