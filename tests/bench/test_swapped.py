"""The check of a part is measured with the other steps of the same trace."""

from bench.measures import Part, Summary
from bench.swapped import Refusals, check_of, is_refused, refusals, says_again
from bench.traces import Trace
from gateway.summaries.earlier_steps import EarlierSteps

PIER = (
    "The wooden pier rots, and repairing it costs the council more each year, so concrete would be cheaper for the"
    " town. Fishermen agree and want stone steps. "
)
FERRY = (
    "The ferry timetable leaves tourists little time to change trains, so the evening boat should depart later on"
    " weekdays. Drivers complain about the harbour queue. "
)
PROMPT = "What should the council do?"
ROTS, BOAT = (
    "The wooden pier rots and costs the council more each year.",
    "Tourists need the evening boat to depart later.",
)
CHEESE = "The moon is made of green cheese, which mice like to eat."


def part(text: str, start: int, end: int, by: str = "model") -> Part:
    return Part("Title", text, start, end, "model" if by == "model" else "extract")


def test_a_summary_is_refused_if_its_first_sentence_is() -> None:
    text = f"{ROTS} The moon is green cheese."
    assert not is_refused(text, check_of(PIER, PROMPT, "a", EarlierSteps()))
    assert is_refused(text, check_of(FERRY, PROMPT, "a", EarlierSteps()))


def test_a_step_says_again_what_it_repeats_in_nearly_the_same_words() -> None:
    again = f"Hold on. {PIER.replace('the council more', 'them more')}"
    assert [says_again(step, ROTS, PIER) for step in (again, FERRY)] == [True, False]
    assert not says_again(PIER, CHEESE, FERRY)


def test_summaries_by_a_model_are_checked_against_all_steps_by_language() -> None:
    trace = Trace(id="a", task="", language="en", prompt=PROMPT, least=0, trace=PIER + FERRY + PIER)
    ends = (0, len(PIER), len(PIER + FERRY), len(trace.trace))
    texts = ((ROTS, "model"), (BOAT, "model"), (CHEESE, "extract"))
    parts = [part(text, ends[n], ends[n + 1], by) for n, (text, by) in enumerate(texts)]
    summary = Summary(trace="a", method="ours", parts=parts, first=0, hold=0)
    counted = Refusals({"own": 2, "earlier": 3, "later": 1}, {"own": 0, "earlier": 2, "later": 1}, again=1)
    assert refusals({"a": trace}, [summary]) == {"all": counted, "en": counted}
    assert counted.row == {"parts": 2, "own": 0.0, "earlier": 66.7, "later": 100.0, "again": 25.0}


def test_a_trace_of_one_part_has_no_other_step() -> None:
    trace = Trace(id="a", task="", language="en", prompt=PROMPT, least=0, trace=PIER)
    summary = Summary(trace="a", method="ours", parts=[part(ROTS, 0, len(PIER))], first=0, hold=0)
    assert refusals({"a": trace}, [summary]) == {"all": Refusals(), "en": Refusals()}
