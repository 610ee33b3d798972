"""The check of a part is measured with the steps of other parts of the same trace."""

from bench.measures import Part, Summary
from bench.swapped import Refusals, is_refused, refusals, swaps
from bench.traces import Trace

PIER = (
    "The wooden pier rots, and repairing it costs the council more each year, so concrete would be cheaper for the"
    " town. Fishermen agree and want stone steps. "
)
FERRY = (
    "The ferry timetable leaves tourists little time to change trains, so the evening boat should depart later on"
    " weekdays. Drivers complain about the harbour queue. "
)
PROMPT = "What should the council do?"


def part(text: str, start: int, end: int, by: str = "model") -> Part:
    return Part("Title", text, start, end, "model" if by == "model" else "extract")


def test_each_part_by_a_model_is_checked_against_the_step_half_of_the_trace_away() -> None:
    parts = [part(str(n), n, n + 1, "extract" if n == 1 else "model") for n in range(4)]
    assert [(one.text, other.text) for one, other in swaps(parts)] == [("0", "2"), ("2", "0"), ("3", "1")]
    assert swaps(parts[:1]) == []


def test_a_summary_is_refused_if_its_first_sentence_is() -> None:
    text = "The wooden pier rots and costs the council more each year. The moon is green cheese."
    assert not is_refused(text, PIER, PROMPT)
    assert is_refused(text, FERRY, PROMPT)


def test_refusals_are_counted_by_language() -> None:
    trace = Trace(id="a", task="", language="en", prompt=PROMPT, least=0, trace=PIER + FERRY)
    parts = [
        part("The wooden pier rots and costs the council more each year.", 0, len(PIER)),
        part("Tourists need the evening boat to depart later.", len(PIER), len(PIER + FERRY)),
        part("The moon is made of green cheese, which mice like to eat.", 0, len(PIER)),
    ]
    summary = Summary(trace="a", method="ours", parts=parts, first=0, hold=0)
    assert refusals({"a": trace}, [summary]) == {"all": Refusals(3, 1, 3), "en": Refusals(3, 1, 3)}
    assert Refusals(3, 1, 3).row == {"parts": 3, "own": 33.3, "swapped": 100.0}
