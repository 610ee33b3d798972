"""Excerpts of a conversation and of a trace: what the model that summarizes is shown, and what supports it."""

import re
from collections.abc import Sequence

from gateway.summaries import code, sentences
from gateway.upstream import Message

EXCERPT_CHARACTERS = 4000
"""Maximum length of an excerpt: the beginning and the end of a longer text."""
EARLIER_CHARACTERS = 600
"""Maximum length of an excerpt of an earlier request, which only tells the language."""
TURN_CHARACTERS = 40_000
"""Maximum length of a turn of which code blocks are told from the rest; of a longer one, the middle is left out."""
TURNS = 4
"""Number of the conversation's last turns that are considered."""
SHORT_PROMPT = 120
"""Maximum length in characters of a prompt that needs no summary."""
_INSTRUCTION = re.compile(
    r"\b(?:ignor\w*|disregard|forget|override|vergiss|oublie\w*|olvida)\b[^\n]{0,60}"
    r"\b(?:instructions?|prompts?|above|anweisung\w*|instruccion\w*|consignes)\b"
    r"|\byou (?:must|should|will|shall|have to) (?:now |only |always )*"
    r"(?:(?:answer|reply|respond|output|write|print|say)\b[^\n]{0,30}[:\"'“]|obey\b)"
    r"|\b(?:answer|reply|respond|output|write|print|say) (?:only|exactly|just) "
    r"(?:the (?:word|phrase|following)|this|[\"'“])"
    r"|(?:忽略|无视|忘记)[^\n]{0,30}(?:指令|指示|要求|规则)",
    re.IGNORECASE,
)
"""Matches in a sentence that gives instructions to the model that reads it."""


def shown_turns(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the turns that a summary of the prompt needs, without what is in the middle of long ones.

    Of these alone the functions here and `gateway.summaries.prompts` return what they return of all.
    """
    request = request_of(messages)
    spoken = [turn for turn in messages if turn.role != "system" and turn.content not in ("", request)]
    asked = [turn for turn in messages if turn.role == "user"]
    needed = {id(turn) for turn in (*messages[-TURNS:], *spoken[-TURNS:], *asked[-TURNS - 1 :])}
    return [_shortened(turn) for turn in messages if id(turn) in needed]


def _shortened(turn: Message) -> Message:
    content = code.both_ends(turn.content, TURN_CHARACTERS)
    return Message(role=turn.role, content=content)


def request_of(messages: Sequence[Message]) -> str:
    """Return the user's last turn; results of tools may follow it."""
    return next((turn.content for turn in reversed(messages) if turn.role == "user"), messages[-1].content)


def earlier_requests(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return excerpts of the user's turns before the last one, the latest of them."""
    turns = [turn.content for turn in messages if turn.role == "user"][:-1]
    return tuple(both_ends(turn, EARLIER_CHARACTERS) for turn in turns[-TURNS:])


def is_its_own_summary(messages: Sequence[Message]) -> bool:
    """Return True if the conversation is a single short sentence, or has no words, such as a picture alone."""
    turns = [message.content.strip() for message in messages if message.role != "system"]
    if not any(turns):
        return True
    if len(turns) != 1 or len(turns[0]) > SHORT_PROMPT or "\n" in turns[0] or "`" in turns[0]:
        return False
    return len(sentences.sentences(turns[0])) == 1


def evidence_of(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the beginning and the end of each of the last turns: the evidence of a `PartTask`, not yet sanitized."""
    return tuple(both_ends(message.content, EXCERPT_CHARACTERS) for message in messages[-TURNS:])


def sanitized_excerpt(text: str) -> str:
    """Return an excerpt of a text without its prompt injections: sentences that instruct the model that reads them."""
    clauses = sentences.clauses(both_ends(text, EXCERPT_CHARACTERS))
    return "".join(clause for clause in clauses if not _INSTRUCTION.search(clause))


def both_ends(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters as it is, and of a longer one the beginning and the end."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n…\n{text[-half:]}"
