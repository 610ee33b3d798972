"""`reasoning-ask`: ask the gateway from a terminal or a pipe, and show the answer as it arrives.

Knows options, standard streams and exit codes; `api` sends the request, `render` shows the events.
"""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from enum import IntEnum
from io import TextIOWrapper
from typing import NoReturn

from client.api import NoServer, Refused, StreamError, Unreadable, endpoint, stream
from client.render import BrokenPipeConsole, Renderer, printable
from client.status import StatusLine
from gateway.events import Event, StreamFailed
from gateway.wire import native

DEFAULT_URL = "http://127.0.0.1:8000"
URL_VARIABLE = "REASONING_GATEWAY_URL"
KEY_VARIABLE = "REASONING_GATEWAY_KEY"
EPILOG = f"""\
examples:
  reasoning-ask "Why is the sky blue?"
  reasoning-ask --budget 128 "What is 17 * 23?"
  git diff | reasoning-ask --no-reasoning
  reasoning-ask --json "Name a prime." | jq -j 'select(.type == "response.delta").delta'

environment:
  {URL_VARIABLE}  the gateway's address if --url is not given
  {KEY_VARIABLE}  a key of the gateway, if it has keys

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
        return _report(error)
    except KeyboardInterrupt:
        print("\ncancelled", file=sys.stderr)
        return Exit.CANCELLED
    except BrokenPipeError:
        _discard_stdout()
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
        headline=True if options.no_reasoning and sys.stdout.isatty() and not options.json else None,
        key=os.environ.get(KEY_VARIABLE),
    )
    return (_write_json if options.json else _show)(events)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reasoning-ask",
        description="Ask a reasoning gateway: prompt summary, live reasoning, its summary, final response.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("prompt", nargs="?", metavar="PROMPT", help="the question; standard input if absent")
    url = os.environ.get(URL_VARIABLE, DEFAULT_URL)
    add("--url", type=_url, default=url, help="the gateway's address (default: %(default)s)")
    add("--model", metavar="NAME", help="the model to ask; GET /v1/models lists them")
    add("--budget", type=int, metavar="N", help="most tokens of thinking; 0 turns it off")
    add("--max-tokens", type=int, metavar="N", help="most tokens of the answer, with its thinking")
    add("--no-reasoning", action="store_true", help="without the reasoning itself; its summary is sent")
    add("--json", action="store_true", help="print one event per line, as JSON, and nothing else")
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
            code = _exit_code(event)
    return code


def _show(events: Generator[Event]) -> Exit:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console, code = BrokenPipeConsole(), Exit.FAILED
    status = StatusLine(console)
    renderer = Renderer(console, status if console.is_terminal else None)
    try:
        with closing(events):
            for event in events:
                renderer.show(event)
                code = _exit_code(event)
    except StreamError:
        renderer.close()
        raise
    finally:
        status.stop()
    return code


def _exit_code(event: Event) -> Exit:
    if not isinstance(event, StreamFailed):
        return Exit.ANSWERED
    retry = "; asking again may succeed" if event.error.retryable else ""
    _print_error(f"{event.error.message} ({event.error.type}, at the {event.error.stage} stage{retry})")
    return Exit.FAILED


def _report(error: StreamError) -> Exit:
    match error:
        case NoServer():
            _print_error(f"{error}; start a gateway with `reasoning-gateway up`, or name another with --url")
            return Exit.NO_SERVER
        case Refused(status=400):
            _print_error(str(error))
            return Exit.USAGE
        case Refused(type=None) | Unreadable():
            _print_error(f"{error}; name the address of a gateway with --url")
        case _:
            _print_error(str(error))
    return Exit.FAILED


def _print_error(message: str) -> None:
    print(f"error: {printable(' '.join(message.split()))}", file=sys.stderr)


def _discard_stdout() -> None:
    """Point stdout at the null device, so that the interpreter's flush at exit does not fail as well."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
