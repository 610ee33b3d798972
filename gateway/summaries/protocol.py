"""Messages between a session and the Summarizer: plain data, so that it can be pickled."""

from dataclasses import dataclass

from gateway.summaries.languages import AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTask:
    """A part of the reasoning summary to write.

    `step` is the text to summarize. `language` is the tag of the summary's language; `auto` is that of `request`, which
    the user has asked, or of `earlier`, the user's turns before it, if that does not tell. `evidence` holds excerpts of
    the conversation, which support claims beside the step. `before` is the title and the text of the part before, which
    must not be repeated. `trace` names the trace, whose steps are compared; "" for a step by itself.
    """

    step: str
    request: str
    earlier: tuple[str, ...] = ()
    language: str = AUTO
    evidence: tuple[str, ...] = ()
    before: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class SummaryTitle:
    """The title that the model has written, if it is supported, or "" if the draft that had one was rejected. It comes
    when the text begins, so that a part whose sentence is late has the title at least."""

    text: str


@dataclass(frozen=True, slots=True)
class SummaryCandidate:
    """A text that is the summary if none better follows in time: a draft that the step bears weakly, while another one
    is written. The last title before it is its title."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryUsage:
    """The tokens of a summary so far, those of drafts that were thrown away among them.

    `tokens` were generated, `prompt_tokens` read; `cached_tokens` are those of the latter that the upstream had in its
    cache.
    """

    tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: "SummaryUsage") -> "SummaryUsage":
        return SummaryUsage(
            tokens=self.tokens + other.tokens,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryEnd:
    """The last item of a summary. `rejected` is the number of drafts that the grounding check has ended.

    `title` is empty for the summary of a prompt. If no text has come before it, an extract is made.
    """

    title: str
    rejected: int


SummaryItem = str | SummaryTitle | SummaryCandidate | SummaryUsage | SummaryEnd
"""Items of a summary: checked text, in order; SummaryTitles and SummaryCandidates before it, and a SummaryUsage now and
then, of each of which the last one counts; one SummaryEnd at the end."""
