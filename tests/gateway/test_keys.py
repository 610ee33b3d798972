"""Who may ask, and how much at once."""

import hashlib

import pytest

from gateway.errors import InvalidKey, TooManyStreams
from gateway.keys import Keys, Streams, key_hashes


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


KEYS = Keys((hashed("first"), hashed("second")))


def test_lines_are_as_sha256sum_prints_them() -> None:
    text = f"# who\n\n{hashed('first')}  -\n{hashed('second').upper()} of a friend\n"
    assert key_hashes(text) == (hashed("first"), hashed("second"))


@pytest.mark.parametrize("text", ["first", f"{hashed('a')[:-1]}", f"name {hashed('a')}"])
def test_a_line_that_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        key_hashes(text)


@pytest.mark.parametrize("authorization", ["Bearer first", "bearer first ", "Bearer second"])
def test_a_known_key_is_let_in_from_anywhere(authorization: str) -> None:
    assert KEYS.holder(authorization, "") == hashed(authorization.split()[1])


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "first", "Basic first", "Bearer third", "Bearer é"])
def test_any_other_key_is_not_even_from_this_machine(authorization: str) -> None:
    with pytest.raises(InvalidKey):
        KEYS.holder(authorization, "127.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_without_keys_this_machine_may_ask(address: str) -> None:
    assert Keys(()).holder("Bearer any", address) == address


@pytest.mark.parametrize("address", ["", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "localhost"])
def test_without_keys_nobody_else_may_unless_anybody_may(address: str) -> None:
    with pytest.raises(InvalidKey):
        Keys(()).holder("", address)
    assert Keys((), anonymous=True).holder("", address) == address


def test_a_holder_has_no_more_streams_than_allowed() -> None:
    streams = Streams(2)
    with streams.one("a"), streams.one("b"):
        with streams.one("a"), pytest.raises(TooManyStreams), streams.one("a"):
            pass
        with streams.one("a"):
            pass
