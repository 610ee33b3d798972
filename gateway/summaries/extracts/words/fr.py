"""The words of French."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "le la les l un une des du de d à au aux et ou mais ni car donc or en dans sur sous avec sans pour par entre"
        " vers chez depuis pendant que qui quoi dont où ce cet cette ces se s il elle ils elles on nous vous je j tu"
        " me m te t lui leur leurs son sa ses mon ma mes notre votre est sont était étaient être été a ont avait"
        " avoir ai as peut peuvent doit doivent ne n pas plus moins très aussi si comme quand y même tout toute tous"
        " toutes c'est qu' qu c"
    ),
    fillers=(
        "attends|attendez|un instant|hmm+|d'accord|okay|ok|donc|maintenant(?! que)|mais|et|ou|oui"
        "|en fait|cependant|toutefois|par conséquent|d'abord|premièrement|deuxièmement|ensuite|puis|enfin"
        "|finalement|de plus|en effet|voyons|c'est-à-dire|autrement dit|en résumé|je pense que"
    ),
    pauses="non|bon|bien|alors|ainsi|aussi",
    talk=(
        "je (?:dois|vais|pense|crois|peux|devrais|suis|veux)|nous (?:devons|allons|pouvons)|il faut|voyons|vérifions"
        "|est-ce|peut-être|attends|hmm|l'utilisateur|on (?:doit|va|peut)"
    ),
    intents=(
        "(?:maintenant |d'abord,? |ensuite,? )*(?:je (?:dois|vais|veux|peux)|nous (?:devons|allons|pouvons)"
        "|il (?:me |nous )?(?:faut|faudrait)|on (?:doit|va)|l'utilisateur (?:veut|demande de|me demande de)"
        "|l'objectif est de|la tâche est de)"
    ),
    found=(
        "donc|par conséquent|ainsi|la réponse|le résultat|signifie|doit être|ne peut pas|impossible|trouv\\w+"
        "|correct\\w*|faux|fausse|meilleur\\w*|total|car|parce que|égale?|solution|conclu\\w+|fonctionne"
        "|recommand\\w+"
    ),
    hedges="peut-être|pourrai\\w+|probablement|semble\\w*|supposons",
    doubts="pas sûre?|attends|hmm|je pense|je crois",
    condition=r"(?:(?:et|mais)\W+)?s(?:i\b|['’]ils?\b)",
    subordinate=(
        "si|quand|lorsque|pendant|parce|car|bien|comme|pour|par|avec|sans|en|dans|de|du|des|d|à|au|aux|depuis|selon"
        "|et|ou|mais|que|qui|quoi|où|dont|ce|cela|ça|il|elle|ils|elles|on|je|tu|son|sa|ses|leur|plus|ne|aussi"
        "|puisque|alors|afin|entre|sur|y"
    ),
    verbs=(
        "est|sont|était|étaient|a|ont|avait|peut|peuvent|doit|doivent|sera|donne|donnent|signifie|coûte|reste"
        "|restent|faut|vaut|égale|contient|nécessite|fonctionne|va|vont|permet|dit|fait|font|devient|manque|suffit"
        "|existe|brûle|résulte"
    ),
    cut="parce|car|mais|puisque|tandis|si|quand|lorsque|qui|que|pour|avec|et|ou|où|dans|en|sans",
    phrase=(
        r"(?:le|la|les|un|une) ([a-zéèêàçîôû]{3,}(?: (?:de|du|des|à|pour|avec)(?: la| les| le)?"
        r" [\wéèêàçîôû]{3,}){1,2})(?=[\s,.;:]|$)"
    ),
)
