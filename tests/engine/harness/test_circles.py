"""Circles in a growing text: what is one, what is none, and how long it takes to tell."""

import pytest

from engine.harness.circles import COUNTED_CHARACTERS, STRIDE, TAIL, Circles, without_circle

LEAD = "The train leaves at nine and takes two hours. Is there a faster one? Let me look at the table first. "
SENTENCE = "So the answer is eleven, I should check that. "


def found_at(text: str, size: int = 1) -> int | None:
    """Return the number of characters after which a circle was found, with the text in pieces of `size`."""
    circles = Circles()
    return next((at + size for at in range(0, len(text), size) if circles.feed(text[at : at + size])), None)


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize(
    "round",
    [
        SENTENCE,
        "Wait, is that so? Yes, it is. Then again, one of the trains may be late, in which case the other one counts. ",
        "让我再检查一遍，答案应该是十一天。",
        "and ",
        "1",
        "- check the table\n- check the train\n",
    ],
)
def test_a_text_that_says_the_same_thrice_is_a_circle(round: str, size: int) -> None:
    found = found_at(LEAD + round * 400, size)
    assert found is not None
    assert -5 <= found - len(LEAD) - max(3 * len(round), 120) <= STRIDE + size


def test_a_circle_whose_numbers_count_up_is_found_later() -> None:
    text = LEAD + "".join(f"Now try {number}: no, {number} is too small.\n" for number in range(98, 200))
    found = found_at(text)
    assert found is not None
    assert 20 * 34 < found - len(LEAD) < 24 * 36


@pytest.mark.parametrize(
    "text",
    [
        LEAD + SENTENCE * 2 + "No, twelve. " + SENTENCE * 2,
        "".join(f"{number} + {number} = {2 * number}\n" for number in range(1, 16)),
        "".join(f"| {word} | {word[::-1]} |\n|------|------|\n" for word in LEAD.split()),
        "".join(f"{SENTENCE}Then {word}.\n" for word in LEAD.split()),
        "def f(x):\n" + "    " * 12 + "return x\n" + "#" * 79 + "\n" + LEAD,
        "",
    ],
    ids=["twice", "a sum a line", "a table", "a refrain", "code", "nothing"],
)
def test_other_repetitions_are_none(text: str) -> None:
    assert found_at(text) is None
    assert without_circle(text) == text


def test_a_list_of_one_item_again_and_again_is_a_circle() -> None:
    text = "Voyons : " + "".join(f"{number}. Pourquoi le ciel est-il bleu ?\n" for number in range(1, 40))
    found = found_at(text)
    assert found is not None
    assert 120 <= found <= 240
    assert without_circle(text[: text.index("7.")]) == text[: text.index("3.")]


def test_a_circle_is_cut_to_one_round() -> None:
    assert without_circle(LEAD + SENTENCE * 9) == LEAD + SENTENCE
    assert without_circle(LEAD + SENTENCE * 9 + "So the answer") == LEAD + SENTENCE + "So the answer"


def test_a_circle_longer_than_the_part_looked_at_is_none() -> None:
    long = "".join(f"Sentence {chr(97 + n % 26) * (n // 26 + 1)} says something else again. " for n in range(40))
    assert len(long) > TAIL / 3
    assert found_at(long * 4, 7) is None


def test_a_piece_of_any_size_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def look(text: str, *_: int) -> int:
        seen.append(len(text))
        return 0

    monkeypatch.setattr("engine.harness.circles._repeated", look)
    circles = Circles()
    assert not any(circles.feed("ab" * 5) for _ in range(STRIDE))
    assert len(seen) == 2 * 10
    assert max(seen) <= TAIL
    assert COUNTED_CHARACTERS <= TAIL
