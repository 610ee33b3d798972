"""English phrases for titles: a verb as a gerund, and noun phrases told by the words around them."""

from collections.abc import Iterator

from gateway.summaries.extracts.lexicon import Lexicon


def words(text: str) -> frozenset[str]:
    """Return the words of a text, as a set."""
    return frozenset(text.split())


_DOUBLED = words(
    "get set put plan run cut begin split sum map step stop drop fit swap plug let sit hit log tag trim flip spot"
)
NOT_VERBS = words(
    "be not never always a an the it is as if because to also have had had been that this these those really actually"
    " my"
    " your our just only even see think remember recall assume say guess wonder know hope stop wait go note keep pause"
    " mention"
)
_DETERMINERS = words("the a an this each its their our two three four five")
_LINKS = frozenset(("of", "for", "between"))
_AFTER_VERBS = words(
    "a an the this that these those it them him her you me us to my your his its their our how what if as no"
)
"""Words that follow a verb, not a noun."""


def gerund(verb: str) -> str:
    """Return the form in -ing."""
    if verb.endswith("ing"):
        return verb
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) else verb) + "ing"


def noun_phrases(sentence: str, lexicon: Lexicon) -> Iterator[str]:
    """Yield English noun phrases: from a determiner to a word that ends them."""
    spoken = sentence.split(" ")
    for at, word in enumerate(spoken):
        if word.lower().lstrip('("“') not in _DETERMINERS:
            continue
        phrase: list[str] = []
        for following in spoken[at + 1 : at + 7]:
            bare = following.strip('"“”()').rstrip(",;:.!?")
            if (bare.lower() in _LINKS and phrase) or (bare.lower() == "the" and phrase and phrase[-1] in _LINKS):
                phrase.append(bare)
                continue
            ended = not bare or bare.lower() in lexicon.function_words or lexicon.verb.fullmatch(bare)
            if ended and bare.lower() in _AFTER_VERBS:
                phrase = phrase[:-1]  # it was a verb
            if not ended:
                phrase.append(bare)
            if ended or following != bare:
                if len(phrase) > 1 and not any("—" in one or "/" in one for one in phrase):
                    yield " ".join(phrase)
                break
