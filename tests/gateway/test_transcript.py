"""A transcript of a long stream is complete."""

from gateway.transcript import Transcript

PIECES = [f" piece {number}" for number in range(10_000)]
TEXT = "".join(PIECES)


def test_a_long_reasoning_is_counted_in_characters() -> None:
    transcript = Transcript("rsn-1", thinks=True)
    for piece in PIECES:
        transcript.add_reasoning(piece)
    assert transcript.end_reasoning().characters == len(TEXT)


def test_a_long_response_is_complete() -> None:
    transcript = Transcript("rsn-1", thinks=True)
    for piece in PIECES:
        transcript.add_response(piece)
    assert transcript.end_response().text == TEXT


def test_a_pair_of_surrogates_in_two_pieces_is_kept() -> None:
    transcript = Transcript("rsn-1", thinks=True)
    for piece in ("Größe \ud83d", "\ude00"):
        transcript.add_response(piece)
    assert transcript.end_response().text == "Größe \ud83d\ude00"
