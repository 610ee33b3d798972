"""Secrets are masked in what leaves as a summary, and nothing else is changed."""

import pytest

from gateway.summaries.masking import mask_of, masked

TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"The token {TOKEN} is used.", "The token ••• is used."),
        ("The key AKIA" + "IOSFODNN7EXAMPLE is used", "The key ••• is used"),
        ("It calls https://bob:s3cr3t@example.com/x now", "It calls https://bob:•••@example.com/x now"),
        ("sk-proj-" + "abc123DEF456ghi789JKL012mno345PQR678stu901 leaked", "••• leaked"),
        (
            "It sends eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jWNyc8mXfZ2 too",
            "It sends ••• too",
        ),
        ("The API key is 9f86d081884c7d659a2feaa0c55ad015 here", "The API key is ••• here"),
        ("The password is hunter2! and so on.", "The password is ••• and so on."),
        ('Das Passwort lautet "geheimnis".', 'Das Passwort lautet "•••".'),
        ("密码是abc123，请注意", "密码是•••，请注意"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nrest", "•••\nrest"),
    ],
)
def test_a_secret_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The password must be at least 8 characters.",
        "password: string is required",
        "The commit is 9f86d081884c7d659a2feaa0c55ad015",
        "The token budget is 4096 tokens per request_or_response_12345",
        "A Donaudampfschifffahrtsgesellschaft has 36 letters.",
        "",
        "\n",
    ],
)
def test_what_is_no_secret_is_left(text: str) -> None:
    assert masked(text) == text


def test_an_operator_may_leave_secrets_in_summaries() -> None:
    assert [mask_of(mask_secrets=chosen)(f"The token {TOKEN}") for chosen in (True, False)] == [
        "The token •••",
        f"The token {TOKEN}",
    ]
