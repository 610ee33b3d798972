"""Admission of clients, and the number of streams that each may have at once."""

import asyncio
import hashlib

import pytest

from gateway.errors import InvalidKey, Overloaded, TooManyStreams
from gateway.keys import ConcurrencyLimiter, Keys, key_hashes


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


KEYS = Keys((hashed("first"), hashed("second")))


def test_key_lines_are_as_sha256sum_prints_them() -> None:
    text = f"# who\n\n{hashed('first')}  -\n{hashed('second').upper()} of a friend\n"
    assert key_hashes(text) == (hashed("first"), hashed("second"))


@pytest.mark.parametrize("text", ["first", f"{hashed('a')[:-1]}", f"name {hashed('a')}"])
def test_a_key_line_without_a_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        key_hashes(text)


@pytest.mark.parametrize("authorization", ["Bearer first", "bearer first ", "Bearer second"])
def test_a_known_key_is_admitted_from_anywhere(authorization: str) -> None:
    assert KEYS.identify(authorization, "") == hashed(authorization.split()[1])


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "first", "Basic first", "Bearer third", "Bearer é"])
def test_any_other_key_is_refused_even_from_this_machine(authorization: str) -> None:
    with pytest.raises(InvalidKey):
        KEYS.identify(authorization, "127.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_without_keys_this_machine_is_admitted(address: str) -> None:
    assert Keys(()).identify("Bearer any", address) == address


@pytest.mark.parametrize("address", ["", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "localhost"])
def test_without_keys_other_machines_are_admitted_only_if_anonymous(address: str) -> None:
    with pytest.raises(InvalidKey):
        Keys(()).identify("", address)
    assert Keys((), anonymous=True).identify("", address) == address


async def test_all_clients_have_no_more_slots_than_the_limit_until_they_are_idle() -> None:
    limiter = ConcurrencyLimiter(2, in_all=3)
    with limiter.slot("a"), limiter.slot("a"), limiter.slot("b"):
        with pytest.raises(Overloaded), limiter.slot("b"):
            pass
        with pytest.raises(TooManyStreams), limiter.slot("a"):
            pass
        idle = asyncio.create_task(limiter.idle())
        await asyncio.sleep(0)
        assert not idle.done()
    await idle
    with limiter.slot("b"):
        pass


def test_clients_that_cannot_be_told_apart_share_all_slots() -> None:
    limiter = ConcurrencyLimiter(1, in_all=2)
    with limiter.slot(""), limiter.slot(""), pytest.raises(Overloaded), limiter.slot(""):
        pass


def test_a_client_has_no_more_slots_than_the_limit() -> None:
    limiter = ConcurrencyLimiter(2, in_all=9)
    with limiter.slot("a"), limiter.slot("b"):
        with limiter.slot("a"), pytest.raises(TooManyStreams), limiter.slot("a"):
            pass
        with limiter.slot("a"):
            pass


def test_streams_beyond_new_limits_go_on_and_the_next_one_is_refused() -> None:
    limiter = ConcurrencyLimiter(3, in_all=3)
    with limiter.slot("a"), limiter.slot("a"):
        limiter.resize(1, in_all=2)
        with pytest.raises(TooManyStreams), limiter.slot("a"):
            pass
        with pytest.raises(Overloaded), limiter.slot("b"):
            pass
    with limiter.slot("a"), limiter.slot("b"):
        pass
