"""The words of German."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "der die das den dem des ein eine einen einem einer eines und oder aber denn doch sondern nicht kein keine"
        " keinen ist sind war waren sein bin bist seid wird werden wurde wurden worden haben hat hatte hatten habe"
        " kann können konnte muss müssen musste soll sollen sollte will wollen darf dürfen mag möchte ich du er sie"
        " es wir ihr mich mir dich dir ihn ihm uns euch ihnen mein meine dein seine ihre unser von zu zum zur in im"
        " an am auf aus bei beim mit nach vor über unter zwischen durch für gegen ohne um bis seit während wegen als"
        " wie wenn weil dass ob da dann also so nun jetzt hier dort auch noch nur schon mal sehr mehr alle alles"
        " diese dieser dieses diesen diesem welche welcher was wer wo wann warum man sich pro je"
    ),
    fillers=(
        "ich prüfe das noch einmal|ein weiterer punkt|moment(?: mal)?|warte(?: mal)?|hm+|okay|ok|aber|und|oder|doch"
        "|mal sehen|schauen wir(?: mal)?|das heißt|mit anderen worten|ich denke,?(?: dass)?|ich glaube,?(?: dass)?"
    ),
    pauses=(
        "gut|also|nun|jetzt|so|dann|ja|nein|eigentlich|alternativ|allerdings|jedoch|daher|deshalb|somit|folglich|zuerst"
        "|zunächst|erstens|zweitens|drittens|als nächstes|schließlich|zuletzt|außerdem|ebenso|tatsächlich|natürlich"
        "|genau"
    ),
    talk=(
        "ich (?:muss|sollte|werde|will|möchte|kann|denke|glaube|frage|bin)|lass(?:t)? (?:mich|uns)|wir (?:müssen"
        "|sollten|können|sollen)|mal sehen|stimmt das|ist das richtig|was ist mit|wie wäre|vielleicht|moment|warte"
        "|hm+|okay|ok|(?:ja|nein|gut|genau)(?=[\\s.!]*$|\\s*[,:;—–])|der (?:nutzer|benutzer)"
    ),
    intents="",
    found=(
        "daher|deshalb|somit|folglich|also ist|die antwort|ergebnis|ergibt|bedeutet|muss|kann nicht|unmöglich"
        "|gefunden|richtig|falsch|beste|insgesamt|weil|beträgt|lösung|entscheid\\w*|empfehl\\w*|funktioniert"
    ),
    hedges="vielleicht|eventuell|könnte\\w*|möglicherweise|wahrscheinlich|vermutlich|angenommen|scheint",
    doubts="unsicher|moment|warte|hm+|ich denke|ich glaube|falls",
    condition=r"(?:(?:und|aber)\W+)?(?:wenn|falls|sofern)\b",
    subordinate=(
        "wenn|weil|dass|ob|da|als|während|obwohl|falls|bis|nachdem|bevor|damit|um|ohne|mit|in|im|an|am|auf|aus|bei"
        "|beim|nach|von|vom|zu|zum|zur|für|gegen|und|oder|aber|denn|sondern|was|wer|wo|wie|warum|welche\\w*|es|er"
        "|sie|dies\\w*|das|ich|du|man|so|auch|nur|nicht|durch|über|unter|zwischen|wegen|laut|bzw"
    ),
    verbs=(
        "ist|sind|war|waren|hat|haben|hatte|kann|können|muss|müssen|soll|sollen|sollte|wird|werden|gibt|ergibt"
        "|ergeben|bedeutet|beträgt|liegt|braucht|kostet|bleibt|bleiben|geht|steht|heißt|passt|stimmt|gilt|folgt"
        "|macht|dauert|enthält|fehlt|reicht|lautet|zeigt|sagt|fährt|beginnt|endet|funktioniert|darf|wäre|könnte"
        "|würde|hilft|kommt|verliert"
    ),
    cut="weil|da|wenn|dass|aber|sondern|während|obwohl|falls|damit|und|oder|denn",
    phrase=(
        r"(?:der|die|das|dem|den|ein|eine|einen|einem|einer) ([A-ZÄÖÜ][\w-]+(?: (?:des|der|von|für|nach|mit|in|im|zum"
        r"|zur) (?:\w+en )?[A-ZÄÖÜ][\w-]+){1,2})(?![\w-])"
    ),
)
