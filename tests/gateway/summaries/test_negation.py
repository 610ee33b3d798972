"""Negations of a text are kept by its summary, as far as clauses with the same words tell."""

import pytest

from gateway.summaries.negation import NegationIndex

STEP = "The timeout is not the cause of old rows. The filter is missing in the cache key, so two filters share a row."
LIST = "Symptoms: a progressive headache for a week. Absence: Fever, vision changes, nausea."


@pytest.mark.parametrize(
    ("text", "sentence", "contradicts"),
    [
        (STEP, "The timeout is the cause of old rows.", True),
        (STEP, "The timeout isn't the cause of old rows.", False),
        (STEP, "The filter is not missing in the cache key.", True),
        (STEP, "The filter is missing in the cache key.", False),
        (STEP, "Old rows come from a missing filter, not from the timeout.", False),
        (f"{STEP} Or is the timeout the cause of old rows?", "The timeout is the cause of old rows.", False),
        ("Der Filter fehlt nicht im Schlüssel des Caches.", "Der Filter fehlt im Schlüssel des Caches.", True),
        ("Le filtre ne manque pas dans la clé du cache.", "Le filtre manque dans la clé du cache.", True),
        ("企鹅不会飞。", "企鹅会飞。", False),
        ("企鹅和鸵鸟都不是会飞的鸟类。", "企鹅和鸵鸟都是会飞的鸟类。", True),
        ("", "The filter is not missing in the cache key.", False),
        (LIST, "The patient has fever, vision changes and nausea.", True),
        (LIST, "The patient has no fever, vision changes or nausea.", False),
        (LIST, "Fever, vision changes and nausea are ruled out.", False),
        (LIST, "The headache has been progressive for a week.", False),
        (f"{LIST} Later fever, nausea and vision changes came.", "It brings fever, vision changes and nausea.", False),
        ("It has no fever, it has a rash on both arms.", "It has a rash on both arms.", False),
        ("Kein Fieber, keine Übelkeit, kein Schwindel.", "Es gibt Fieber, Übelkeit und Schwindel.", True),
        (STEP, "It is not 42.", False),
        (STEP, "The key of the cache is not clear.", True),
        (STEP, "The row is shared, not the other way around.", True),
        (STEP, "Filters do not share a key.", False),
    ],
)
def test_only_a_clause_that_the_text_says_otherwise_is_a_contradiction(
    text: str, sentence: str, contradicts: bool
) -> None:
    assert NegationIndex(text).contradicts(sentence) == contradicts
