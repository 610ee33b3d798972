"""An operator whose summaries are all extracts is told why, once, and what to set."""

import logging

import pytest

from gateway.summaries.usability import WARN_AGAIN_SECONDS, Reason, Usability


class Notes:
    def __init__(self) -> None:
        self.now, self.counted = 100.0, list[Reason]()
        self.usability = Usability("qwen3-8b", self.counted.append, lambda: self.now)

    def note(self, reason: Reason | None, times: int = 1, detail: str = "") -> None:
        for _ in range(times):
            self.usability.note(reason, detail)


@pytest.mark.parametrize(
    ("reason", "least", "says"),
    [
        ("failed", 3, "requests to it fail (why); check the url and the key of its API"),
        ("empty", 3, "its answers are empty (why); set another summarizer.model"),
        ("only_reasoning", 3, "it only thinks, although it is asked not to (why); set no_thinking for its API"),
        ("rejected", 10, "not supported by the reasoning, or too short (why); set a more capable summarizer.model"),
        ("deadline", 10, "it is too slow (why); set a faster summarizer.model, or longer deadlines.prompt_summary"),
    ],
)
def test_a_warning_names_the_reason_and_the_setting(
    reason: Reason, least: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes()
    with caplog.at_level(logging.WARNING):
        notes.note(reason, least - 1, "why")
        assert caplog.messages == []
        notes.note(reason, 20, "why")
    (message,) = caplog.messages
    assert message.startswith(f"none of the last {least} summaries by qwen3-8b could be used, so extracts are sent: ")
    assert says in message
    assert notes.counted == [reason] * (least + 19)


def test_it_is_said_again_only_later_and_each_reason_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    with caplog.at_level(logging.WARNING):
        notes.note("empty", 5)
        notes.note("failed", 5)
        notes.now += WARN_AGAIN_SECONDS
        notes.note("empty")
    assert [message.partition("extracts are sent: ")[2][:12] for message in caplog.messages] == [
        "its answers ",
        "requests to ",
        "its answers ",
    ]


def test_a_summary_that_can_be_used_starts_the_count_anew(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            notes.note("failed", 2)
            notes.note(None)
        notes.note("resting", 50)
    assert caplog.messages == []
    assert notes.counted == ["failed"] * 10 + ["resting"] * 50
