"""The text of an answer whose reasoning comes by a field of the API: all of it is response.

One API (llama.cpp's `deepseek-legacy`) repeats the reasoning between tags at the head of the text: the copy is dropped.
Text between tags that is no copy is the response, tags included. Knows nothing of how a field is found.
"""

from gateway.reasoning.parser import ReasoningParser, Segment

START = "<think>"


class TaggedCopyFilter:
    """Reads the text beside a field; `inside` says that a start tag has come before the field.

    Until the response begins, it keeps the text and the part of the field's reasoning that no copy has repeated.
    """

    def __init__(self, inside: bool = False) -> None:
        self._parser = ReasoningParser("auto", starts_inside=inside)
        self._raw = [START] if inside else []
        self._field: list[str] = []
        self._trace, self._repeated = "", 0
        self._at_start, self._begun = True, False

    def add_reasoning(self, text: str) -> None:
        """Note what the field carries. Blank text before it is not the beginning of the response."""
        if self._begun:
            return
        self._field.append(text)
        self._parser.forget_blank()
        if all(map(str.isspace, self._raw)):
            self._raw.clear()

    def feed(self, text: str) -> list[Segment]:
        """Return the response in `text`."""
        if self._begun:
            return self._parser.feed(text)
        self._raw.append(text)
        return self._response(self._parser.feed(text))

    def close(self) -> list[Segment]:
        """Return the response that was held back."""
        return self._response(self._parser.close())

    def _response(self, segments: list[Segment]) -> list[Segment]:
        for number, (kind, text) in enumerate(segments):
            if kind == "response":
                self._begin()
                return segments[number:]
            if not self._repeats(text):
                raw = "".join(self._raw)
                self._begin()
                self._parser = ReasoningParser("none")
                return self._parser.feed(raw)
        return []

    def _begin(self) -> None:
        self._begun = True
        self._raw, self._field, self._trace = [], [], ""

    def _repeats(self, text: str) -> bool:
        """Return whether `text` is what follows in the field's reasoning, blank text at its beginning apart."""
        if self._field:
            self._trace = self._trace[self._repeated :] + "".join(self._field)
            self._repeated, self._field = 0, []
            if self._at_start:
                self._trace = self._trace.lstrip()
        if self._at_start:
            text = text.lstrip()
            self._at_start = not text
        at, self._repeated = self._repeated, self._repeated + len(text)
        return self._trace.startswith(text, at)
