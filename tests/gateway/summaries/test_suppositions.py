"""Guesses, questions and options of a text are not told as facts."""

import pytest

from gateway.summaries.source_sentences import SourceSentences
from gateway.summaries.suppositions import Suppositions

STEP = (
    "Could the user be a native speaker? The question is in English. Maybe the figure is a square on top of another."
    " Option 2: Martha is Joseph's aunt. Option A: Linda is a teller. (C) Martha is the great grandparent of Gary."
    " The poem seems to have a joke. If they are polite, they wait. If the tide is high, the boat is late; the tide is"
    " high. Perhaps the bridge is closed. The bridge is closed, says the sign. In May the ferry ran late."
)
FIGURES = {
    "de": ("Vielleicht ist der zweite Zug schneller.", "Der zweite Zug ist schneller."),
    "es": ("Quizás el segundo tren llegue tarde.", "El segundo tren llega tarde."),
    "fr": ("Peut-être que le second train arrive tard.", "Le second train arrive tard."),
    "zh": ("第二列火车可能迟到。", "第二列火车迟到。"),
    "ja": ("二番目の電車は遅れるかもしれない。", "二番目の電車は遅れる。"),
    "ko": ("두 번째 기차는 늦을 수도 있다.", "두 번째 기차는 늦는다."),
}


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("The user is a native speaker.", True),
        ("The figure is a square on top of another.", True),
        ("Martha is Joseph's aunt.", True),
        ("Martha is the great grandparent of Gary.", True),
        ("The poem has a joke.", True),
        ("Linda is a teller.", True),
        ("By A Linda is a teller.", False),
        ("They are polite and wait.", True),
        ("They wait if they are polite.", False),
        ("The tide is high, so the boat is late.", False),
        ("The user may be a native speaker.", False),
        ("The figure might be a square on top of another.", False),
        ("By option 2 Martha is Joseph's aunt.", False),
        ("The poem seems to have a joke.", False),
        ("The question is in English.", False),
        ("The bridge is closed.", False),
        ("The ferry ran late in May.", False),
        ("", False),
    ],
)
def test_what_a_text_only_supposes_is_not_told_as_a_fact(sentence: str, told: bool) -> None:
    assert Suppositions(SourceSentences(STEP)).are_told_as_facts(sentence) == told


@pytest.mark.parametrize("language", FIGURES)
def test_guesses_are_known_in_other_languages(language: str) -> None:
    guess, fact = FIGURES[language]
    suppositions = Suppositions(SourceSentences(guess))
    assert [suppositions.are_told_as_facts(sentence) for sentence in (guess, fact)] == [False, True]


@pytest.mark.parametrize(
    ("text", "sentence", "told"),
    [
        ("Si el puente está roto, vamos en barco. El río es ancho.", "El puente está roto.", True),
        ("Se repara el puente, y vamos en barco. El río es ancho.", "El puente se repara.", False),
        ("Se il ponte è rotto, andiamo in barca. Il fiume è largo.", "Il ponte è rotto.", True),
        ("Si ripara il ponte, e andiamo in barca. Il fiume è largo.", "Il ponte si ripara.", False),
        ("Wenn die Brücke kaputt ist, fahren wir mit dem Boot. Der Fluss ist breit.", "Die Brücke ist kaputt.", True),
    ],
)
def test_a_condition_begins_as_its_language_has_it(text: str, sentence: str, told: bool) -> None:
    assert Suppositions(SourceSentences(text)).are_told_as_facts(sentence) == told


@pytest.mark.parametrize(
    ("text", "sentence", "told"),
    [
        ("So Brenda is Billy's child. Wait, no, it says parent.", "Brenda is Billy's child.", True),
        ("So Brenda is Billy's child. That can't be right.", "Brenda is Billy's child.", True),
        ("So Brenda is Billy's child. Wait, let me check the other.", "Brenda is Billy's child.", False),
        ("So Brenda is Billy's child. No other child is named.", "Brenda is Billy's child.", False),
        (
            "So Brenda is Billy's child. But no. The last line says Brenda is Billy's parent.",
            "Brenda is Billy's child because the last line says so.",
            True,
        ),
        ("所以答案是三号盒子。不对，再算一次。", "答案是三号盒子。", True),
        ("Also ist der zweite Zug schneller. Nein, der erste.", "Der zweite Zug ist schneller.", True),
    ],
)
def test_what_the_next_sentence_takes_back_is_no_fact(text: str, sentence: str, told: bool) -> None:
    assert Suppositions(SourceSentences(text)).are_told_as_facts(sentence) == told


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("The correct steps are to take the goat and go back.", True),
        ("The correct steps may be to take the goat and go back.", False),
        ("The farmer takes the goat and goes back.", False),
    ],
)
def test_a_word_of_a_guess_alone_tells_it(sentence: str, told: bool) -> None:
    text = "The farmer takes the goat, and goes back. Then nothing has changed. So maybe the correct steps are:"
    assert Suppositions(SourceSentences(text)).are_told_as_facts(sentence) == told


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("The numerator is a multiple of the denominator.", True),
        ("The numerator is divided by the denominator.", False),
        ("The energy is the numerator.", False),
    ],
)
def test_a_word_of_a_question_alone_tells_it_unless_the_request_has_it(sentence: str, told: bool) -> None:
    text = (
        "Let me divide the numerator by the denominator. Can we express the numerator as a multiple of the denominator?"
        " And is the energy in it?"
    )
    assert Suppositions(SourceSentences(text), "What is the energy?").are_told_as_facts(sentence) == told
