"""A scripted API for the page: what it plays depends on the question, and its summaries are of one wording."""

from typing import Any

from tests.fakes.scripted_api import ScriptedApi

PARAGRAPHS = (
    "The user asks whether 91 is a prime number. A prime has exactly two divisors, one and itself, so I look for a"
    " divisor between 2 and the square root of 91, which is a little more than 9.5 as 9 times 9 is 81. 🙂",
    "Let me go through the small primes. 91 is odd, so 2 does not divide it. The digits add up to 10, which is not a"
    " multiple of 3, so 3 does not divide it either. It does not end in 0 or 5, so 5 is out as well.",
    "Now 7. Seven times thirteen is ninety-one: 7 times 10 is 70, 7 times 3 is 21, and 70 and 21 are 91 together. So 7"
    " divides 91 exactly, and the other factor is 13. Wait, let me check this once more by a division: 91 by 7 is 13.",
    "Both 7 and 13 are primes themselves, so the factorization is complete. 91 is no prime; it is the product of two"
    " primes, which is called a semiprime. People often take it for a prime, since it is in no table up to ten.",
)
TRACE = "\n\n".join(PARAGRAPHS)
RESPONSE = (
    "**No.** 91 is $7 \\times 13$:\n\n| prime | divides 91 |\n|--:|:-:|\n| 7 | yes |\n\n```python\nprint(91 % 7)\n```\n"
)
HOSTILE_TRACE = "\n".join(
    (
        "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">",
        "[a](javascript:alert(1)) ![b](http://127.0.0.1:9/track.png) \u202eright to left\u202c \u200b\u200d zero",
        "مرحبا بالعالم، هذا نص من اليمين إلى اليسار.",
        "</div></body></html><style>* { display: none }</style>",
    )
)
HOSTILE_RESPONSE = (
    HOSTILE_TRACE + '\n\n<a id="composer" href="/v1/models">x</a>\n\n```html\n<script>alert(1)</script>\n'
)
LINE = "<b>\n"
PRIME, STALLED, CUT, REFUSED = "Is 91 a prime number?", "Think until I stop you", "Lose the API", "Refuse me"
HOSTILE, LINES, LONG, CALL = "Be hostile", "Write 100,000 lines", "Think of 200,000 characters", "Call a tool"


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def thinking(trace: str, response: str, pace: float = 0.01, size: int = 24) -> list[Any]:
    answer = pieces(response, size)
    return [{"pace": pace}, *(reasoning(piece) for piece in pieces(trace, size)), *answer]


def reasoning(text: str) -> Any:
    return {"delta": {"reasoning_content": text}}


TOOL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
}
ANSWERS: dict[str, list[Any]] = {
    PRIME: thinking(TRACE, RESPONSE),
    STALLED: [*thinking(TRACE, ""), {"stall": True}],
    CUT: [*thinking(TRACE[:700], ""), {"close": True}],
    REFUSED: [{"status": 400, "body": {"error": {"message": "no pictures, please", "code": "no_pictures"}}}],
    HOSTILE: thinking(HOSTILE_TRACE, HOSTILE_RESPONSE),
    LINES: thinking(LINE * 100_000, "Done.", pace=0, size=4000),
    LONG: thinking((TRACE + "\n\n") * (200_000 // len(TRACE) + 1), "It is done.", pace=0.03, size=400),
    CALL: [reasoning("I look it up."), {"delta": {"tool_calls": [TOOL]}}, {"finish": "tool_calls"}],
}  # fmt: skip
KEY = "secret"
"""The key of the gateway behind keys."""
SUMMARIES = "summaries"
"""Found in the path of requests for summaries."""
SUMMARY = "Trying a divisor\n7 times 13 is 91, so 7 divides 91."


class PageApi(ScriptedApi):
    """The API: `ANSWERS` to their questions, `SUMMARY` below the path `SUMMARIES`, else a short answer."""

    def __init__(self) -> None:
        super().__init__(otherwise=[SUMMARY], unscripted=SUMMARIES)

    def refusal(self, messages: list[Any]) -> list[Any] | None:
        content = messages[-1]["content"]
        return ANSWERS.get(content if isinstance(content, str) else content[0].get("text", ""))
