"""Where identifiers stand in texts, and where they only seem to."""

from __future__ import annotations

import pyarrow as pa
import pytest

from percorso.identity.lookup import Identifier
from percorso.identity.mentions import Mentions, Standing

EMAIL = Identifier("email", "", "anna.rossi@posta.example")
PHONE = Identifier("phone", "", "+393471234567")
USER = Identifier("user_id", "shop", "anna-7731")
WORD = Identifier("user_id", "shop", "mrossi")
SHORT = Identifier("user_id", "shop", "12")
NUMBER = Identifier("user_id", "shop", "1042")
CARD = Identifier("loyalty_id", "shop", "IT00123456")
TELLING = Mentions({EMAIL: ["Anna.Rossi@Posta.Example "], PHONE: ["347 123 4567"], USER: [], CARD: []}, country="IT")
FAINT = Mentions({WORD: [], SHORT: [], NUMBER: []}, country="IT")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to anna.rossi@posta.example, please", ["anna.rossi@posta.example"]),
        ("ANNA.ROSSI@POSTA.EXAMPLE.", ["ANNA.ROSSI@POSTA.EXAMPLE"]),
        ("?e=anna.rossi%40posta.example&x=1", ["anna.rossi%40posta.example"]),
        ("?e=anna%2Erossi%2540posta%2eexample", ["anna%2Erossi%2540posta%2eexample"]),
        ("%3Danna.rossi%40posta.example%26", ["anna.rossi%40posta.example"]),
        (r'{"said":"ciao\nanna.rossi@posta.example"}', ["anna.rossi@posta.example"]),
        (r'{"said":"anna.rossi\u0040posta.example"}', [r"anna.rossi\u0040posta.example"]),
        ("q=ask+anna.rossi@posta.example", ["anna.rossi@posta.example"]),
        ("anna.rossi&#64;posta.example", ["anna.rossi&#64;posta.example"]),
        ('{"tel":"+393471234567","p":"347 123 4567"}', ["+393471234567", "347 123 4567"]),
        ("login=anna-7731;", ["anna-7731"]),
        ("export_anna-7731_2024.csv", ["anna-7731"]),
        ("ciao @anna-7731!", ["anna-7731"]),
        ("card IT 0012 3456", ["IT 0012 3456"]),
        ("joanna.rossi@posta.example", []),
        ("joe.anna.rossi@posta.example", []),
        ("anna.rossi@posta.example.org", []),
        ("anna.rossi@posta.examples", []),
        ("susanna-7731 anna-77312", []),
        ("", []),
    ],
)
def test_what_tells_by_itself(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in TELLING.spans(text)] == found
    assert bool(found) <= bool(TELLING.likely(pa.array([text]))[0].as_py())


@pytest.mark.parametrize(
    "text",
    [
        "3471234567",
        "+39 347 123-4567",
        "+39.347.1234567",
        "347/1234567",
        "(347) 123 45 67",
        "0039 347 1234567",
        "+39 (347) 1234567",
        "%2B39%20347%20123%204567",
        "347+123+4567",
        r"\u002b39\u00a03471234567",
        "347\u2011123\u20114567",
    ],
)
def test_a_telephone_number_with_whatever_stands_between(text: str) -> None:
    for around in (text, f"call {text}, please", f'{{"n":"{text}","x":1}}', f"?t={text}&x=1"):
        assert [around[start:end] for start, end in TELLING.spans(around)] == [text]
        assert TELLING.likely(pa.array([around]))[0].as_py()


@pytest.mark.parametrize("text", ["93471234567", "34712345678", "347,1234567", "347 123 456", "+44 347 123 4568"])
def test_other_numbers(text: str) -> None:
    assert TELLING.spans(text) == []


def test_a_number_of_another_country_needs_its_code() -> None:
    german = Mentions({Identifier("phone", "", "+4917112345678"): []}, country="IT")
    at_home = Mentions({Identifier("phone", "", "+4917112345678"): ["0171 12345678"]}, country="DE")
    assert german.spans("0171 12345678") == []
    assert german.spans("+49 (0)171 12345678") == [(0, 19)]
    assert at_home.spans("0171/123 456 78") == [(0, 15)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://shop.example/?user=mrossi&x=1", ["mrossi"]),
        ("https://shop.example/users/MRossi/orders", ["MRossi"]),
        ("/login%3Dmrossi%26x", ["mrossi"]),
        ('{"customerId":12,"q":12}', ["12"]),
        ('{\\"customer_id\\":\\"1042\\"}', ["1042"]),
        ("account/login/mrossi", ["mrossi"]),
        ("customer: 1042.", ["1042"]),
        ("ask mrossi about order 1042 of 12 May", []),
        ('{"city":"mrossi","price":1042}', []),
        ("superuser=mrossi", []),
        ("?user=mrossi2", []),
    ],
)
def test_what_tells_by_its_name(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in FAINT.spans(text, space="shop")] == found
    assert FAINT.spans(text, space="till") == []
    assert bool(found) <= bool(FAINT.likely(pa.array([text]))[0].as_py())


def test_where_it_may_mean_somebody() -> None:
    texts = ["ask mrossi", "mrossini", "order 1042", "12 May", None]
    assert FAINT.doubtful(pa.array(texts)).to_pylist() == [True, False, True, False, False]
    assert FAINT.note_spans("mrossi, of the 12 May") == [(0, 6)]


def test_in_another_identifier_only_what_is_the_same_everywhere_counts() -> None:
    assert TELLING.spans("anna-7731", of_identifier=True) == []
    assert len(TELLING.spans("anna.rossi@posta.example", of_identifier=True)) == 1
    assert TELLING.spans("ask+anna.rossi@posta.example", of_identifier=True) == []


def test_overlapping_spans_are_one() -> None:
    both = Mentions({EMAIL: [], Identifier("user_id", "shop", "anna.rossi@posta.example"): []}, country="IT")
    assert both.spans("a anna.rossi@posta.example", space="shop") == [(2, 26)]


@pytest.mark.parametrize(
    ("line", "standing"),
    [
        ("a;Anna.Rossi@posta.example ;b", Standing.SURELY),
        ("x,0039 347-1234567,y", Standing.SURELY),
        ("nothing,of,her", Standing.NO),
    ],
)
def test_lines_with_what_tells(line: str, standing: Standing) -> None:
    assert TELLING.stands(line, ["till"]) is standing


@pytest.mark.parametrize(
    ("line", "standing"),
    [
        ("2024-01-01,12,view", Standing.MAYBE),
        ("2024-01-01,1042,view", Standing.MAYBE),
        ("2024-01-01,1042,12,view", Standing.SURELY),
        ('{"user":"1042","x":1}', Standing.SURELY),
        ('{"order":"1042","x":1}', Standing.MAYBE),
        ("2024-01-01,MRossi,view", Standing.SURELY),
        ("2024-01-01,mrossi called,view", Standing.MAYBE),
        ("2024-01-01,12 May,view", Standing.NO),
        ("2024-01-01,10423,view", Standing.NO),
    ],
)
def test_lines_with_what_does_not(line: str, standing: Standing) -> None:
    assert FAINT.stands(line, ["shop"]) is standing
    assert FAINT.stands(line, ["till"]) in (Standing.NO, Standing.MAYBE)


def test_nothing_to_look_for_finds_nothing() -> None:
    mentions = Mentions({}, country="IT")
    assert mentions.spans("anna") == []
    assert mentions.likely(pa.array(["anna", None])).to_pylist() == [False, False]
    assert mentions.stands("anna") is Standing.NO
