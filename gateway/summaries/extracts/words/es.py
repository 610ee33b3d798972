"""The words of Spanish."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "el la los las un una unos unas y e o u pero sino de del a al en con por para sin sobre entre desde hasta"
        " hacia según que qué como cómo cuando donde quien cual cuál se lo le les me te nos su sus mi mis tu tus es"
        " son era eran fue ser está están estar hay ha han he haber tiene tienen tener puede pueden poder debe deben"
        " no sí si ya más menos muy también solo todo toda todos todas este esta esto estos estas ese esa eso otro"
        " otra cada porque pues entonces así aunque mientras yo él ella ellos nosotros usted"
    ),
    fillers=(
        "voy a comprobarlo otra vez|otro punto|espera|un momento|hmm+|vale|de acuerdo|entonces"
        "|ahora bien|ahora(?! que)|así que|pero|y|o|también"
        "|en realidad|alternativamente|sin embargo|por lo tanto|por tanto|en primer lugar"
        "|finalmente|por último|además|de hecho|veamos|a ver|es decir"
        "|en otras palabras|por otro lado|en resumen|creo que|pienso que"
    ),
    pauses="sí|no|bueno|bien|claro|luego|después|primero|segundo|tercero",
    talk=(
        "voy a|vamos a|tengo que|necesito|debo|debería|déjame|veamos|a ver|necesitamos|tenemos que|debemos|podemos"
        "|puedo|creo|pienso|no estoy segur\\w+|es correcto|quizás|tal vez|espera|hmm|el usuario|¿"
    ),
    intents=(
        "(?:ahora |primero,? |luego |entonces )*(?:voy a|vamos a|tengo que|tenemos que|necesito|necesitamos|debo"
        "|debemos|hay que|se pide|nos piden|me piden|quiero|déjame|el usuario (?:quiere|pide|me pide)|el objetivo es"
        "|la tarea es)"
    ),
    found=(
        "por lo tanto|por tanto|así que|la respuesta|el resultado|significa|debe ser|no puede|imposible|resulta"
        "|encontr\\w+|correct\\w+|incorrect\\w+|mejor|total|porque|es igual|solución|conclu\\w+|recomiend\\w+"
        "|funciona"
    ),
    hedges="quizás?|tal vez|podría\\w*|probablemente|posiblemente|parece\\w*|supong\\w*|supon\\w*",
    doubts="no estoy segur\\w+|espera|hmm|creo",
    condition=r"(?:(?:y|pero)\W+)?si\b",
    subordinate=(
        "si|cuando|mientras|porque|aunque|como|para|por|con|sin|en|de|del|a|al|desde|hasta|según|y|e|o|pero|sino|que"
        "|qué|quien|donde|cual|lo|se|esto|esta|este|eso|ello|él|ella|ellos|su|sus|más|no|también|solo|dado|entre"
        "|sobre|ya"
    ),
    verbs=(
        "es|son|era|eran|está|están|hay|ha|han|tiene|tienen|puede|pueden|debe|deben|será|fue|da|dan|significa|cuesta"
        "|queda|quedan|necesita|resulta|equivale|incluye|contiene|va|vale|sale|llega|funciona|permite|dice|sirve"
        "|requiere|suma|hace|tarda"
    ),
    cut="porque|ya que|pero|aunque|mientras|si|cuando|que|para|con|y|o|donde|en|por|sin",
    phrase=(
        r"(?:el|la|los|las|un|una) ([a-zñáéíóú]{3,}(?: (?:de|del|para|con|por)(?: la| los| las| el)?"
        r" [\wñáéíóú]{3,}){1,2})(?=[\s,.;:]|$)"
    ),
)
