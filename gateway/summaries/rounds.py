"""The drafts of a part: what each is shown, which are written side by side, and which one is taken."""

from collections.abc import Sequence

from gateway.summaries.draft import Draft, Note
from gateway.summaries.part_check import PartCheck
from gateway.summaries.prompts import part_request
from gateway.summaries.protocol import PartTask
from gateway.upstream import UpstreamRequest

Rounds = Sequence[Sequence[int]]
"""The numbers of the drafts that are written side by side, and of those that follow if none of them stands."""
ONE_BY_ONE: Rounds = ((0,), (1,))
"""For an API, by which each draft is paid for."""
SIDE_BY_SIDE: Rounds = ((0, 1), (2, 3))
"""For a model of the cluster: a step of several drafts takes little longer than one of one, and they share most of
their prompts."""
FIRST_WARM = 2
"""Drafts from this number on are written at a temperature."""
ENOUGH = 0.9
"""A draft with a sentence that its step bears so well is not compared with those beside it."""


class PartDraft(Draft):
    """A draft of a part. Those with an even number are of the whole step, those with an odd one of its key sentences,
    or of the whole step, but warm, if it has no prose."""

    def __init__(self, check: PartCheck, number: int, note: Note) -> None:
        self._check, self._number = check, number
        key_sentences = check.key_sentences if number % 2 else ""
        self._piece = key_sentences or check.excerpt
        self._warm = number >= FIRST_WARM or (number % 2 == 1 and not key_sentences)
        self._part_decoder = check.decoder(warm=self._warm)
        self._titles = {"": ""}
        super().__init__(self._part_decoder, note)

    def request(self, request_id: str, task: PartTask) -> UpstreamRequest:
        return part_request(request_id, task, self._piece, self._number, warm=self._warm)

    @property
    def title(self) -> str:
        """The title, once it is whole; "" if it is no good."""
        if (written := self._part_decoder.title) not in self._titles:
            self._titles = {"": "", written: self._check.checked_title(written)}
        return self._titles[written]

    @property
    def support(self) -> float:
        """How well the step bears the text (`PartCheck.support`); 0 if there is none."""
        return self._check.support(self.text) if self.text else 0.0


class Round:
    """Drafts that are written side by side. `taken` is the one whose text is sent, once that is decided."""

    def __init__(self, drafts: Sequence[PartDraft]) -> None:
        self.drafts = drafts
        self.taken = drafts[0] if len(drafts) == 1 else None
        self._said = [""] * len(drafts)  # as far as it has been read: a draft may be ahead

    @property
    def title(self) -> str:
        """The title of the draft that is taken, or as long as none is, of the first."""
        return (self.taken or self.drafts[0]).title

    @property
    def is_rejected(self) -> bool:
        """Whether all drafts have ended without text, since the check has refused them."""
        return not (self.taken and self.taken.text) and all(draft.rejected for draft in self.drafts)

    def add(self, number: int, piece: str) -> str:
        """Note a piece of the draft with this number in the round, and return what may be sent now: a draft is taken
        with its first sentences if these are borne well."""
        draft = self.drafts[number]
        self._said[number] += piece
        if self.taken is None and piece and draft.support >= ENOUGH:
            self._take(draft)
            return self._said[number]
        return piece if draft is self.taken else ""

    def is_taken(self, number: int) -> bool:
        return self.drafts[number] is self.taken

    def finish(self) -> str:
        """Take the best of the drafts that stand, if none has been taken, and return its text."""
        if self.taken is not None:
            return ""
        best = max(self.drafts, key=lambda draft: (bool(draft.text), draft.support))
        if best.text:
            self._take(best)
        return best.text

    def _take(self, draft: PartDraft) -> None:
        self.taken = draft
        for other in self.drafts:
            if other is not draft:
                other.leave()
