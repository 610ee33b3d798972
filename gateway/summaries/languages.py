"""The languages that a summary may be written in: their tags, as BCP 47 has them, and their names in English.

Plain data, so that a request or a setting can be checked without the detector. `language.py` chooses among them.
"""

import re

AUTO = "auto"
"""The value in place of a tag that leaves the choice to the request's own language."""
LONGEST_TAG = 35
"""Maximum length of a tag in characters, which RFC 5646 advises."""
_TABLE = (
    "aa Afar|ab Abkhaz|ace Acehnese|af Afrikaans|ak Akan|am Amharic|an Aragonese|ar Arabic|as Assamese|ast Asturian"
    "|av Avar|ay Aymara|az Azerbaijani|ba Bashkir|bar Bavarian|bcl Bikol|be Belarusian|bg Bulgarian|bi Bislama"
    "|bm Bambara|bn Bengali|bo Tibetan|br Breton|bs Bosnian|ca Catalan|ce Chechen|ceb Cebuano|ch Chamorro"
    "|ckb Central Kurdish|co Corsican|cr Cree|crh Crimean Tatar|cs Czech|cv Chuvash|cy Welsh|da Danish|de German"
    "|dsb Lower Sorbian|dv Dhivehi|dz Dzongkha|ee Ewe|el Greek|en English|eo Esperanto|es Spanish|et Estonian"
    "|eu Basque|ext Extremaduran|fa Persian|ff Fula|fi Finnish|fil Filipino|fj Fijian|fo Faroese|fr French"
    "|fy West Frisian|ga Irish|gcr Guianese Creole|gd Scottish Gaelic|gl Galician|gn Guarani|gom Konkani"
    "|gsw Swiss German|gu Gujarati|gv Manx|ha Hausa|haw Hawaiian|he Hebrew|hi Hindi|hr Croatian|hsb Upper Sorbian"
    "|ht Haitian Creole|hu Hungarian|hy Armenian|ia Interlingua|id Indonesian|ig Igbo|ii Nuosu|ilo Ilocano|io Ido"
    "|is Icelandic|it Italian|iu Inuktitut|ja Japanese|jv Javanese|ka Georgian|kab Kabyle|kg Kongo|ki Kikuyu"
    "|kk Kazakh|kl Greenlandic|km Khmer|kn Kannada|ko Korean|kok Konkani|kr Kanuri|ks Kashmiri|ku Kurdish|kv Komi"
    "|kw Cornish|ky Kyrgyz|la Latin|lb Luxembourgish|lg Ganda|li Limburgish|lij Ligurian|ln Lingala|lo Lao"
    "|lt Lithuanian|ltg Latgalian|lu Luba-Katanga|lv Latvian|mai Maithili|mg Malagasy|mh Marshallese|mi Maori"
    "|mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|ms Malay|mt Maltese|my Burmese|na Nauru|nb Norwegian Bokmål"
    "|nds Low German|ne Nepali|nl Dutch|nn Norwegian Nynorsk|no Norwegian|nso Northern Sotho|nv Navajo|ny Chichewa"
    "|oc Occitan|oj Ojibwe|om Oromo|or Odia|os Ossetian|pa Punjabi|pap Papiamento|pcm Nigerian Pidgin|pl Polish"
    "|ps Pashto|pt Portuguese|qu Quechua|rm Romansh|rn Kirundi|ro Romanian|ru Russian|rw Kinyarwanda|sa Sanskrit"
    "|sc Sardinian|scn Sicilian|sd Sindhi|sdh Southern Kurdish|se Northern Sami|sg Sango|si Sinhala|sk Slovak"
    "|sl Slovene|sm Samoan|sn Shona|so Somali|sq Albanian|sr Serbian|ss Swazi|st Sesotho|su Sundanese|sv Swedish"
    "|sw Swahili|ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen|tl Filipino|tn Tswana|to Tongan"
    "|tr Turkish|ts Tsonga|tt Tatar|tw Twi|ty Tahitian|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek|ve Venda|vec Venetian"
    "|vi Vietnamese|vo Volapük|wa Walloon|wo Wolof|xh Xhosa|yi Yiddish|yo Yoruba|yue Cantonese|za Zhuang|zh Chinese"
    "|zu Zulu"
)
_NAMES = dict(entry.split(" ", 1) for entry in _TABLE.split("|"))
_SCRIPTS = {"latn": "Latin", "cyrl": "Cyrillic", "arab": "Arabic", "deva": "Devanagari", "hebr": "Hebrew"}
_VARIETIES = {
    "zh-hans": "Simplified Chinese",
    "zh-cn": "Simplified Chinese",
    "zh-sg": "Simplified Chinese",
    "zh-hant": "Traditional Chinese",
    "zh-tw": "Traditional Chinese",
    "zh-hk": "Traditional Chinese",
    "zh-mo": "Traditional Chinese",
    "pt-br": "Brazilian Portuguese",
    "pt-pt": "European Portuguese",
    "en-gb": "British English",
    "en-us": "American English",
    "es-419": "Latin American Spanish",
    "es-mx": "Mexican Spanish",
    "fr-ca": "Canadian French",
    "de-at": "Austrian German",
    "de-ch": "Swiss Standard German",
}
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?",
    re.IGNORECASE,
)
"""A tag of RFC 5646: language, script, region, variants, extensions, private use."""


def checked_tag(tag: str) -> str:
    """Return the tag, or `auto`, as it was given. Raises ValueError if it is neither."""
    if tag != AUTO and not _known(tag):
        raise ValueError(f"should be `auto` or a BCP 47 tag of a language, such as `de` or `pt-BR`, not {tag[:40]!r}")
    return tag


def primary(tag: str) -> str:
    """Return the language of a tag without script and region: `pt` of `pt-BR`."""
    return tag.partition("-")[0].lower()


def english_name(tag: str) -> str:
    """Return the name of a tag's language for use in a prompt, such as `Brazilian Portuguese`."""
    folded = tag.lower()
    while "-" in folded and folded not in _VARIETIES:
        folded = folded.rpartition("-")[0]
    if folded in _VARIETIES:
        return _VARIETIES[folded]
    name = _NAMES[folded]
    script = next(filter(None, map(_SCRIPTS.get, tag.lower().split("-"))), None)
    if script:
        return f"{name} in {script} script"
    return name if folded == tag.lower() else f"{name} ({tag})"


def _known(tag: str) -> bool:
    found = _TAG.fullmatch(tag) if len(tag) <= LONGEST_TAG else None
    return found is not None and primary(tag) in _NAMES
