"""Messages survive their encoding however the bytes are cut."""

import pytest

from deployments.rpc.protocol import CallOutput, CancelCall, Decoder, Frame, Message, OpenCall, PauseCall, encode
from gateway.errors import Overloaded

MESSAGES: list[Message] = [
    OpenCall(0, "stream", ("a request", 1), "request-1", {"traceparent": "00-1-2-01"}),
    PauseCall(0, True),
    CancelCall(0),
    Frame(0, []),
    Frame(1, [CallOutput(0, ["a", "b"]), CallOutput(1, [], True, Overloaded("try again").failure())]),
]
BYTES = b"".join(map(encode, MESSAGES))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, len(BYTES)])
def test_messages_are_decoded_from_chunks_of_any_size(size: int) -> None:
    decoder = Decoder()
    chunks = [BYTES[start : start + size] for start in range(0, len(BYTES), size)]
    assert [message for chunk in chunks for message in decoder.feed(chunk)] == MESSAGES


def test_a_message_is_decoded_as_soon_as_it_is_complete() -> None:
    decoder = Decoder()
    assert decoder.feed(encode(CancelCall(7))[:-1]) == []
    assert decoder.feed(encode(CancelCall(7))[-1:] + encode(CancelCall(8))) == [CancelCall(7), CancelCall(8)]
