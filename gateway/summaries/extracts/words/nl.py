"""The words of Dutch."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "de het een en of maar van in op aan met voor door bij naar uit over onder tussen zonder om te dat die dit"
        " deze er is zijn was waren wordt worden heeft hebben had kan kunnen moet moeten zal zou ik je jij hij zij"
        " ze we wij hun haar zijn niet geen als dan wat wie waar hoe ook nog maar wel zo nu al"
    ),
    fillers=("wacht(?: even)?|hmm+|oké|ok|maar|en|even kijken"),
    pauses="goed|dus|nu|dan|ook|ja|nee|eigenlijk|echter|daarom|eerst|vervolgens|ten slotte|bovendien",
    talk="ik (?:moet|ga|wil|denk|kan)|laten we|laat me|we (?:moeten|kunnen)|misschien|wacht|hmm|de gebruiker",
    found=(
        "dus|daarom|het antwoord|resultaat|betekent|moet zijn|kan niet|onmogelijk|gevonden|juist|totaal|omdat|oplossing"
    ),
    hedges="misschien|zou kunnen|waarschijnlijk|lijkt",
    doubts="niet zeker|wacht|hmm|ik denk",
    condition=r"(?:(?:en|maar)\W+)?(?:als|indien)\b",
    subordinate=(
        "als|wanneer|omdat|terwijl|hoewel|om|met|zonder|in|op|van|voor|naar|en|of|maar|dat|die|dit|wat|wie|het|er|ik"
        "|hij|zij|niet|ook|bij|uit"
    ),
    verbs="is|zijn|was|waren|heeft|hebben|kan|kunnen|moet|moeten|wordt|geeft|betekent|kost|blijft|duurt|bevat",
    cut="omdat|maar|terwijl|als|dat|die|en|of|om",
    phrase=(r"(?:de|het|een) ([a-z]{3,}(?: (?:van|voor|met)(?: de| het| een)? [\w-]{3,}){1,2})(?=[\s,.;:]|$)"),
)
