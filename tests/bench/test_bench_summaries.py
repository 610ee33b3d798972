"""The instruments of the summaries' benchmark: the second check, coverage, the baselines, the table."""

from collections.abc import Sequence

import pytest
import torch

from bench.baselines import first_and_last, first_then_finally, sentences, text_rank
from bench.claims import unsupported
from bench.coverage import coverage
from bench.measures import Part, Summary, row, stretches, tell
from bench.percentile import percentile
from bench.report import markdown, svg
from bench.traces import LONG, Repeats, Trace, load
from gateway.summaries.steps import Steps

SOURCE = "Anna pays 1,250.50 euros for `merge_intervals(x)` in Lisbon. Two thirds of it, twelve days, 3.5 km."
TRACE = "The cat sat on the mat. The cat ate the fish. Dogs bark at night. The cat and the fish sat on the mat."


@pytest.mark.parametrize(
    "part",
    [
        "1250.5 euros, or 1.250,50",
        "12 days and 2/3 of it",
        "two days, 3,5 km",
        "It uses `merge_intervals` for Anna, says “in Lisbon”.",
        "1. She pays.",
        "A day and a half",
    ],
)
def test_claims_of_the_source_are_supported(part: str) -> None:
    assert unsupported(part, [SOURCE, "half"]) == []


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("She pays 1251 euros", ["1251"]),
        ("It takes 35 km and 3.50 days", ["35"]),
        ("After thirty days", ["thirty"]),
        ('He says "in Porto"', ["in Porto", "Porto"]),
        ("It calls split_list(x)", ["split_list"]),
        ("She pays Bernd in Lisbon", ["Bernd"]),
    ],
)
def test_claims_that_no_source_has_are_found(part: str, missing: list[str]) -> None:
    assert unsupported(part, [SOURCE]) == missing


def test_capitals_may_be_declared_to_mark_no_names() -> None:
    assert unsupported("sie zahlt den Betrag", [SOURCE], names=False) == []
    assert unsupported("她付了1250.5欧元，12天", [SOURCE], names=False) == []


def by_letter(texts: Sequence[str]) -> torch.Tensor:
    """Embed texts by their first letter."""
    return torch.stack([torch.eye(26)[ord(text[0].lower()) - ord("a")] for text in texts])


def test_coverage_is_the_mean_of_each_steps_best() -> None:
    assert coverage(["apple", "bread", "cheese", "dates"], ["b", "a", "x"], by_letter) == 0.5
    assert coverage(["apple"], [], by_letter) == coverage([], ["a"], by_letter) == 0.0


def test_sentences_in_any_language() -> None:
    assert sentences("It is 3.5 km.  Is it?\n- yes it is\n\n一共十二个。再看一次！") == [
        "It is 3.5 km.",
        "Is it?",
        "- yes it is",
        "一共十二个。",
        "再看一次！",
    ]


def test_first_and_last_sentences_up_to_a_length() -> None:
    first, second, third, last = sentences(TRACE)
    assert first_and_last(TRACE) == [first, last]
    assert first_and_last(TRACE, 80) == [first, second, last] == [first, "The cat ate the fish.", last]
    assert first_and_last(TRACE, 72) == [first, "The cat ate the", last]
    assert first_and_last(TRACE, 30) == [first, "The cat"]
    assert first_and_last("一共十二个。再看一次！", 8) == ["一共十二个。", "再看"]
    assert first_and_last(TRACE, 1000) == [first, second, third, last]
    assert (first_and_last("Only one."), first_and_last("")) == (["Only one."], [])


def test_first_then_finally_cuts_at_words() -> None:
    assert first_then_finally(TRACE, 12) == ["First, The cat sat", "Then, Dogs bark at", "Finally, The cat and"]
    assert first_then_finally("") == []


def test_text_rank_takes_the_sentences_that_share_words() -> None:
    pytest.importorskip("sumy")
    assert text_rank(TRACE) == ["The cat and the fish sat on the mat."]
    assert text_rank(TRACE, 1000) == sentences(TRACE)
    assert text_rank("") == []


def test_stretches_are_the_whole_trace_in_whole_sentences() -> None:
    trace = " ".join([TRACE] * 9)
    pieces = stretches(trace)
    assert " ".join(pieces) == trace
    assert all(len(piece) >= 400 for piece in pieces[:-1])


def test_the_third_occurrence_of_a_sentence_is_a_repetition() -> None:
    repeats = Repeats("Seven times eight is 56. So. So. So.")
    again = (" So.", " Seven times", " eight is 56. A", "nd Seven times eight is 56. ")
    assert not any(repeats.feed(text) for text in again)
    assert repeats.feed("Seven times eight is 56.")


def summary(*parts: Part) -> Summary:
    return Summary(trace="t", method="ours", parts=parts, first=2.0, hold=0.1, read=40, written=10, again=1)


def test_a_summary_is_measured_part_by_part() -> None:
    trace = Trace(
        id="t", task="code", language="en", prompt="Say 42.", least=1, trace="The cat has 7 lives.", tokens=20
    )
    good, bad = Part("Cat of 42", "The cat has 7 lives.", 0, 20, "extract"), Part("", "It has 9 lives.", 0, 20, "model")
    told = tell(trace, summary(good, bad), by_letter)
    assert told["missing"] == [
        {"trace": "t", "method": "ours", "part": "It has 9 lives.", "gateway": ["9"], "second": ["9"]}
    ]
    measured = row([told])
    assert (measured["grounded"], measured["checked"], measured["extracts"], measured["again"]) == (50, 50, 50, 50)
    assert (measured["hold_p50"], measured["written"], measured["read"]) == (100.0, 0.5, 2.0)
    assert measured["compression"] == round((20 + 10 + 15) / 20, 3)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(1, 21)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile([3.0], 0.95)) == (10.0, 19.0, 3.0)


def test_a_table_and_a_plot_are_made_of_any_results() -> None:
    trace = Trace(id="t", task="code", language="en", prompt="", least=1, trace="The cat.", tokens=4)
    rows = [row([tell(trace, summary(Part("", "The cat.", 0, 8, "model")), by_letter)])]
    assert "| ours | 100.0 | 100.0 | 1.0 |" in markdown({"table": {"all": rows}})
    assert "ours</text>" in svg({"table": {"all": rows}, "scripted": {"holds": [1.0, 30.0]}})
    assert (markdown({}), svg({}).count("<text")) == ("\n", 0)


def test_the_recorded_traces_are_complete() -> None:
    traces = load()
    assert len({trace.id for trace in traces}) == len(traces) >= 40
    assert len({trace.language for trace in traces}) >= 3
    assert sum(len(trace.trace) > LONG for trace in traces) >= 10
    for trace in traces:
        assert trace.tokens, trace.id
        assert trace.trace, trace.id
        assert trace.prompt, trace.id
        steps = Steps()
        assert "".join(step.text for step in [*steps.feed(trace.trace), *steps.close()]) == trace.trace
