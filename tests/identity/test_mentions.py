"""Where identifiers stand in texts, and where they only seem to."""

from __future__ import annotations

import pyarrow as pa
import pytest

from percorso.identity.lookup import Identifier
from percorso.identity.mentions import Mentions

EMAIL = Identifier("email", "", "anna.rossi@posta.example")
PHONE = Identifier("phone", "", "+393471234567")
USER = Identifier("user_id", "shop", "anna-7731")
SHORT = Identifier("user_id", "shop", "1042")
MENTIONS = Mentions({EMAIL: ["Anna.Rossi@Posta.Example "], PHONE: ["347 123 4567"], USER: [], SHORT: []})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to anna.rossi@posta.example, please", ["anna.rossi@posta.example"]),
        ("ANNA.ROSSI@POSTA.EXAMPLE.", ["ANNA.ROSSI@POSTA.EXAMPLE"]),
        ("?e=anna.rossi%40posta.example&x=1", ["anna.rossi%40posta.example"]),
        ("%3Danna.rossi%40posta.example%26", ["anna.rossi%40posta.example"]),
        ('{"tel":"+393471234567","p":"347 123 4567"}', ["+393471234567", "347 123 4567"]),
        ("call 3471234567 or 00393471234567", ["3471234567"]),
        ("login=anna-7731;", ["anna-7731"]),
        ("joanna.rossi@posta.example", []),
        ("anna.rossi@posta.example.org", []),
        ("anna.rossi@posta.examples", []),
        ("93471234567", []),
        ("susanna-7731 anna-77312", []),
        ("order 1042 of 1042", []),
        ("", []),
    ],
)
def test_spans(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in MENTIONS.spans(text)] == found
    assert bool(found) <= bool(MENTIONS.likely(pa.array([text]))[0].as_py())


def test_in_another_identifier_only_what_is_the_same_everywhere_counts() -> None:
    assert MENTIONS.spans("anna-7731", of_identifier=True) == []
    assert len(MENTIONS.spans("anna.rossi@posta.example", of_identifier=True)) == 1


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("2024-01-01,1042,view", True),
        ('{"user":"1042","x":1}', True),
        ("2024-01-01,10423,view", False),
        ("a;Anna.Rossi@posta.example ;b", True),
        ("nothing,of,her", False),
    ],
)
def test_lines(line: str, held: bool) -> None:
    assert MENTIONS.in_line(line) is held


def test_nothing_to_look_for_finds_nothing() -> None:
    mentions = Mentions({})
    assert mentions.spans("anna") == []
    assert mentions.likely(pa.array(["anna", None])).to_pylist() == [False, False]
    assert not mentions.in_line("anna")
