"""Requests whose answer is tiny by intent, such as the title of a chat: nobody reads a summary of those.

Clients send them in the background, in the words of their own templates.
"""

import re
from collections.abc import Sequence
from itertools import islice

from gateway.upstream import Message, UpstreamRequest

FEWEST_TOKENS = 64
"""An answer that may have fewer tokens needs no summary."""
INSTRUCTION_CHARACTERS = 600
"""Only this many characters at either end of a turn are taken for its instruction."""
SYSTEM_TURNS = 4
"""Only the first system turns are looked at: a task has one, a hostile request has thousands."""
_ASKS = (
    r"(?:^|[.!:?\n#>*•-]\s*|\bplease\s+|\b(?:job|task|goal|role)\s+is\s+to\s+|\byou\s+(?:will|must|should|need\s+to)\s+"
    r"|\b(?:tasked|charged)\s+with\s+|\banaly[sz]e\s+th(?:is|e)\s+\w+\s+and\s+)"
    r"(?:generat|creat|writ|provid|produc|giv|suggest|com|return|output|summari[sz])(?:e|ing)?(?:\s+(?:me|up\s+with))?\b"
)
_CHAT = (
    r"(?:chats?|conversations?|threads?|sessions?|dialog(?:ue)?s?|discussions?|task\s+that|(?:first|this|user(?:['’]s)?)"
    r"\s+(?:message|prompt|request|query)|starts?\s+with)"
)
_SUBORDINATE = r"\b(?:that|which|where|for|function|component|script|page|test|code|app|class|method)\b"
_BETWEEN = rf"(?:(?!{_SUBORDINATE})(?:[^.]|(?<=\d)\.)){{0,100}}?"
"""Anything that may stand between the words of one instruction."""
_TITLE = re.compile(
    "|".join(
        (
            rf"{_ASKS}{_BETWEEN}\b(?:title|topic)\b[^\n]{{0,120}}?\b{_CHAT}\b",
            rf"{_ASKS}{_BETWEEN}\b{_CHAT}\b{_BETWEEN}\btitle\b",
            r"\btitle\s+generator\b",
            r"(?:会话|对话|聊天|谈话)[^。\n]{0,40}(?:标题|主题)|(?:标题|主题)[^。\n]{0,40}(?:会话|对话|聊天)",
            r"返回这句话的简要主题",
        )
    ),
    re.IGNORECASE,
)
_TASK, _HISTORY = "### Task:\n", "\n<chat_history>"
"""Background tasks of Open WebUI: titles, tags, questions to follow, queries for a search."""


def is_side_task(request: UpstreamRequest) -> bool:
    """Return True for a request that limits its answer to a few tokens, or asks for nothing but the title of a chat."""
    if request.max_tokens is not None and request.max_tokens < FEWEST_TOKENS:
        return True
    return not request.tools and _asks_for_a_title(request.messages)


def _asks_for_a_title(messages: Sequence[Message]) -> bool:
    last = next((turn.content for turn in reversed(messages) if turn.role == "user"), "")
    systems = [*islice((turn.content for turn in messages if turn.role == "system"), SYSTEM_TURNS)]
    if any(map(_is_background_task, (last, *systems))):
        return True
    beginnings = (turn[:INSTRUCTION_CHARACTERS] for turn in (*systems, last))
    return any(map(_TITLE.search, (*beginnings, last[-INSTRUCTION_CHARACTERS:])))


def _is_background_task(turn: str) -> bool:
    """Return whether a turn begins as such a task and has the line that begins its history."""
    return turn.lstrip().startswith(_TASK) and (f"{_HISTORY}\n" in turn or turn.endswith(_HISTORY))
