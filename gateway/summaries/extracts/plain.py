"""Markdown and LaTeX made plain: the prose of a piece of text without markup, formulas as one would say them.

Code blocks are left out here; `code.py` finds them. Knows nothing of sentences and scores.
"""

import re

from gateway.summaries.code import without_code

_SYMBOLS = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ"
    " pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π"
    " Sigma Σ Phi Φ Psi Ψ Omega Ω times × cdot · div ÷ pm ± mp ∓ ast * star * leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx"
    " ≈"
    " equiv ≡ sim ~ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ to → rightarrow → Rightarrow ⇒ implies ⇒ iff ⇔ leftarrow ←"
    " leftrightarrow ↔ Leftrightarrow ⇔ longrightarrow → mapsto ↦ infty ∞ sum Σ prod ∏ int ∫ oint ∮ partial ∂ nabla ∇"
    " in ∈ notin ∉ subset ⊂ subseteq ⊆ supset ⊃ cup ∪ cap ∩ emptyset ∅ setminus \\ forall ∀ exists ∃ neg ¬ land ∧"
    " wedge"
    " ∧ lor ∨ vee ∨ oplus ⊕ otimes ⊗ perp ⊥ parallel ∥ angle ∠ triangle △ degree ° circ ° prime ′ hbar ħ ell ℓ ldots"
    " ..."
    " cdots ... dots ... vdots ... therefore ∴ because ∵ mid | vert | Vert ‖ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil"
    " ⌈"
    " rceil ⌉ checkmark ✓ quad _ qquad _ sqrt √"
)
_PAIRS = iter(_SYMBOLS.split(" "))
_NAMES = {name: " " if sign == "_" else sign for name, sign in zip(_PAIRS, _PAIRS, strict=True)}
_SCRIPTS = {
    "^": str.maketrans("0123456789+-n()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ⁽⁾"),
    "_": str.maketrans("0123456789+-()", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎"),
}
NESTED = 5
"""Depth of braces that are made plain; deeper ones are dropped."""
_GROUP = r"\{([^{}]{0,400})\}"
_FRACTION = re.compile(rf"\\[cdt]?frac ?{_GROUP} ?{_GROUP}|\\[cdt]?frac ?(\d)(\d)")
_ROOT = re.compile(rf"\\sqrt ?(?:\[[^\]]{{0,20}}\])? ?{_GROUP}")
_WRAPPER = re.compile(rf"\\(?![cdt]?frac|sqrt)[a-zA-Z]{{2,16}}\*? ?{_GROUP}")
_SCRIPT = re.compile(
    rf"([\^_]) ?(?:{_GROUP}|(?<=\^)(-?\d+|\w\b|\\circ\b)|(?<=(?<!\w)[^\W\d_]_)(\d{{1,2}})(?![a-z\d_]))"
)
_DELIMITER = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z]) ?\.?|\\(?:begin|end)\{[^{}]{0,40}\}|\\[,;:! ]|\\\\"
)
_COMMAND = re.compile(r"\\([a-zA-Z]{1,20})\*?")
_ESCAPED = re.compile(r"\\([%$#&_{}|])")
_MATH = re.compile(r"\\[\[\]()]|\${1,2}")
_MONEY = re.compile(r"\$(?=\d[\d.,]*(?:[kKMB]\b|\b)(?![^$\n]{0,80}\$(?!\d)))")
_LATEX = re.compile(r"\\[a-zA-Z(\[]|\$")
_SCIENCE = re.compile(r"\^\{?[-\w+]")

_IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\([^)\s]{0,400}\)")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]{0,400}\)")
_ADDRESS = re.compile(r"<?\b(?:https?|ftp)://[^\s<>\")\]]{1,400}>?")
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,20}(?:\s[^<>\n]{0,200})?/?>")
_BOLD = re.compile(r"\*{2,3}|__(?=\S)|(?<=\S)__|~~")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,200}?)(?<=[^\s*])\*(?![\w*])|(?<!\w)_(?=[^\s_])([^_\n]{1,200})_(?!\w)"
)
_TICKS = re.compile(r"`{1,3}")
_RULE = re.compile(r"^[ \t]*(?:[-*_=~][ \t]*){3,}$|^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_SPACES = re.compile(r"[ \t]+")
_ENTITY = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&quot;": '"', "\\n": "\n", "\\t": " "}
_ENTITIES = re.compile(r"&(?:lt|gt|amp|nbsp|quot);|\\[nt](?![a-z])")
_CODE_LINE = re.compile(
    r"^[ \t]*(?:(?:def|class|import|from|return|elif|except|raise|public|private|static|const|let|var|function|void"
    r"|using"
    r"|namespace|package|#include|SELECT|INSERT|UPDATE|DELETE|WHERE|FROM)\b[^\n]{0,200}[(){};:=*]"
    r"|(?:import|from) [\w.]+(?: import [\w., ]+)?$|(?:if|for|while|else|try|with)\b[^\n]{0,200}[:{]$"
    r"|[\w.]+\([^\n]{0,200}\);?$"
    r"|(?:from|where|and|or|not|exists|select)\b[^\n]{0,200}(?:\w\.\w+\(|\w\(\)|, \")|(?:from|select) [A-Z]\w+ \w+(?:,"
    r" |$)"
    r"|[\w.\[\]\"']+ ?(?:=|:=|\+=|->|<-) ?[^\n]{0,200}[(\[{;][^\n]{0,200}$|[^\n]{0,200}[{};]$|[}\])]+[,;)]*$|@\w+|//"
    r"|/\*|\*/|>>>|\$ )",
    re.MULTILINE,
)
DEBRIS = re.compile(
    r"\\[a-zA-Z(\[]|\$[^\d\s]|\*\*|`|__\w|^#+ |[{}]|\|.*\||</?\w+>|!?\[[^\]]*\]\(|https?://|\^\{|~~|&\w+;|<\|"
)
"""Matches in a text that has markup, formulas or code left."""


def plain(text: str) -> str:
    """Return the prose of a text, its lines kept: without code, markup, tables and addresses, formulas made plain."""
    text = _ENTITIES.sub(lambda found: _ENTITY[found[0]], without_code(text))
    text = _RULE.sub("", _TAG.sub("", text))
    text = _ADDRESS.sub("", _LINK.sub(r"\1", _IMAGE.sub(r"\1", text)))
    text = _formulas(text)
    text = _TICKS.sub("", _BOLD.sub("", text))
    return _SPACES.sub(" ", _EMPHASIS.sub(r"\1\2", text))


def is_code(line: str) -> bool:
    """Return True if the line looks like code that nobody has fenced."""
    return bool(_CODE_LINE.match(line))


def _formulas(text: str) -> str:
    if not (_LATEX.search(text) or _SCIENCE.search(text)):
        return text
    text = _DELIMITER.sub(" ", _MATH.sub("", _MONEY.sub("＄", _ESCAPED.sub(_escaped, text))))
    for _ in range(NESTED):
        before = text
        text = _ROOT.sub(_root, _FRACTION.sub(_fraction, _SCRIPT.sub(_script, text)))
        text = _WRAPPER.sub(r"\1", text)
        if text == before:
            break
    text = _COMMAND.sub(lambda found: _NAMES.get(found[1], found[1] + " "), text)
    return _SCRIPT.sub(_script, text).translate(_UNESCAPED)


_HIDDEN = {"%": "％", "$": "＄", "#": "#", "&": "&", "_": "_", "{": "｛", "}": "｝", "|": "|"}
_UNESCAPED = str.maketrans({"％": "%", "＄": "$", "｛": "(", "｝": ")", "{": None, "}": None})


def _escaped(found: re.Match[str]) -> str:
    return _HIDDEN[found[1]]


def _fraction(found: re.Match[str]) -> str:
    above, below = (found[1], found[2]) if found[3] is None else (found[3], found[4])
    return f"{_factor(above)}/{_factor(below)}"


def _root(found: re.Match[str]) -> str:
    return f"√{_factor(found[1])}"


def _factor(term: str) -> str:
    term = term.strip()
    return term if re.fullmatch(r"[\w.,!√²³]*", term) else f"({term})"


def _script(found: re.Match[str]) -> str:
    sign, inner = found[1], (found[2] or found[3] or found[4] or "").strip()
    raised = inner.translate(_SCRIPTS[sign])
    if inner in ("\\circ", "°"):
        return "°"
    if all(raised[n] != inner[n] for n in range(len(inner))) and inner:
        return raised
    if sign == "_":
        return f"_{inner}" if re.fullmatch(r"\w+", inner) else inner and f"_({inner})"
    return f"^{_factor(inner)}"
