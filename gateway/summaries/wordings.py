"""The words in which a model is asked for summaries, by language: data only.

`PIECES` are thoughts as they really wander, in more than one script, so that a model learns to write in the language
that it is asked for instead of that of the piece. What is written of them must be easy to recognize: a small model
repeats its examples.
"""

from typing import NamedTuple

from gateway.summaries.languages import english_name, primary


class Wording(NamedTuple):
    """The wording of one language: how the summary of a prompt begins, and example summaries of `PIECES`."""

    begins: str
    parts: tuple[str, str, str]


PIECES = (
    "Hmm, so she leaves at 9:40 and the film starts at 11:15. Wait, is that 95 minutes? 20 to ten, then an hour, then"
    " 15... yes, 95. The bus takes 70, and the walk 30. Hold on, does the walk count twice? No, only once. OK so that's"
    " 100, five too many.",
    "Okay, why are the old rows back? Let me look... `get_rows` builds its key from the name alone. Oh! The filter"
    " isn't in it. Or is it the timeout? No, that's off. I could clear everything each time, but then why cache at all."
    " Actually, just put the filter into the key.",
    "嗯，先看选项。A说所有的鸟都会飞，等等，企鹅就不会飞，所以A不对。那C呢？再读一遍……其实C说的和A是一回事。好吧，C也排除。"
    "剩下的是B，它只说“有些”。",
)
WORDINGS = {
    "en": Wording(
        "You ask",
        (
            "**Too late for the film** Bus and walk take 100 minutes, five more than there are.",
            "**Filter missing in the cache key** Old rows come back because the key lacks the filter, so it is added"
            " instead of clearing the cache.",
            "**Ruling out two options** A fails since penguins cannot fly and C says the same, so B remains.",
        ),
    ),
    "de": Wording(
        "Du fragst",
        (
            "**Zu spät für den Film** Bus und Fußweg dauern 100 Minuten, fünf mehr als übrig sind.",
            "**Filter fehlt im Schlüssel** Alte Zeilen kommen wieder, weil der Filter im Schlüssel fehlt; er wird"
            " ergänzt, statt den Cache zu leeren.",
            "**Zwei Antworten scheiden aus** A ist falsch, da Pinguine nicht fliegen, und C sagt dasselbe, also bleibt"
            " B.",
        ),
    ),
    "es": Wording(
        "Preguntas",
        (
            "**Tarde para la película** El autobús y el paseo suman 100 minutos, cinco más de los que hay.",
            "**Falta el filtro en la clave** Vuelven filas viejas porque la clave no incluye el filtro, así que se"
            " añade en vez de vaciar la caché.",
            "**Dos opciones descartadas** A falla porque los pingüinos no vuelan y C dice lo mismo, así que queda B.",
        ),
    ),
    "fr": Wording(
        "Tu demandes",
        (
            "**Trop tard pour le film** Le bus et la marche prennent 100 minutes, cinq de plus que le temps restant.",
            "**Filtre absent de la clé** D'anciennes lignes reviennent car la clé ignore le filtre ; on l'y ajoute au"
            " lieu de vider le cache.",
            "**Deux réponses écartées** A est fausse car les manchots ne volent pas et C dit la même chose, il reste"
            " donc B.",
        ),
    ),
    "pt": Wording(
        "",
        (
            "**Tarde para o filme** O ônibus e a caminhada levam 100 minutos, cinco a mais do que há.",
            "**Falta o filtro na chave** Linhas antigas voltam porque a chave não inclui o filtro, então ele é"
            " acrescentado em vez de limpar o cache.",
            "**Duas opções descartadas** A falha porque pinguins não voam e C diz o mesmo, então resta B.",
        ),
    ),
    "it": Wording(
        "",
        (
            "**Tardi per il film** Autobus e cammino richiedono 100 minuti, cinque più di quelli rimasti.",
            "**Filtro assente nella chiave** Tornano righe vecchie perché la chiave ignora il filtro, quindi lo si"
            " aggiunge invece di svuotare la cache.",
            "**Due opzioni escluse** A è falsa perché i pinguini non volano e C dice lo stesso, quindi resta B.",
        ),
    ),
    "ru": Wording(
        "",
        (
            "**Опоздание на фильм** Автобус и дорога пешком занимают 100 минут, на пять больше, чем осталось.",
            "**В ключе нет фильтра** Старые строки возвращаются, потому что ключ не учитывает фильтр; его добавляют,"
            " а не очищают кэш.",
            "**Два варианта отпадают** А неверно, ведь пингвины не летают, а C говорит то же самое, остаётся B.",
        ),
    ),
    "zh": Wording(
        "你问",
        (
            "**赶不上电影** 公交和步行共需100分钟，比剩下的时间多五分钟。",
            "**缓存键缺少过滤条件** 键里没有过滤条件，所以旧数据会回来；应把它加进键里，而不是清空缓存。",
            "**排除两个选项** 企鹅不会飞，A不成立，C说的是同一回事，只剩B。",
        ),
    ),
    "ja": Wording(
        "",
        (
            "**映画に間に合わない** バスと徒歩で100分かかり、残り時間より5分多い。",
            "**キーに条件がない** キーにフィルターがないため古い行が戻るので、キャッシュを消さずにキーへ加える。",
            "**二つの選択肢を除外** ペンギンは飛べないのでAは誤りで、Cも同じ内容なので、Bが残る。",
        ),
    ),
    "ko": Wording(
        "",
        (
            "**영화 시간에 늦음** 버스와 도보에 100분이 걸려 남은 시간보다 5분 많다.",
            "**키에 필터가 없음** 키에 필터가 없어 옛 행이 돌아오므로, 캐시를 비우는 대신 키에 필터를 넣는다.",
            "**두 선택지 제외** 펭귄은 날지 못하므로 A는 틀리고 C도 같은 말이라 B만 남는다.",
        ),
    ),
}
MIXED = ("de", "ru", "ja")
"""The languages of the three examples for a language without a wording: far from each other, so that none is taken."""


def wording_of(tag: str) -> Wording | None:
    """Return the wording of a language, if there is one in its script."""
    return None if english_name(tag) == "Traditional Chinese" else WORDINGS.get(primary(tag))


def examples_for(tag: str) -> list[tuple[str, str]]:
    """Return an example of each of `PIECES`: the language in which it is asked for, and the summary."""
    wording = wording_of(tag)
    if wording:
        return [(english_name(tag), part) for part in wording.parts]
    return [(english_name(other), WORDINGS[other].parts[n]) for n, other in enumerate(MIXED)]
