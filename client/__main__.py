"""`python -m client`: ask the gateway from a terminal or a pipe, and show the answer as it comes.

Knows options, streams and exit codes; asking is `api`'s work and showing `render`'s.
"""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from enum import IntEnum
from io import TextIOWrapper
from typing import NoReturn

from client.api import CutOff, NoServer, Refused, StreamError, Unreadable, endpoint, stream
from client.render import BrokenPipeConsole, Renderer, printable
from gateway.events import Event, StreamFailed
from gateway.wire import native

DEFAULT_URL = "http://127.0.0.1:8000"
URL_VARIABLE = "REASONING_GATEWAY_URL"
KEY_VARIABLE = "REASONING_GATEWAY_KEY"
EPILOG = f"""\
examples:
  python -m client "Why is the sky blue?"
  python -m client --budget 128 "What is 17 * 23?"
  git diff | python -m client --no-reasoning
  python -m client --json "Name a prime." | jq -j 'select(.type == "response.delta").delta'

environment:
  {URL_VARIABLE}  the gateway's address where --url is not given
  {KEY_VARIABLE}  a key of the gateway's, where it has keys

exit codes:
  0 answered   1 the stream failed   2 wrong usage   3 no server   130 cancelled with Ctrl-C
"""


class Exit(IntEnum):
    ANSWERED = 0
    FAILED = 1
    USAGE = 2
    NO_SERVER = 3
    CANCELLED = 130
    BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> Exit:
    try:
        return _ask(_parser(), arguments)
    except StreamError as error:
        return _explain(error)
    except KeyboardInterrupt:
        print("\ncancelled", file=sys.stderr)
        return Exit.CANCELLED
    except BrokenPipeError:
        _forget_stdout()
        return Exit.BROKEN_PIPE


def _ask(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> Exit:
    options = parser.parse_args(arguments)
    events = stream(
        options.url,
        _prompt(options.prompt, parser.error),
        model=options.model,
        max_tokens=options.max_tokens,
        budget=options.budget,
        trace=False if options.no_reasoning else None,
        key=os.environ.get(KEY_VARIABLE),
    )
    return (_write_json if options.json else _show)(events)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m client",
        description="Ask a reasoning gateway: prompt summary, live reasoning, its summary, final response.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("prompt", nargs="?", metavar="PROMPT", help="the question; standard input when absent")
    url = os.environ.get(URL_VARIABLE, DEFAULT_URL)
    add("--url", type=_url, default=url, help="the gateway's address (default: %(default)s)")
    add("--model", metavar="NAME", help="the model to ask; GET /v1/models lists them")
    add("--budget", type=int, metavar="N", help="tokens of thinking; 0 turns it off")
    add("--max-tokens", type=int, metavar="N", help="tokens of the answer, its thinking included")
    add("--no-reasoning", action="store_true", help="leave the trace out; only its summary is sent")
    add("--json", action="store_true", help="write one event a line, as JSON, and nothing else")
    return parser


def _url(text: str) -> str:
    try:
        endpoint(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _prompt(argument: str | None, refuse: Callable[[str], NoReturn]) -> str:
    if argument is None and sys.stdin.isatty():
        refuse("no prompt: give one in quotes, or pipe it in")
    try:
        prompt = sys.stdin.buffer.read().decode() if argument is None else os.fsencode(argument).decode()
    except UnicodeDecodeError:
        refuse("the prompt is not UTF-8 text")
    if not prompt.strip():
        refuse("the prompt is empty")
    return prompt


def _write_json(events: Generator[Event]) -> Exit:
    code = Exit.FAILED
    with closing(events):
        for event in events:
            sys.stdout.buffer.write(native.encode(event) + b"\n")
            sys.stdout.buffer.flush()
            code = _outcome(event)
    return code


def _show(events: Generator[Event]) -> Exit:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    renderer, code = Renderer(BrokenPipeConsole()), Exit.FAILED
    try:
        with closing(events):
            for event in events:
                renderer.show(event)
                code = _outcome(event)
    except StreamError:
        renderer.close()
        raise
    return code


def _outcome(event: Event) -> Exit:
    if not isinstance(event, StreamFailed):
        return Exit.ANSWERED
    retry = "; ask again, it may well succeed" if event.error.retryable else ""
    _complain(f"{event.error.message} ({event.error.type}, at the {event.error.stage} stage{retry})")
    return Exit.FAILED


def _explain(error: StreamError) -> Exit:
    match error:
        case NoServer():
            _complain(f"{error}; start a gateway with `make demo`, or name another with --url")
            return Exit.NO_SERVER
        case Refused(status=400):
            _complain(str(error))
            return Exit.USAGE
        case Refused(type=None) | Unreadable():
            _complain(f"{error}; name the address of a gateway with --url")
        case CutOff():
            _complain(f"{error}; what came until then stands, and asking again may do better")
        case _:
            _complain(str(error))
    return Exit.FAILED


def _complain(message: str) -> None:
    print(f"error: {printable(' '.join(message.split()))}", file=sys.stderr)


def _forget_stdout() -> None:
    """Point stdout nowhere, so that the interpreter's own last flush does not fail as well."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
