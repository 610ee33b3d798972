"""The language of a conversation, told by py3langid from the prose of the user's turns, so that summaries are in it.

Only the Summarizer loads the detector, which takes a second and 70 MB; its model is in its wheel. What cannot be told
is English, never the language next to it.
"""

from collections.abc import Callable
from functools import cache, lru_cache

from gateway.summaries.prose import LATIN_WORD, OTHER_WORD, UNSPACED, passages_of, size

DEFAULT = "en"
SHORT, SHORTEST = 24, 6
"""Letters of a short passage, and fewest that tell anything."""
LEAST, LEAST_OF_SHORT = 0.3, 0.4
"""Probability below which a language is not told."""
TELLING = 1.5
"""Factor to the probability of a language for each of its telling words."""
SAMPLE_CHARACTERS = 600
"""Only this many characters of a passage are given to the detector: it takes 1 ms for them."""
CACHED_CONVERSATIONS = 256


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAME = {
    **dict.fromkeys(("ary", "arz"), "ar"),
    **dict.fromkeys(("yue", "wuu"), "zh"),
    **dict.fromkeys(("zxx", "la"), ""),
    **{"bs": "hr", "fuv": "ff", "gcf": "fr", "grc": "el", "gug": "gn", "guw": "ee", "hbo": "he", "kik": "ki"},
    **{"nn": "no", "pcm": "en", "uzs": "uz"},
}
"""Labels of the detector that are dialects or cannot be told from another, or no language: `zxx`, and Latin, which
fills layouts."""
_RARE = _words(
    "ace an bcl br crh ext fo fy gcr gom ha ht ig jv kab lg lij ln ltg mg mt nso oc om qu rw sa sdh se sn so st vec vo"
    " wa xh yo zu"
)
"""Languages that a short text is more often taken for than written in."""
_TELLING = {
    language: _words(words)
    for language, words in {
        "be": "чаму што калі каб ці гэта як растлумач напішы я і ў не",
        "bg": "защо какво кога това обясни напиши има ще съм са се да за когато колко къде няма към",
        "mk": "зошто што кога ова објасни напиши има ќе сум се да за колку каде нема и",
        "ru": "почему что когда это объясни напиши есть про чтобы или если нет как сколько где я и в не он она",
        "sr": "зашто шта када ово објасни напиши има ће сам су се да за колико где нема и",
        "uk": "чому що коли це поясни напиши є про щоб або якщо немає як скільки де я і в не він вона будь",
        "hr": "što tko gdje uvijek tjedan tjedna tjedana tijekom povijest povijesti također dobivam",
        "sr-Latn": "šta ko gde uvek nedelja nedelje nedelju tokom istorija istorije takođe dobijam",
        "cs": "proč který která jsem když nebo jak kolik že jsou přelož",
        "sk": "prečo ktorý ktorá som keď alebo ako koľko že sú prelož",
        "da": "hvad jeg mig dig noget nogen efter uge uger ud af himlen kun hvorfor gerne weekenden",
        "no": "hva jeg meg deg noe noen etter uke uker ut av himmelen bare hvorfor gjerne helgen",
        "sv": "vad jag mig dig något någon efter vecka veckor ut av himlen bara varför hur är och om ett inte",
        "es": "qué cómo por el los las y una para con es cuántos del",
        "gl": "que como por o os as e unha para con é cantos do cal non ceo",
        "pt": "que como por o os as e uma para com é quantos do qual não céu",
        "id": "jelaskan mengapa kenapa bisa karena apa tidak bagaimana kamu saya ketika mendapatkan saran anda",
        "ms": "terangkan mengapa kenapa boleh kerana apa tidak bagaimana awak saya apabila mahu cadangan anda",
    }.items()
}
"""Frequent words of languages that are next to each other; a word that more than one of them has tells nothing."""
_ENGLISH = _words(
    "the a an and is are was were do does did to of in that it for on with as at by this these what how which who when"
    " where why many much have has had can could would should if write give me my i you your tell explain or not from"
    " there into please make add fix use mean say translate english summarize summarise rewrite correct describe"
    " compare list"
)


@lru_cache(CACHED_CONVERSATIONS)
def language_of(*turns: str) -> str:
    """Return the tag of the language in which the user asks: of the last of the user's `turns` that tells it."""
    told = (_told_of(passage) for turn in reversed(turns) for passage in passages_of(turn))
    return next(filter(None, told), DEFAULT)


@cache
def load() -> Callable[[str], list[tuple[str, float]]]:
    """Load the detector, once a process, and return its function: languages by probability, from a text."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    rank: Callable[[str], list[tuple[str, float]]] = LanguageIdentifier.from_model_file(
        MODEL_FILE, norm_probs=True
    ).rank
    return rank


def _told_of(passage: str) -> str | None:
    """Return the language of one passage of prose, or None if it cannot be told."""
    text = _in_one_script(passage)[:SAMPLE_CHARACTERS]
    letters = size(text)
    if letters < SHORTEST:
        return None
    shares: dict[str, float] = {"": 0.0}
    for label, share in load()(text):
        tag = SAME.get(label, label)
        shares[tag] = shares.get(tag, 0.0) + share
    if LATIN_WORD.match(text):
        shares["sr-Latn"] = shares.pop("sr", 0.0)
    words = frozenset(text.lower().split())
    if letters < SHORT and len(words & _ENGLISH) >= max(2, len(words) / 2):
        return "en"
    best = max(shares, key=lambda tag: shares[tag] * _weight(tag, words))
    return best if shares[best] >= (LEAST if letters >= SHORT else LEAST_OF_SHORT) else None


def _weight(tag: str, words: frozenset[str]) -> float:
    return (0.4 if tag in _RARE else 1.0) * TELLING ** len(words & _TELLING.get(tag, frozenset()))


def _in_one_script(passage: str) -> str:
    """Return the words in Latin letters, or the others: a term or a name in the other script says nothing."""
    latin, others = LATIN_WORD.findall(passage), OTHER_WORD.findall(passage)
    count = sum(max(1, len(UNSPACED.findall(word)) / 2) for word in others)
    english = len(_ENGLISH.intersection(word.lower() for word in latin)) >= 2
    return " ".join(latin if count * (1 if english else 3) < len(latin) else others)
