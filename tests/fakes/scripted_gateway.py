"""The gateway's application over a scripted parser and a scripted summarizer."""

from contextlib import nullcontext
from typing import Any

from fastapi import FastAPI

from gateway.config import GatewaySettings
from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.upstream import Accepted, Finished, ThinkingEnded
from tests.fakes.session import ScriptedParser, ScriptedSummarizer
from web.routes import Routes

USAGE = Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=4)
GOOD: list[Any] = [
    Accepted(prompt_tokens=5),
    Segment("reasoning", "Six times seven. "),
    Segment("reasoning", "That is 42."),
    ThinkingEnded(tokens=4, ended_by="marker"),
    Segment("response", "It is 42."),
    Segment("response", "\u2028Done."),
    Finished(finish_reason="stop", usage=USAGE),
]


def scripted_gateway(parser: ScriptedParser, **settings: Any) -> FastAPI:
    """Return the application; `settings` are fields of `GatewaySettings`."""
    checked = GatewaySettings.model_validate(settings)
    routes = Routes(checked, parser, ScriptedSummarizer(), lambda _: nullcontext(len), clients_are_hidden=False)
    return routes.app()
