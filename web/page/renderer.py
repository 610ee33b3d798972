"""Markdown rendered in a process of its own, which may be hostile to no stream: it ends at its limits.

What a model writes chooses the patterns that run over it, and a pattern holds Python's lock: Pygments takes minutes for
20,000 slashes that call themselves C. The process has a time of its own for each text, and a bound on its memory.
Knows nothing of HTTP.

    python -m web.page.renderer     JSON texts in, a line each; lists of blocks out
"""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gateway.errors import InvalidRequest, Overloaded

CPU_SECONDS = 1.0
"""CPU time that a text may take."""
IDLE_SECONDS = 300.0
"""Seconds without a text after which the process ends; the next text starts another."""
MEMORY_BYTES = 1_000_000_000
MAX_WAITING = 32
"""Texts that may wait for their turn."""
CODE = Path(__file__).parent.parent.parent


class RenderProcess:
    """The process, which is started by the first text. Texts are rendered one after another."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = ThreadPoolExecutor(1, "render")
        self._waiting = 0

    async def render(self, text: str) -> bytes:
        """Return the blocks of a text as JSON, a list of `{"start": line, "html": …}`.

        Raises Overloaded if too many texts wait, and InvalidRequest for one that takes too long.
        """
        if self._waiting >= MAX_WAITING:
            raise Overloaded("too many texts wait to be rendered; try again shortly")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, text)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process. It also ends by itself when this one does."""
        self._thread.submit(self._end).result()
        self._thread.shutdown()

    def _exchange(self, text: str) -> bytes:
        line = json.dumps(text).encode() + b"\n"
        try:
            answer = self._ask(line)
        except BrokenPipeError:  # it has been idle for too long
            self._end()
            answer = self._ask(line)
        if not answer.endswith(b"\n"):
            self._end()
            raise InvalidRequest("this text takes too long to render; show it as it is", param="text")
        return answer

    def _ask(self, line: bytes) -> bytes:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _started()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe
                pipe.close()
            self._process = None


def _started() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [str(CODE), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "web.page.renderer"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )


def main() -> None:
    from web.page.markdown import blocks

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)  # which ends the process, also in the middle of a pattern
    signal.setitimer(signal.ITIMER_REAL, IDLE_SECONDS)
    while line := sys.stdin.buffer.readline():
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        found: list[dict[str, Any]] = [{"start": block.start, "html": block.html} for block in blocks(json.loads(line))]
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, IDLE_SECONDS)
        sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
