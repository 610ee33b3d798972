"""The reasoning on turns that come back: the summary of the prompt is none of it."""

import pytest

from gateway.turns import reasoning_text

PROMPT = "**Prompt**\n\nYou ask this.\n\n"


@pytest.mark.parametrize(
    ("came", "reasoning"),
    [
        ("Hm.", "Hm."),
        (PROMPT, ""),
        (f"{PROMPT}**Title**\n\nText.\n\n", "**Title**\n\nText.\n\n"),
        (f"{PROMPT}**Title**\n\nText.\n\nThe trace.\n\n", "**Title**\n\nText.\n\nThe trace.\n\n"),
        ("**Prompt**\n\nYou ask.\n\nIn two paragraphs.\n\n**Title**\n\nText.\n\n", "**Title**\n\nText.\n\n"),
        (f"{PROMPT}The trace, without a heading.", "The trace, without a heading."),
    ],
)
def test_the_reasoning_is_what_stands_behind_the_summary_of_the_prompt(came: str, reasoning: str) -> None:
    assert reasoning_text({"role": "assistant", "reasoning_content": came}) == reasoning
