"""The question of a prompt, when its summary is an extract."""

import pytest

from gateway.summaries.extracts.question import question_of

LONG = "It goes on and on without a question in it. " * 300


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        ("", ""),
        ("  \n ", ""),
        ("Hello", "Hello."),
        ("I moved here. I like it. Where is the nearest library? Thanks!", "Where is the nearest library?"),
        (
            "Here is my essay. Please rate it from 1 to 10.\n\nShould trains be free?\n\nThey should, I think.",
            "Please rate it from 1 to 10.",
        ),
        ("A pen costs $2. How much do five pens cost? Right?", "How much do five pens cost?"),
        ("Solve this math problem step by step. Problem: Find the roots of $x^2 = 4$.", "Find the roots of x² = 4."),
        ("Write a function that adds numbers.\n```python\nx = 1\n```", "Write a function that adds numbers."),
        (f"{LONG}\n\nWhat is the point of it?", "What is the point of it?"),
        ("Ich habe zwei Züge. Wann treffen sie sich?", "Wann treffen sie sich?"),
        ("这里有一列火车。它什么时候到站？谢谢。", "它什么时候到站？"),
        ("以下の文を読んでください。\n\n短い文です。", "以下の文を読んでください。"),
        ("Tengo un coche. ¿Cuánto cuesta el viaje?", "¿Cuánto cuesta el viaje?"),
        ("किताब यहाँ है। वह कब आएगी?", "वह कब आएगी?"),
    ],
)
def test_a_prompt_is_its_question_or_its_request(prompt: str, question: str) -> None:
    assert question_of(prompt) == question


def test_a_long_question_is_cut_at_a_word_and_marked() -> None:
    assert question_of("What is " + "one more of these " * 30 + "things?", 30) == "What is one more of these one…"
