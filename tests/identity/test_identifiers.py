"""Identifiers: one form, blocked values, and fast paths that agree with the libraries."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity.identifiers import (
    _FEW,
    BLOCKED_VALUES,
    IdentifierRules,
    _email,
    _library_email,
    blocked_values,
    normalise,
)
from percorso.identity.phones import PhoneReader, library_phone
from percorso.settings import IdentitySettings

KINDS = ["user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id", "fidelity_card"]
RULES = IdentifierRules(IdentitySettings(blocked_values=("Cassa 1", "  SCONOSCIUTO ")), "IT")

NORMAL = [
    ("user_id", " Anna 42 ", "Anna 42"),
    ("user_id", "ANNA", "ANNA"),
    ("anonymous_id", "\tx\n", "x"),
    ("device_id", "é\u3000", "é"),
    ("fidelity_card", " a b ", "a b"),
    ("loyalty_id", " ab 12\u00a034 ", "AB1234"),
    ("card_token", "tok_straße", "TOK_STRASSE"),
    ("email", " Anna.Rossi@Example.IT ", "anna.rossi@example.it"),
    ("email", "a.b+news@example.com", "a.b+news@example.com"),  # dots and tags stay
    ("email", "ab@example.com", "ab@example.com"),
    ("email", "niccolo\u0300@example.com", "niccol\u00f2@example.com"),  # NFC
    ("email", "NICCOLÒ@example.com", "niccolò@example.com"),
    ("email", "anna@m\u00fcller.example", "anna@müller.example"),
    ("email", "anna@xn--mller-kva.example", "anna@müller.example"),
    ("email", "o'neil@example.com", "o'neil@example.com"),
    ("email", "anna@shop.test", "anna@shop.test"),
    ("phone", "+39 347 1234567", "+393471234567"),
    ("phone", "347 123 4567", "+393471234567"),
    ("phone", "0039 347-1234567", "+393471234567"),
    ("phone", "393471234567", "+393471234567"),
    ("phone", "02 1234 5678", "+390212345678"),  # the nought belongs to it in Italy
    ("phone", "+44 (0)20 7946 0958", "+442079460958"),
    ("phone", "tel. 347/1234567", "+393471234567"),
    ("phone", "+1 415 555 0132", "+14155550132"),
]


@pytest.mark.parametrize(("kind", "value", "normal"), NORMAL)
def test_each_type_has_one_form(kind: str, value: str, normal: str) -> None:
    assert normalise(kind, value, country="IT") == normal
    assert normalise(kind, normal, country="IT") == normal


MALFORMED = [
    ("email", "anna"),
    ("email", "anna@"),
    ("email", "@example.com"),
    ("email", "anna@example"),
    ("email", "anna@test"),
    ("email", "anna rossi@example.com"),
    ("email", "anna@example..com"),
    ("email", "Anna <anna@example.com>"),
    ("email", "anna@example.com, bob@example.com"),
    ("email", "anna@shop.local"),
    ("email", "a" * 300 + "@example.com"),
    ("phone", "12"),
    ("phone", "1042"),
    ("phone", "abc"),
    ("phone", "+999 1234567"),
    ("phone", "347 1234567 / 348 7654321 casa della nonna"),
    ("phone", "3" * 40),
]


@pytest.mark.parametrize(("kind", "value"), MALFORMED)
def test_malformed_values_are_none(kind: str, value: str) -> None:
    assert normalise(kind, value, country="IT") is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value",
    [*sorted(BLOCKED_VALUES), "NULL", " Guest ", "0", "0000-000", "--", "  ", "noreply@shop.example", "NoReply@x.it"],
)
def test_blocked_values_point_at_nobody(kind: str, value: str) -> None:
    assert normalise(kind, value, country="IT") is None


def test_what_is_blocked_only_after_it_is_normal() -> None:
    assert normalise("card_token", "0 0 0", country="IT") is None
    assert normalise("loyalty_id", "n u l l", country="IT") is None


def test_the_workspace_blocks_its_own() -> None:
    assert RULES.normalise("user_id", "cassa 1") is None
    assert RULES.normalise("user_id", "Sconosciuto") is None
    assert RULES.normalise("user_id", "cassa 2") == "cassa 2"
    assert blocked_values(["X"]) == BLOCKED_VALUES | {"x"}


def test_numbers_belong_to_the_workspaces_country() -> None:
    assert normalise("phone", "030 1234567", country="DE") == "+49301234567"
    assert normalise("phone", "030 1234567", country="IT") == "+390301234567"
    assert normalise("phone", "06 698 12345", country="VA") == "+390669812345"


ODD = st.text(max_size=12) | st.text("aA0-1 \t\u00a0\x1fé@.,+", max_size=12)
MAIL = st.from_regex(r"[A-Za-z0-9_+.'-]{1,12}@[A-Za-z0-9.-]{1,16}\.[A-Za-z]{1,9}", fullmatch=True)
PHONE = st.from_regex(r"\+?[0-9]{1,3}[ -]?[0-9]{2,5}[ ./-]?[0-9]{2,9}", fullmatch=True)
ANY = st.sampled_from([*sorted(BLOCKED_VALUES), "GUEST", "Cassa 1", "00-0"]) | ODD | MAIL | PHONE


@given(st.sampled_from(KINDS), st.lists(ANY | st.none()))
@settings(deadline=None)
def test_many_at_once_equal_one_by_one(kind: str, values: list[str | None]) -> None:
    column = pa.array(values, type=pa.string())
    expected = [None if value is None else RULES.normalise(kind, value) for value in values]
    assert RULES.normalise_many(kind, column).to_pylist() == expected
    many = pa.concat_arrays([pa.array(["x"]), column, pa.nulls(_FEW + 1, pa.string())])[1:]
    assert RULES.normalise_many(kind, many).to_pylist() == [*expected, *[None] * (_FEW + 1)]


@given(st.sampled_from(KINDS), ANY)
@settings(deadline=None)
def test_a_normal_form_is_its_own(kind: str, value: str) -> None:
    normal = RULES.normalise(kind, value)
    assert normal is None or RULES.normalise(kind, normal) == normal


ORDINARY = st.from_regex(
    r"[a-zA-Z0-9_+-]{1,8}(\.[a-zA-Z0-9_+-]{1,8}){0,2}@([a-zA-Z0-9]{1,9}(-[a-z0-9]{1,4})?\.){1,3}[a-zA-Z]{1,10}",
    fullmatch=True,
)
DEAD = st.sampled_from(["a@b.local", "a@b.c.onion", "a@x.arpa", "a@b.invalid", "a@b.localhost", "a@local.it", "a@1.it"])


@given(ORDINARY | MAIL | DEAD)
@settings(deadline=None, max_examples=500)
def test_the_fast_path_of_addresses_agrees_with_email_validator(address: str) -> None:
    assert _email(address) == _library_email(address)


COUNTRIES = ["IT", "DE", "US", "FR", "GB", "BR", "AR", "VA", "MX", "IN", "CH", "SM"]
READERS = {country: PhoneReader(country) for country in COUNTRIES}
DIGITS = st.text("0123456789", min_size=4, max_size=13)
CODES = st.sampled_from(
    ["", "0", "00", "+39", "+1", "+49", "+44", "+54", "+52", "+7", "+800", "39", "1", "0039", "+06"]
)


@given(st.sampled_from(COUNTRIES), CODES, DIGITS, st.integers(0, 12), st.sampled_from(["", " ", "-", "/"]))
@settings(deadline=None, max_examples=2000)
def test_the_fast_path_of_numbers_agrees_with_phonenumbers(
    country: str, code: str, digits: str, at: int, between: str
) -> None:
    text = f"{code}{digits[:at]}{between}{digits[at:]}"
    assert READERS[country].read(text) == library_phone(text, country)


@given(PHONE)
@settings(deadline=None)
def test_a_number_that_is_e164_stays(text: str) -> None:
    number = READERS["IT"].read(text)
    assert number is None or all(reader.read(number) == number for reader in READERS.values())


def test_no_values() -> None:
    for kind in KINDS:
        assert RULES.normalise_many(kind, pa.array([], pa.string())).to_pylist() == []
        for n in (2, _FEW + 1):
            assert RULES.normalise_many(kind, pa.nulls(n, pa.string())).to_pylist() == [None] * n
