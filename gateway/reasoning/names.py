"""Reading from the name of a model whether its answers can hold reasoning at all.

Knows nothing of formats: `formats.py` detects those, by names as `normalized` returns them.
"""

import re

_THINKS = re.compile(r"think|reason|\br1\b|qwq|nemotron")
"""Names of a family that does not think, in a variant that does."""
_NEVER_THINKS = re.compile(
    r"""
      qwen-?(?:1|2)(?:\.5)?(?:-|:|$) | qwen-?3-max | qwen-?3.*(?:instruct|coder) | qwen-(?:coder|long)
    | kimi-?k2.*(?:instruct|0711|0905) | kimi-?k2-turbo | kimi-latest | moonshot-v1
    | deepseek-chat(?!-v3[.p-]?[1-9]) | deepseek-v3(?![.p-]?[1-9]) | deepseek-(?:v2|coder|llm)
    | glm-?4(?![.p][15-9]|-[5-9](?!b))
    | ^(?:gpt-?[34]|chatgpt|claude|gemini)
    | ^(?:meta-)?llama-?[234] | ^(?:open-)?(?:mistral|mixtral|codestral|devstral|pixtral|ministral)
    | ^gemma-?[123]\b | ^phi-?[1234] | ^command-r | ^granite-?3\.[01] | minimax-text
    """,
    re.VERBOSE,
)
"""Families and variants that do not think, from the pages of their makers."""
_NON = re.compile(r"non?-?(?:think|reason)")


def normalized(model: str) -> str:
    """Return a model's name in lower case with hyphens, without the owner: of `org/name`, only `name` counts."""
    return re.sub(r"[\s_]+", "-", model.rsplit("/", 1)[-1].lower())


def never_thinks(model: str) -> bool:
    """Return True if the name of the model is that of one that does not think."""
    name = normalized(model)
    return bool(_NON.search(name) or (_NEVER_THINKS.search(name) and not _THINKS.search(name)))
