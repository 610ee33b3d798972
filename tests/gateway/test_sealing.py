"""Sealed reasoning: what one key has sealed it opens, and nothing else that comes."""

import logging

import pytest

from gateway.sealing import PREFIX, Opener, Sealer, read_secrets

LIMIT = 1_000_000
SECRET, OTHER = b"a secret of the operator", b"another one of the operator"
TRACE = "The user asks for six times seven. " * 100
FOREIGN = "gAAAAABpJv3mZ1hXn7l2v0sJ4m8Qk5yq0ZbCzJxgQ4u1d2rT9wE6fPq3aYt7H0oLkVnS5iB8cDxRjUeWmGzKpA=="
"""Reasoning as OpenAI seals it."""


@pytest.mark.parametrize(
    "text", ["", "x", "Six times seven.", TRACE, "Größe 数 🙂 \u2028 \x00", "a" * 500_000], ids=lambda text: text[:9]
)
def test_what_is_sealed_opens_as_it_was(text: str) -> None:
    sealer = Sealer([SECRET])
    assert sealer.open(sealer.seal(text), LIMIT) == text


def test_half_a_surrogate_pair_does_not_prevent_the_rest() -> None:
    sealer = Sealer([SECRET])
    assert sealer.open(sealer.seal("a\ud83dz"), LIMIT) == "a?z"


def test_a_sealed_text_is_one_printable_word_that_says_its_version() -> None:
    sealed = Sealer([SECRET]).seal(TRACE)
    assert sealed.startswith("rg1.")
    assert sealed.removeprefix(PREFIX).replace("-", "a").replace("_", "a").isalnum()
    assert sealed.isascii()


def test_a_text_is_never_sealed_twice_alike() -> None:
    sealer = Sealer([SECRET])
    assert len({sealer.seal(TRACE) for _ in range(20)}) == 20


def test_a_long_text_is_packed_and_a_short_one_is_not_made_longer() -> None:
    sealer = Sealer([SECRET])
    assert len(sealer.seal(TRACE)) < len(TRACE) / 10
    assert len(sealer.seal("Hm.")) == len(PREFIX) + 54  # 40 bytes: id 8, nonce 12, packing 1, text 3, tag 16


def test_another_gateway_with_the_same_secret_opens_it() -> None:
    assert Sealer([SECRET]).open(Sealer([SECRET]).seal(TRACE), LIMIT) == TRACE


def test_the_first_secret_seals_and_all_of_them_open() -> None:
    old, new = Sealer([SECRET]), Sealer([OTHER, SECRET])
    assert new.open(old.seal(TRACE), LIMIT) == TRACE
    assert Sealer([OTHER]).open(new.seal(TRACE), LIMIT) == TRACE
    assert old.open(new.seal(TRACE), LIMIT) is None


@pytest.mark.parametrize(
    "sealed",
    ["", "rg1.", "rg1", "rg1.AAAA", FOREIGN, PREFIX + FOREIGN, "rg2." + "A" * 80, "rg1." + "A" * 80, "rg1.ü", "\ud83d"],
)
def test_what_is_somebody_elses_does_not_open(sealed: str) -> None:
    assert Sealer([SECRET]).open(sealed, LIMIT) is None


def test_what_was_changed_anywhere_does_not_open() -> None:
    sealer = Sealer([SECRET])
    sealed = sealer.seal("Six times seven is 42.")
    changed = [sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in range(len(sealed))]
    cut = [sealed[:at] for at in range(len(sealed))]
    longer = [sealed + end for end in ("A", "=", "==", "\n", " ", "!", "AAAA")] + [
        f" {sealed}",
        sealed[:9] + "!" + sealed[9:],
    ]
    assert {sealer.open(text, LIMIT) for text in changed + cut + longer} == {None}


@pytest.mark.parametrize(("limit", "opens"), [(3499, False), (3500, True)])
def test_no_more_than_the_limit_is_unpacked(limit: int, opens: bool) -> None:
    sealer = Sealer([SECRET])
    assert sealer.open(sealer.seal(TRACE), limit) == (TRACE if opens else None)


def test_the_sealed_texts_of_a_request_share_its_limit(caplog: pytest.LogCaptureFixture) -> None:
    sealer = Sealer([SECRET])
    opener = Opener(sealer, 10)
    texts = [opener.open(sealer.seal(text)) for text in ("12345", "678901", "6789ü", "0")]
    assert texts == ["12345", None, None, "0"]
    opener.report()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith("2 encrypted_content of a request left out")


def test_nothing_is_logged_of_a_request_whose_reasoning_opens(caplog: pytest.LogCaptureFixture) -> None:
    sealer = Sealer([SECRET])
    opener = Opener(sealer, LIMIT)
    assert opener.open(sealer.seal(TRACE)) == TRACE
    opener.report()
    assert caplog.messages == []


def test_secrets_are_read_line_by_line() -> None:
    assert read_secrets("  0123456789abcdef \r\n\nünïcödé is welcome\n") == [
        b"0123456789abcdef",
        "ünïcödé is welcome".encode(),
    ]


@pytest.mark.parametrize(
    ("text", "reason"), [("", "no secret"), (" \n", "no secret"), ("0123456789abcde", "fewer than 16")]
)
def test_secrets_that_are_missing_or_short_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_secrets(text)


@pytest.mark.parametrize("piece", ["Six times seven. ", "Größe 数 🙂 ", "x" * 70_000])
def test_a_text_that_grows_is_sealed_as_it_is_at_once(piece: str) -> None:
    sealer = Sealer([SECRET])
    growing = sealer.growing()
    assert not growing
    for _ in range(10_000_000 // 70_000 // 10 if len(piece) > 1000 else 10_000):
        growing.add(piece)
    assert growing
    opened = sealer.open(growing.seal(), LIMIT)
    assert opened is not None
    assert opened == piece * (len(opened) // len(piece))
    assert len(opened) >= 100_000
