"""Mask secrets in summaries: keys, tokens and passwords. The trace is never masked.

detect-secrets knows what the keys of services look like. Its detectors are for code; passwords told in prose, random
strings behind a word such as "key", and newer prefixes are found by patterns of this module.
"""

import re
from collections.abc import Callable, Iterator

from detect_secrets.plugins import (
    artifactory,
    aws,
    azure_storage_key,
    discord,
    github_token,
    gitlab_token,
    jwt,
    mailchimp,
    npm,
    openai,
    pypi_token,
    sendgrid,
    slack,
    square_oauth,
    stripe,
    telegram_token,
    twilio,
)

Mask = Callable[[str], str]
"""Returns a text of a summary as it may be shown; see `mask_of`."""
MASK = "•••"
SLICE = 512
"""Characters examined together: the detectors take quadratic time. The rest of a longer word is masked with a match."""
_SLICES = re.compile(rf"[\s\S]{{1,{SLICE}}}(?!\S)|\S{{{SLICE},}}+|\S+")
_TOKEN_END = re.compile(r"[\w.+/=~-]*")
_KEY = r"(?:api|access|auth|private|secret|account|client|signing|encryption)"
_PASSWORD = (
    r"passwords?|passphrases?|passwd|pwd|passwort|kennwort|mot de passe|contraseña|senha|parola d'ordine|пароль"
    r"|密码|密碼|パスワード|비밀번호"
)
_IS = r"\s{0,2}(?:is|was|are|ist|lautet|est|es|é|è|[:=：]|是|为|為|は|が|은|는|—|-)\s{0,2}"
_OPENING, _VALUE = "[\"'`“„«「*]{0,3}", r"[^\s\"'`”“»」*,;、，。]"
_DIGIT_OR_SIGN = r"(?=[^\s\"'`”»」，。]{0,40}[\d!@#$%^&+=?~_])"
_TOKENS = tuple(
    map(
        re.compile,
        (
            r"(?<![\w-])(?:github_pat_|gl[a-z]{2,4}-|[sp]k-|[sprw]k_|whsec_|hf_|gsk_|xai-|npm_|AIza|ya29\.|shpat_|dop_v1_)"
            r"(?=[\w.-]{0,60}\d)[\w.-]{16,}",
            r"://[^\s/@:]{0,64}:(?P<login>[^\s/@]{3,64})@",
        ),
    )
)
"""Secrets that the detectors lack: newer prefixes, and only the password of an address."""
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,4000}?"
        r"(?:-----END [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        rf"(?<![^\W_])(?:{_PASSWORD}){_IS}{_OPENING}(?P<password>{_DIGIT_OR_SIGN}{_VALUE}{{4,}})",
        rf"(?<![^\W_])(?:{_PASSWORD}){_IS}[\"'`“„«「](?P<quoted>{_VALUE}{{4,}})(?=[\"'`”“»」])",
        rf"(?<![^\W_])(?:{_KEY}[ _-]?(?:key|token|secret)|tokens?|secret|credentials?|bearer)\b[^\n]{{0,24}}?"
        r"(?<![\w/.])(?P<key>(?=[\w+/=-]{0,40}\d)(?=[\w+/=-]{0,40}[A-Za-z])[A-Za-z\d+/=-]{16,})",
    )
)
"""Values that a word before them calls secret, and whole private keys."""
_LONG = re.compile(r"[\w+/=.:@-]{16}")
"""All that `_TOKENS` and the detectors match has one; few words of prose are as long."""
_NAMES = re.compile(rf"{_PASSWORD}|key|token|secret|credential|bearer", re.IGNORECASE)


_DETECTORS = (
    artifactory.ArtifactoryDetector(),
    aws.AWSKeyDetector(),
    azure_storage_key.AzureStorageKeyDetector(),
    discord.DiscordBotTokenDetector(),
    github_token.GitHubTokenDetector(),
    gitlab_token.GitLabTokenDetector(),
    jwt.JwtTokenDetector(),
    mailchimp.MailchimpDetector(),
    npm.NpmDetector(),
    openai.OpenAIDetector(),
    pypi_token.PypiTokenDetector(),
    sendgrid.SendGridDetector(),
    slack.SlackDetector(),
    square_oauth.SquareOAuthDetector(),
    stripe.StripeDetector(),
    telegram_token.TelegramBotTokenDetector(),
    twilio.TwilioKeyDetector(),
)
_UNNAMED = (*(pattern for detector in _DETECTORS for pattern in detector.denylist), *_TOKENS)


def masked(text: str) -> str:
    """Return the text with each secret replaced by `MASK`."""
    return "".join(_masked_slice(piece) for piece in _SLICES.findall(text)) if text.strip() else text


def mask_of(*, mask_secrets: bool) -> Mask:
    """Return the mask for texts of summaries: `masked`, or one that leaves them as they are."""
    return masked if mask_secrets else str


def _masked_slice(text: str) -> str:
    examined = text[:SLICE]
    pieces, at = [], 0
    for start, end in sorted(_secrets(examined)):
        end = _TOKEN_END.match(text, end).end()  # type: ignore[union-attr]  # it matches anywhere
        if end <= at:
            continue
        pieces += [text[at : max(at, start)], MASK]
        at = end
    return "".join([*pieces, text[at:]])


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets begin and end."""
    patterns = (*(_UNNAMED if _LONG.search(text) else ()), *(_NAMED if _NAMES.search(text) else ()))
    for pattern in patterns:
        for found in pattern.finditer(text):
            named = next((name for name, value in found.groupdict().items() if value), 0)
            start, end = found.span(named)
            secret = text[start:end]
            yield start + len(secret) - len(secret.lstrip()), start + len(secret.rstrip())
