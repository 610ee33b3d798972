"""One draft of a part: what the model is shown of the step, its title, and how well the step bears it."""

from gateway.summaries.draft import Draft, Note
from gateway.summaries.part_check import PartCheck
from gateway.summaries.prompts import part_request
from gateway.summaries.protocol import PartTask
from gateway.upstream import UpstreamRequest

DRAFTS = 2
"""The first one is of the whole step, the second one of its key sentences: a small model loses its way in a long piece.
Of a step without prose it is of the whole step, and warm."""


class PartDraft(Draft):
    """The draft of a part with this number, from 0 on."""

    def __init__(self, check: PartCheck, number: int, note: Note) -> None:
        self._check, self._number = check, number
        self._decoder_of_part = check.decoder()
        self._titles = {"": ""}
        super().__init__(self._decoder_of_part, note)

    def request(self, request_id: str, task: PartTask) -> UpstreamRequest:
        key_sentences = self._check.key_sentences if self._number else ""
        piece = key_sentences or self._check.excerpt
        return part_request(request_id, task, piece, self._number, warm=self._number > 0 and not key_sentences)

    @property
    def title(self) -> str:
        """The title, once it is whole; "" if it is no good."""
        if (written := self._decoder_of_part.title) not in self._titles:
            self._titles = {"": "", written: self._check.checked_title(written)}
        return self._titles[written]

    @property
    def support(self) -> float:
        """The support of the text by the step (`PartCheck.support`); 0 if there is no text."""
        return self._check.support(self.text) if self.text else 0.0
