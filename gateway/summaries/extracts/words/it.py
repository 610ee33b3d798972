"""The words of Italian."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "il lo la i gli le un uno una e ed o ma di del della dei delle a al alla in nel nella con per su sul tra fra"
        " da dal che chi cui non si è sono era ha hanno come quando dove questo questa questi queste quello più"
        " anche se mi ti ci vi suo sua loro essere avere può deve"
    ),
    fillers=(
        "aspetta|un momento|hmm+|va bene|ok|allora|ora(?! che)|quindi|ma|e|in realtà|tuttavia|però|dunque"
        "|infine|inoltre|vediamo|cioè|penso che"
    ),
    pauses="sì|no|bene|anche|prima|poi",
    talk="devo|dobbiamo|voglio|vediamo|penso|credo|forse|aspetta|hmm|posso|possiamo|fammi|l'utente",
    intents=(
        "(?:ora |prima |poi )*(?:devo|dobbiamo|voglio|vogliamo|bisogna|occorre|posso|possiamo|l'utente (?:vuole"
        "|chiede di))"
    ),
    found=(
        "quindi|perciò|la risposta|risultato|significa|deve essere|non può|impossibile|trovat\\w+|corrett\\w+|totale"
        "|perché|soluzione|conclu\\w+"
    ),
    hedges="forse|potrebbe\\w*|probabilmente|sembra",
    doubts="non sono sicur\\w+|aspetta|hmm|penso|credo",
    condition=r"(?:(?:e|ma)\W+)?se\b",
    subordinate=(
        "se|quando|mentre|perché|come|per|con|senza|in|di|del|a|al|da|e|o|ma|che|chi|dove|questo|questa|si|lo|ci|non"
        "|anche|più|nel|nella"
    ),
    verbs="è|sono|era|ha|hanno|può|possono|deve|devono|sarà|dà|significa|costa|resta|vale|contiene|serve|dice|va",
    cut="perché|ma|mentre|se|quando|che|per|con|e|o",
    phrase=(
        r"(?:il|lo|la|i|gli|le|un|una) ([a-zàèéìòù]{3,}(?: (?:di|del|della|dei|delle|per|con)"
        r" [\wàèéìòù]{3,}){1,2})(?=[\s,.;:]|$)"
    ),
)
