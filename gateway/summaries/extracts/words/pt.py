"""The words of Portuguese."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "o a os as um uma uns umas e ou mas de do da dos das em no na nos nas com por para sem sobre entre que quem"
        " qual não se é são era foi ser está estão há tem têm como quando onde este esta isso isto esse mais menos"
        " também já seu sua seus suas me te lhe pode deve ao à pelo pela"
    ),
    fillers=(
        "espera|um momento|hmm+|ok|então|agora(?! que)|mas|e|também|na verdade|porém|portanto"
        "|finalmente|além disso|vejamos|ou seja|acho que"
    ),
    pauses="sim|não|bem|certo|primeiro|depois",
    talk="vou|vamos|preciso|tenho que|devo|precisamos|devemos|podemos|acho|penso|talvez|espera|hmm|deixe-me|o usuário",
    intents=(
        "(?:agora |primeiro,? |depois )*(?:vou|vamos|preciso|precisamos|tenho que|temos que|devo|devemos|quero"
        "|o usuário (?:quer|pede para))"
    ),
    found=(
        "portanto|logo|a resposta|resultado|significa|deve ser|não pode|impossível|encontr\\w+|corret\\w+|total"
        "|porque|solução|conclu\\w+"
    ),
    hedges="talvez|poderia\\w*|provavelmente",
    doubts="não tenho certeza|espera|hmm|acho|penso",
    condition=r"(?:(?:e|mas)\W+)?se\b",
    subordinate=(
        "se|quando|enquanto|porque|como|para|por|com|sem|em|de|do|da|a|ao|e|ou|mas|que|quem|onde|isso|isto|este|esta"
        "|ele|ela|não|também|mais|no|na"
    ),
    verbs=(
        "é|são|era|está|estão|há|tem|têm|pode|podem|deve|devem|será|foi|dá|significa|custa|resta|vale|contém|precisa"
        "|vai|diz"
    ),
    cut="porque|mas|enquanto|se|quando|que|para|com|e|ou",
    phrase=(
        r"(?:o|a|os|as|um|uma) ([a-zãõáéíóúçâê]{3,}(?: (?:de|do|da|dos|das|para|com)"
        r" [\wãõáéíóúçâê]{3,}){1,2})(?=[\s,.;:]|$)"
    ),
)
