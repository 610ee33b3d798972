"""Code with its words marked by class, in the languages of `LANGUAGES`; anything else is plain text.

Knows nothing of Markdown and of colours.
"""

from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String, Token, _TokenType

LANGUAGES = frozenset(
    """
    bash c cpp c++ csharp c# cs css diff docker dockerfile go golang html ini java javascript js json kotlin kt latex
    lua makefile markdown md objective-c perl php powershell python py python3 r rb ruby rs rust scala sh shell sql
    swift jsx tex toml ts tsx typescript xml yaml yml zsh
    """.split()  # noqa: SIM905
)
"""Names that are looked up: common languages only, since each lexer is code that a hostile text may choose."""
MAX_CHARACTERS = 20_000
"""Longer code is plain."""
KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (Keyword, "k"),
    (Name.Tag, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
    (Name.Attribute, "a"),
    (Name.Builtin, "b"),
    (String, "s"),
    (Number, "n"),
    (Literal, "s"),
    (Operator.Word, "k"),
    (Generic.Inserted, "i"),
    (Generic.Deleted, "d"),
    (Generic.Heading, "f"),
)
"""The class of each kind of word: the first that fits."""
CLASSES = frozenset(name for _, name in KINDS)


def highlighted(code: str, language: str) -> str:
    """Return the code as HTML."""
    if language.lower() not in LANGUAGES or len(code) > MAX_CHARACTERS:
        return escape(code)
    return "".join(_marked(kind, text) for _, kind, text in _lexer(language.lower()).get_tokens_unprocessed(code))


def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name)


def _marked(kind: _TokenType, text: str) -> str:
    name = next((name for parent, name in KINDS if kind in parent), None)
    return f'<span class="{name}">{escape(text)}</span>' if name and kind is not Token else escape(text)
