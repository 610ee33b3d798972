"""The vocabulary of a format: its states, the markers active in each, and the effect of each marker.

    (state, marker) -> (next state, whether the marker's own text is dropped or kept)

A state has one of three shapes, and no format needs more:

    open       markers may occur anywhere, some only at the beginning of a line; the text between is of the state's kind
    anchored   a marker counts only as the very next text that is not blank; anything else leads to the state `fallback`
    header     the text up to a closing marker is one long marker, and its content decides where it leads

Knows nothing of chunks, of streams or of any model's name.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["reasoning", "response"]
StateName = Literal[
    "leading",  # outside, before the first word of the response: markers are framing
    "opening",  # inside, before the first word of the reasoning: a start marker is a repetition
    "labelled",  # as opening, after the label
    "reasoning",
    "response",  # the response has begun: markers are words, but for those of channels and of models that reopen
    "wrapped",  # inside the wrapper of the response
    "between",  # between two messages
    "header",  # inside the header of a message
    "tool",  # a message to a tool, passed as response text, its header included
]
Scan = Callable[[str, int], re.Match[str] | None]

LONGEST_HEADER = 256
"""Maximum length of a header in characters. Names of tools have at most 64, so a longer one is malformed."""
LONGEST_BLANK = 4096
"""Maximum length of blank text in characters that waits for what follows it. More is text of the answer."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect of a marker: the state it leads to, and whether it stays in the text.

    With `keep`, the marker is the first text of that state, and newlines after it are kept too.
    """

    to: StateName
    keep: bool = False


@dataclass(frozen=True)
class State:
    """An open state, or an anchored one if `fallback` names a state, which is of the same kind.

    `line_markers` are markers of an open state that count only at the beginning of a line.
    Raises ValueError if a marker is empty, begins with a newline, or is the beginning of another marker of the
    state: the parser would have to hold it back until more text arrives, which may never happen.
    """

    kind: Kind
    markers: Mapping[str, Rule]
    fallback: StateName | None = None
    line_markers: Mapping[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        markers = {**self.markers, **self.line_markers}
        for marker in markers:
            if not marker or marker.startswith("\n"):
                raise ValueError(f"a marker must not be empty or begin with a newline: {marker!r}")
            if any(other != marker and other.startswith(marker) for other in markers):
                raise ValueError(f"a marker must not be the beginning of another marker: {marker!r}")

    @cached_property
    def plain(self) -> bool:
        """True if no marker can follow, so that newlines need not wait for one."""
        return self.fallback is None and not self.markers and not self.line_markers

    @cached_property
    def scan(self) -> Scan:
        """Find the next marker: `scan(text, position)` returns a match, or None.

        Group 1 is a whole marker. Group 2 is the beginning of one, cut off by the end of the text. A marker at the
        beginning of a line is recognized by the newline before it, which may stand before `position`.
        """
        whole, partial = _either(map(re.escape, self.markers)), _either(map(_partial, self.markers))
        if self.fallback is not None:
            return re.compile(rf"\s*?(?:({whole})|({partial})?\Z)").match
        if self.line_markers:
            whole += rf"|(?<=\n)(?:{_either(map(re.escape, self.line_markers))})"
            partial += rf"|(?<=\n)(?:{_either(map(_partial, self.line_markers))})"
        return re.compile(rf"({whole})|({partial})\Z").search

    @cached_property
    def find_special(self) -> Callable[[str], re.Match[str] | None]:
        """Find a character that may belong to a marker or to the newlines around one. None means plain text."""
        first = "".join(re.escape(marker[0]) for marker in self.markers)
        return re.compile("(?!)" if self.plain else rf"[\n{first}]").search

    def rule(self, marker: str) -> Rule:
        """Return the rule of a marker. Raises KeyError if the state has no such marker."""
        return self.markers.get(marker) or self.line_markers[marker]


@dataclass(frozen=True)
class Header:
    """The header of a message, from its opening marker to `end`, both included.

    `routes` are regular expressions, tried in order. A header that matches none of them, or that is longer than
    LONGEST_HEADER, is malformed: it stays in the text, as text of the state `fallback`.
    """

    end: str
    routes: tuple[tuple[str, Rule], ...]
    fallback: StateName = "response"
    kind: Kind = "response"
    plain = False

    @cached_property
    def scan(self) -> Scan:
        """Find the end of the header. As `State.scan`; group 2 is the header received so far."""
        most = LONGEST_HEADER - len(self.end)
        return re.compile(rf"(.{{0,{most}}}?{re.escape(self.end)})|(.{{1,{LONGEST_HEADER - 1}}})\Z", re.DOTALL).match

    def rule(self, header: str) -> Rule:
        """Return the rule of the first route that matches, or the rule for a malformed header."""
        routed = (rule for pattern, rule in self.routes if re.search(pattern, header))
        return next(routed, Rule(self.fallback, keep=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way of marking reasoning: its states, its initial state, and its row in the documentation.

    `inside` and `outside` name the initial state of an output that begins in reasoning, and of one that does not;
    `starts_inside` is the default, which holds with `by_request` only for requests that want thinking. `starts` and
    `ends` are the tags of the reasoning; a format of channels has none.
    `model_pattern` is a regular expression, searched in the lower-case name of a model; empty if no model is
    detected by its name. `families`, `markers` and `note` are cells of the documentation's table.
    """

    name: str
    families: str
    markers: str
    states: Mapping[StateName, State | Header]
    inside: StateName
    outside: StateName
    starts_inside: bool
    by_request: bool = False
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    model_pattern: str = ""
    note: str = ""


def _either(patterns: Iterable[str]) -> str:
    return "|".join(patterns) or "(?!)"


def _partial(marker: str) -> str:
    """Return a pattern for every proper prefix of `marker`, longest first."""
    pattern = ""
    for character in reversed(marker[1:-1]):
        pattern = f"(?:{re.escape(character)}{pattern})?"
    return re.escape(marker[0]) + pattern if len(marker) > 1 else "(?!)"
