"""The language in which a user asks, whatever else the turns hold: code, quotations, names, pasted texts, other turns.

`languages.json` holds pairs of a tag and the user's turns.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.summaries.language import language_of
from gateway.summaries.languages import checked_tag, english_name

CASES = json.loads(Path(__file__).with_name("languages.json").read_text("utf-8"))


@pytest.mark.parametrize(("language", "turns"), CASES)
def test_the_language_in_which_a_user_asks(language: str, turns: list[str]) -> None:
    assert language_of(*turns) == language


@pytest.mark.parametrize(
    ("language", "form"),
    [
        ("en", "Question: In which year did the first of these revivals begin, and what was it a response to?"),
        ("de", "Question: In welchem Jahr begann die erste dieser Bewegungen, und worauf war sie eine Antwort?"),
        ("fr", "Problem: En quelle année a commencé le premier de ces mouvements, et à quoi répondait-il ?"),
    ],
)
def test_the_label_of_a_form_tells_no_language(language: str, form: str) -> None:
    assert language_of(form) == language


@pytest.mark.parametrize(
    ("language", "request_", "remark"),
    [
        (
            "zh",
            "请编写一个检测CWE-601漏洞的CodeQL查询代码，只需要给出ql代码。",
            "(name and description were left out of it)",
        ),
        (
            "ja",
            "getUserById関数のバグを直して、Python3.11で動くようにしてください。",
            "(copied from the issue on the tracker)",
        ),
        ("th", "ช่วยเขียนโค้ดPython3สำหรับอ่านไฟล์data.csvและหาค่าเฉลี่ยให้หน่อย", "(this is from the list of the tasks)"),
    ],
)
def test_names_of_code_within_unspaced_words_do_not_take_the_words_along(
    language: str, request_: str, remark: str
) -> None:
    assert language_of(f"{request_} {remark}") == language


@pytest.mark.parametrize("turns", [(), ("",), ("3 * 4",), ("Fix bug",), ("ok", "```\nDas ist Code\n```")])
def test_what_cannot_be_told_is_english(turns: tuple[str, ...]) -> None:
    assert language_of(*turns) == "en"


def test_a_request_that_is_hard_to_read_costs_little_time() -> None:
    for text in (
        "'a " * 1400,
        "((((" * 1000,
        "<a>" * 1400,
        '"' * 4000,
        "a.b" * 1400,
        "= " * 2000,
        "x" * 4000,
        "「" * 4000,
    ):
        began = time.process_time()
        language_of(text)
        assert time.process_time() - began < 1


def test_every_language_that_the_detector_knows_has_a_name() -> None:
    from gateway.summaries.language import SAME, load

    labels = {SAME.get(label, label) for label, _ in load()("Why?")}
    assert [english_name(label) for label in sorted(labels) if label]


def test_the_detector_is_loaded_only_when_it_is_asked() -> None:
    code = "import sys, gateway.config, gateway.session, gateway.summaries.writer; print('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"False"


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "German"),
        ("DE", "German"),
        ("pt-BR", "Brazilian Portuguese"),
        ("zh-Hant-TW", "Traditional Chinese"),
        ("zh-Hans", "Simplified Chinese"),
        ("sr-Latn-RS", "Serbian in Latin script"),
        ("fr-BE", "French (fr-BE)"),
        ("de-1996", "German (de-1996)"),
        ("fil", "Filipino"),
    ],
)
def test_a_tag_has_a_name(tag: str, name: str) -> None:
    assert english_name(checked_tag(tag)) == name


@pytest.mark.parametrize(
    "tag", ["", "xx", "english", "de_DE", "de-", "deu", "-", "d", "AUTO", "x-private", "de-" + "a1b2c3-" * 9]
)
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        checked_tag(tag)
