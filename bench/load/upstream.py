"""A scripted upstream: OpenAI's streaming /chat/completions on asyncio's transports, with a time in each delta.

    .venv/bin/python -m bench.load.upstream --port 8010

The last message of a request is the script, a `bench.load.loads.Script`. Delta number n (from 1) is sent n/pace seconds
after the request even if an earlier one was late, and all streams share one timer. Three deltas of four are reasoning,
a passage of several paragraphs that repeats. The model `summarizer` answers at once: of a prompt with one fixed
sentence, of a piece of reasoning with its longest one.
"""

import argparse
import asyncio
import gc
import heapq
import json
import re
from functools import cache
from itertools import cycle, islice
from typing import Any, NamedTuple

from bench.load.loads import MODEL, SUMMARIZER, Script
from bench.load.stamps import DIGITS, MARKS, Kind, digits, now

PASSAGE = """\
Okay, the user asks how long the train takes for the whole way. First the speed has to be known, and the speed follows \
from the part of the way that is given. The train goes at an even speed, so the way and the time grow together.

Wait, the train also stops on the way. The stop takes a while, and it has to be added to the time of travel, since \
the question asks for the time from the first station to the last one. That is easy to overlook.

So the time of travel comes first, then the time of the stop, and both together are what the user wants to know. \
Let me check it once more from the other end: without the stop the train would be there sooner, which fits.

"""
PROMPT_SUMMARY = "You ask how long the train takes."
_PIECE = re.compile(r"<piece>\n(.*)\n</piece>", re.DOTALL)
_WHOLE_SENTENCE = re.compile(r"[A-Z][^.?!:]*\.")
TITLE_WORDS = 8
_STAMP = re.compile(r"~[ra][0-9a-f]{8} ")
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": MODEL,
        "choices": [choice],
    }
    return b"data: %b\n\n" % json.dumps(chunk, separators=(",", ":")).encode()


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_END = _chunked(_event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class SplitChunk(NamedTuple):
    """An HTTP chunk with one event, without the digits of the stamp between its halves."""

    before: bytes
    after: bytes


_WORDS = re.findall(r"(\s*)(\S+)", "\n\n" + PASSAGE.strip())


@cache
def chunks(script: Script) -> list[SplitChunk]:
    """Return all chunks of an answer. Each stamp is a word before its word, so that sentences end as they do and words
    stay words."""
    words = list(islice(cycle(_WORDS), script.deltas))
    kinds: list[Kind] = ["reasoning" if number < script.thoughts else "response" for number in range(script.deltas)]
    whole = [
        _chunk(kind, "reasoning_content" if (kind, script.reasoning) == ("reasoning", "field") else "content", *word)
        for kind, word in zip(kinds, words, strict=True)
    ]
    if script.reasoning == "tags":
        whole[0] = _chunk("reasoning", "content", "<think>", words[0][1])
        whole[script.thoughts - 1] = _chunk("reasoning", "content", " ", f"{words[script.thoughts - 1][1]}</think>")
    if script.cut:
        return whole[: script.cut]
    last = whole[-1]
    return [*whole[:-1], SplitChunk(last.before, last.after + _END)]


def response_text(script: Script) -> str:
    """Return the response of an answer without its stamps."""
    return "".join(space + word for space, word in islice(cycle(_WORDS), script.thoughts, script.deltas))


def characters(deltas: int) -> int:
    """Return the length of the text of that many deltas, including their stamps."""
    stamps = deltas * (len(MARKS["response"]) + DIGITS + 1)
    return stamps + sum(len(space) + len(word) for space, word in islice(cycle(_WORDS), deltas))


@cache
def _chunk(kind: Kind, field: str, space: str, word: str) -> SplitChunk:
    data = _event({field: f"{space}@ {word}"})
    before, after = data.split(b"@")
    before += MARKS[kind]
    return SplitChunk(b"%x\r\n%b" % (len(before) + DIGITS + len(after), before), after + b"\r\n")


class Stream:
    """An answer that is being sent, one delta with each call of `send`."""

    def __init__(self, transport: asyncio.Transport, script: Script) -> None:
        self._transport, self._cut = transport, script.cut
        self._chunks = iter(chunks(script))
        self._last = 0

    def send(self) -> bool:
        """Send the next delta. Return False if there is none, or if the connection is closing."""
        chunk = next(self._chunks, None)
        if chunk is None or self._transport.is_closing():
            if self._cut:
                self._transport.close()
            return False
        self._last = max(now(), self._last + 1)  # no two stamps of a stream are equal
        self._transport.write(chunk.before + digits(self._last) + chunk.after)
        return True


class Pacer:
    """One timer for all streams: no delta is sent early, and delays do not accumulate."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: list[tuple[float, int, float, Stream]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: Stream, pace: int) -> None:
        self._count += 1
        heapq.heappush(self._due, (self._loop.time() + 1 / pace, self._count, 1 / pace, stream))
        self._wait()

    def _tick(self) -> None:
        due, now = self._due, self._loop.time()
        while due and due[0][0] <= now:
            at, number, gap, stream = due[0]
            if stream.send():
                heapq.heapreplace(due, (at + gap, number, gap, stream))
            else:
                heapq.heappop(due)
        self._wait()

    def _wait(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due[0][0], self._tick) if self._due else None


class Connection(asyncio.Protocol):
    """A connection, with one request after the other. Any request that is not a POST gets the health check's answer."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer, self._request = pacer, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, end, body = self._request.partition(b"\r\n\r\n")
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        if not end or len(body) < length:
            return
        self._request = body[length:]
        if head.startswith(b"POST "):
            self._answer(json.loads(body[:length]))
        else:
            self._transport.write(_HEALTHY)

    def _answer(self, request: dict[str, Any]) -> None:
        prompt = _text(request["messages"][-1]["content"])
        if request["model"] == SUMMARIZER:
            self._transport.write(_HEAD + _chunked(_event({"content": summary_of(prompt)})) + _END)
            return
        script = Script.read(prompt)
        self._transport.write(_HEAD)
        self._pacer.add(Stream(self._transport, script), script.pace)


def summary_of(prompt: str) -> str:
    """Return the summary of a prompt, or of the piece of a trace that a prompt quotes."""
    piece = _PIECE.match(prompt)
    if not piece:
        return PROMPT_SUMMARY
    sentence = max(_WHOLE_SENTENCE.findall(" ".join(_STAMP.sub("", piece[1]).split())), key=len, default="")
    title = " ".join(sentence.split(",")[0].split()[:TITLE_WORDS])
    return f"**{title}** {sentence}"


def _text(content: Any) -> str:
    """Return the text of a message's content, which is a string or a list of parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


async def serve(port: int = 0) -> asyncio.Server:
    """Listen on 127.0.0.1; port 0 takes a free one."""
    pacer = Pacer()
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(pacer), "127.0.0.1", port, backlog=1024)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8010, help="where to listen (8010)")
    server = await serve(parser.parse_args().port)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
