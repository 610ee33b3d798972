"""The check of one part: its title and each of its sentences against its step, then against the conversation.

Also holds what the model is shown of the step, since a summary may claim only what that excerpt says.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache, partial

from gateway.summaries.addressing import addresses_somebody
from gateway.summaries.bearing import MARGIN, SHARE, LexicalIndex, stems_of
from gateway.summaries.causes import CauseIndex
from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.equations import has_calculations_of
from gateway.summaries.examples import is_like_an_example
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, sanitized_excerpt
from gateway.summaries.extracts.key_sentences import key_sentences
from gateway.summaries.extracts.plain import plain
from gateway.summaries.figures import Figures
from gateway.summaries.fragments import is_fragment
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.language import language_of
from gateway.summaries.languages import AUTO, primary
from gateway.summaries.names import Names
from gateway.summaries.narration import tells_of_a_missing_text
from gateway.summaries.negation import NegationIndex
from gateway.summaries.part_decoder import PartDecoder
from gateway.summaries.protocol import PartTask
from gateway.summaries.self_talk import is_question, is_self_talk
from gateway.summaries.sentence_gate import SentenceGate
from gateway.summaries.sentences import sentences
from gateway.summaries.source_sentences import SourceSentences
from gateway.summaries.suppositions import Suppositions
from gateway.summaries.tautology import says_twice
from gateway.summaries.verdicts import has_verdicts_of
from gateway.summaries.written_title import plain_title

MIN_CHARACTERS, MIN_SHARE = 24, 16
"""Minimum length of a summary in characters: 24, or 1/16 of the step if that is less; wide characters count twice."""
ORDERED = 0.5
"""Share of a sentence's content words that must stand in the order of one sentence of the step or of two neighbours, if
the order counts."""
FEWEST_IN_ORDER = 4
"""A step with fewer different content words bears anything, if the order counts."""
SAID_AGAIN = 0.75
"""Share of a sentence's stems from which another sentence says it again."""
CACHED_CONVERSATIONS = 32
"""Number of conversations whose index is kept for their next part: building one takes up to 30 ms, it holds 160 KB."""


@lru_cache(CACHED_CONVERSATIONS)
def conversation_index(evidence: tuple[str, ...]) -> EvidenceIndex:
    """Return the index of a conversation's excerpts (`evidence_of`), sanitized."""
    return EvidenceIndex(["\n\n".join(map(sanitized_excerpt, evidence))])


def asked_language(task: PartTask) -> str:
    """Return the tag of the language in which the part is to be written."""
    return language_of(*task.earlier, task.request) if task.language == AUTO else task.language


class PartCheck:
    """The excerpt of a task's step that the model is shown, and the check of what it writes about it.

    The step joins the `earlier` ones when its words are first compared. If `in_order`, half of a sentence's content
    words must stand in the order of the step: right for small models, which make things up of words from all over it,
    and too strict for those that put it well in their own words.
    """

    def __init__(self, task: PartTask, earlier: EarlierSteps, *, in_order: bool = False) -> None:
        self._task, self._earlier, self._in_order = task, earlier, in_order
        self.excerpt = sanitized_excerpt(task.step)

    @cached_property
    def key_sentences(self) -> str:
        """The sentences that a draft may be shown in place of the excerpt; "" if the step has no prose."""
        return key_sentences(self.excerpt, self._task.request)

    def decoder(self) -> PartDecoder:
        """Return a decoder for one draft of the part."""
        problems = partial(self._problems, before=list[frozenset[str]]())
        return PartDecoder(SentenceGate(problems, min(MIN_CHARACTERS, len(self.excerpt) // MIN_SHARE)))

    def support(self, text: str) -> float:
        """Return how well the step bears a text: the share of words that it has in their order (`SourceSentences`), of
        the sentence of which it has least; 1 if the order does not count, or if words cannot be compared."""
        if not self._order_counts:
            return 1.0
        compared = filter(self._is_comparable, sentences(text))
        return min(map(self._source.ordered_share, compared), default=1.0)

    def checked_title(self, written: str) -> str:
        """Return the title as a plain phrase, or "" if it is none, not borne by the step, or the last one again."""
        title = plain_title(written)
        before = self._task.before.partition("\n")[0]
        if not title or title.casefold() == before.casefold() or addresses_somebody(title) or is_self_talk(title):
            return ""
        stems = stems_of(title)
        share = self._lexical.share(stems)
        borne = share > 0 if stems else any(char.isdigit() for char in title)
        if (
            (not borne and self._is_comparable(title))
            or is_like_an_example(stems, share)
            or self._unsupported_claims(title)
        ):
            return ""
        return title

    def _problems(self, sentence: str, before: list[frozenset[str]]) -> Sequence[str]:
        """Return what is wrong with a sentence; `before` are the stems of those that came before it in its draft."""
        stems = stems_of(sentence)
        if any(len(stems & other) >= SAID_AGAIN * min(len(stems), len(other)) for other in before if stems and other):
            return [sentence]
        before.append(stems)
        said = plain(sentence).strip()
        if said in self._task.before or addresses_somebody(sentence) or is_self_talk(said) or is_question(said):
            return [sentence]
        if is_fragment(said) or says_twice(said) or tells_of_a_missing_text(said, self.excerpt):
            return [sentence]
        if not self._is_borne(said):
            return [sentence]
        return self._unsupported_claims(said if "](" in sentence or "://" in sentence else sentence)

    def _is_borne(self, sentence: str) -> bool:
        stems = stems_of(sentence)
        share = self._lexical.share(stems)
        if is_like_an_example(stems, share):
            return False
        if (
            self._is_of_this_step(stems, share)
            and not (self._order_counts and self._source.ordered_share(sentence) < ORDERED)
            and not self._suppositions.are_told_as_facts(sentence)
            and not self._figures.are_of_something_else(sentence)
            and not self._names.are_of_something_else(sentence)
            and not self._negations.contradicts(sentence)
            and self._causes.has(sentence)
            and has_calculations_of(sentence, f"{self._plain_excerpt}\n{self._task.request}")
            and has_verdicts_of(sentence, self.excerpt)
        ):
            return True
        return not self._is_comparable(sentence)

    def _is_of_this_step(self, stems: frozenset[str], share: float) -> bool:
        """Return True if the step has a `share` of the stems that suffices, and no earlier step has many more."""
        most = max((step.share(stems) for step in self._steps_before), default=0.0)
        return share >= SHARE and most <= share + MARGIN

    @property
    def _order_counts(self) -> bool:
        """True if words must be in the order of the step: never for code."""
        return self._in_order and bool(self.key_sentences)

    def _is_comparable(self, sentence: str) -> bool:
        """Return True if the words of the step tell: there are enough, in the language of the sentence.

        Of a small model few are enough: in a step of formulas it makes up what they are about.
        """
        if not (self._lexical.tells or (self._in_order and self._lexical.size >= FEWEST_IN_ORDER)):
            return False
        return self._in_one_language or primary(language_of(sentence)) == self._language

    def _unsupported_claims(self, text: str) -> Sequence[str]:
        # Most sentences are supported by their step alone, so the conversation is not indexed for them.
        claims = self._step_index.unsupported_claims(text)
        unsupported = conversation_index(self._task.evidence).unsupported_claims(text) if claims else ()
        return [claim for claim in claims if claim in unsupported]

    @cached_property
    def _language(self) -> str:
        return primary(language_of(self.excerpt))

    @cached_property
    def _in_one_language(self) -> bool:
        return primary(asked_language(self._task)) == self._language

    @cached_property
    def _step_index(self) -> EvidenceIndex:
        return EvidenceIndex([self.excerpt])

    @cached_property
    def _lexical(self) -> LexicalIndex:
        return LexicalIndex(self.excerpt)

    @cached_property
    def _steps_before(self) -> Sequence[LexicalIndex]:
        return self._earlier.add(self._task.trace, self._lexical)

    @cached_property
    def _negations(self) -> NegationIndex:
        return NegationIndex(self.excerpt)

    @cached_property
    def _causes(self) -> CauseIndex:
        return CauseIndex(self._source)

    @cached_property
    def _suppositions(self) -> Suppositions:
        return Suppositions(self._source, self._task.request[:EXCERPT_CHARACTERS])

    @cached_property
    def _figures(self) -> Figures:
        return Figures(self._source)

    @cached_property
    def _names(self) -> Names:
        return Names(self._source)

    @cached_property
    def _source(self) -> SourceSentences:
        return SourceSentences(self._plain_excerpt)

    @cached_property
    def _plain_excerpt(self) -> str:
        return plain(self.excerpt)
