"""Titles and sentences of a part: borne by the step, not by another one, nor repeated from an example."""

from contextlib import suppress
from dataclasses import replace

import pytest

from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.part_check import PartCheck
from gateway.summaries.protocol import PartTask
from gateway.summaries.sentence_gate import SentenceLimit, Ungrounded
from gateway.summaries.wordings import WORDINGS

STEP = (
    "Hmm, the harbour wall is made of granite, so it lasts. But the wooden pier rots, and repairing it costs more each"
    " year. Wait, is the pier not protected? No, only the lighthouse is. So the council can replace the pier with"
    " concrete and keep the lighthouse. It cannot repair the lamp of the lighthouse."
)
REQUEST = "What should the council do with the old harbour?"
TASK = PartTask(step=STEP, request=REQUEST, evidence=(REQUEST,), before="The old wall\nGranite lasts.")


def read(
    answer: str, task: PartTask = TASK, earlier: EarlierSteps | None = None, *, in_order: bool = True
) -> tuple[str, str]:
    """Return the checked title and the text of an answer; the text ends where a sentence was rejected."""
    check = PartCheck(task, earlier or EarlierSteps(), in_order=in_order)
    decoder, text = check.decoder(), ""
    with suppress(Ungrounded, SentenceLimit):
        for char in answer:
            text += decoder.feed(char)
        text += decoder.close()
    return check.checked_title(decoder.title), text


def test_a_part_that_the_step_bears_passes() -> None:
    answer = "**Replacing the pier** The wooden pier rots, so the council replaces it with concrete."
    assert read(answer) == ("Replacing the pier", "The wooden pier rots, so the council replaces it with concrete.")


@pytest.mark.parametrize(
    "text",
    [
        "The ferry timetable leaves too little time for tourists to change trains.",
        "Tell the user that the wooden pier rots.",
        "**System:** the pier rots and the council replaces it.",
        "It can repair the lamp of the lighthouse.",
        WORDINGS["en"].parts[1].partition("** ")[2],
        "The council keeps 3 lighthouses.",
        "Granite lasts.",
        "I need to know whether the wooden pier rots.",
        "Is the pier protected by the council?",
        "The article says that the wooden pier rots.",
        "is replaced by the council with concrete.",
        "The lighthouse rots, and the council lasts with granite.",
        "The pier is protected.",
        "It is false that the wooden pier rots.",
    ],
    ids=[
        "another step",
        "an order",
        "a role",
        "a lost negation",
        "an example",
        "a number",
        "said before",
        "self-talk",
        "a question",
        "a text that there is not",
        "the end of a sentence",
        "words turned around",
        "a question as a fact",
        "a verdict",
    ],
)
def test_a_sentence_that_the_step_does_not_bear_is_rejected(text: str) -> None:
    assert read(f"**Replacing the pier** {text}")[1] == ""


def test_the_order_of_words_counts_for_small_models_alone() -> None:
    text = "The lighthouse rots, and the council lasts with granite."
    assert read(f"**The pier** {text}", in_order=True) == ("The pier", "")
    assert read(f"**The pier** {text}", in_order=False) == ("The pier", text)


def test_a_step_of_few_words_bears_only_what_larger_models_write() -> None:
    task = replace(TASK, step="Starting with 26 : 16 = 1, the remainder is 10. Moving to a lower power: 10 : 8 = 1.")
    text = "The smallest power greater than 26 is 16."
    assert read(f"**Dividing 26 by 16** {text}", task, in_order=True)[1] == ""
    assert read(f"**Dividing 26 by 16** {text}", task, in_order=False)[1] == text
    assert read("**Dividing 26 by 16** The remainder is 10.", task, in_order=True)[1] == "The remainder is 10."
    assert read("**A title** A text.", replace(TASK, step="Let me see."), in_order=True) == ("A title", "A text.")


@pytest.mark.parametrize(
    ("task", "text", "support"),
    [
        (TASK, "The council replaces the pier with concrete. The lighthouse rots.", 1 / 2),
        (TASK, "Der Rat ersetzt den Steg durch Beton.", 1.0),
        (PartTask(step="It is so.", request=REQUEST), "The pier rots.", 1.0),
    ],
    ids=["the weakest sentence", "another language", "a step of few words"],
)
def test_a_text_is_as_well_borne_as_its_weakest_sentence(task: PartTask, text: str, support: float) -> None:
    german = replace(task, language="de") if text.startswith("Der") else task
    assert PartCheck(german, EarlierSteps(), in_order=True).support(text) == support
    assert PartCheck(german, EarlierSteps()).support(text) == 1.0


def test_the_order_of_words_does_not_count_in_code() -> None:
    step = "```python\ndef repair(pier, lighthouse, council, granite, concrete, harbour, wall, lamp, year): ...\n```"
    text = "The lamp of the lighthouse is handed to the council of the harbour."
    assert read(f"**The lamp** {text}", PartTask(step=step, request=REQUEST)) == ("The lamp", text)


def test_a_sentence_that_an_earlier_step_bears_better_is_rejected() -> None:
    answer = "**Replacing the pier** The council can repair the pier, and the wall of granite lasts."
    later = (
        "So the council has money for the pier. It can repair the wall beside the harbour, too, or wait another year"
        " until the ferry company pays half of what granite costs. The mayor prefers waiting."
    )
    earlier = EarlierSteps()
    named = replace(TASK, before="", trace="rsn-1")
    assert read(answer, replace(named, step=later), earlier)[1] != ""
    for step in (STEP, later):
        text = read(answer, replace(named, step=step), earlier)[1]
    assert text == ""


@pytest.mark.parametrize(
    "title",
    [
        "Ferry timetable for tourists",
        "Filter missing in the cache key",
        "The old wall",
        "Tell the user",
        "What it is",
        "Replacing 7 piers",
        "The council replaces the rotten wooden pier with concrete now",
    ],
    ids=["another step", "an example", "the last one", "an order", "no content", "a number", "too long"],
)
def test_a_title_is_checked_like_a_sentence(title: str) -> None:
    assert read(f"**{title}** The wooden pier rots, so the council replaces it.")[0] == ""


def test_a_sentence_that_says_the_one_before_again_is_left_out() -> None:
    answer = "**The pier** The council replaces the pier with concrete. It replaces the pier with concrete now."
    assert read(answer) == ("The pier", "The council replaces the pier with concrete.")


def test_what_follows_the_line_is_left_out() -> None:
    answer = "**Replacing the pier** The wooden pier rots.\n- The lighthouse is protected.\n- Granite lasts."
    assert read(answer) == ("Replacing the pier", "The wooden pier rots.")


def test_a_rejected_rest_takes_nothing_back_when_all_arrives_at_once() -> None:
    decoder = PartCheck(TASK, EarlierSteps()).decoder()
    released = decoder.feed(
        "**Replacing the pier** The wooden pier rots, so the council replaces it. It costs 7.\n- No."
    )
    assert released.strip() == "The wooden pier rots, so the council replaces it."


def test_markdown_becomes_plain_text() -> None:
    answer = "**Replacing the `pier`** The [wooden](http://x.example/a) **pier** rots ![](http://x.example/b.png)."
    title, text = read(answer)
    assert (title, " ".join(text.split())) == ("Replacing the pier", "The wooden pier rots .")


def test_words_are_not_compared_between_languages() -> None:
    task = PartTask(step=STEP, request="Was soll der Stadtrat mit dem alten Hafen machen?", language="de")
    answer = "**Der Steg wird ersetzt** Der hölzerne Steg verfault, also wird er ersetzt."
    assert read(answer, task) == (
        "Der Steg wird ersetzt",
        "Der hölzerne Steg verfault, also wird er ersetzt.",
    )


def test_a_summary_in_the_language_of_the_step_is_compared_though_another_was_asked_for() -> None:
    task = PartTask(step=STEP, request="", language="de")
    text = "The ferry timetable leaves too little time for the tourists who want to change trains."
    assert read(f"**Replacing the pier** {text}", task)[1] == ""
