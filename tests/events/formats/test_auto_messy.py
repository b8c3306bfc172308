"""Mappings proposed for files as shops really have them: returns, states, gaps, thousands, newsletters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from percorso.events.aliases import CANONICAL_EVENTS
from percorso.events.csv_reader import CsvHeader
from percorso.events.formats.auto_kind import source_name
from percorso.events.formats.auto_mapping import Proposal, propose_mapping
from percorso.events.formats.auto_words import event_of
from percorso.events.formats.table import TableMapping
from percorso.settings import Settings
from tests.events.formats.chunks import rows_of, table_chunk


def propose(columns: dict[str, list[Any]], file: str = "file.csv", country: str = "IT") -> Proposal:
    settings = Settings()
    place = replace(settings.workspace, country=country, language="it" if country == "IT" else "en")
    return propose_mapping(table_chunk(columns), file, replace(settings, workspace=place))


def checks(proposal: Proposal) -> str:
    """Everything that the proposal asks to look at; each stands in the file too."""
    found = [reason.why for reason in proposal.reasons if reason.choice == "check"]
    for what in found:
        assert f"# check: {what}\n" in proposal.toml
    return "\n".join(found)


def days(n: int) -> list[str]:
    return [f"{day:02}/09/2025" for day in range(1, n + 1)]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("scontrini_settembre.csv", "scontrini"),
        ("scontrini_ottobre.csv", "scontrini"),
        ("Scontrini Ott 2025 - Copia (2).csv", "scontrini"),
        ("export_scontrini_20250930_definitivo.csv.gz", "scontrini"),
        ("scontrini dal 01-09-2025 al 30-09-2025.csv", "scontrini"),
        ("2025-09-scontrini-v2.zip", "scontrini"),
        ("ScontriniSettembre2025.csv", "scontrini"),
        ("orders_september_copy.csv", "orders"),
        ("ordini_web_nuovo.csv", "ordini-web"),
        ("export (1).csv", "file"),
        ("settembre.csv", "file"),
    ],
)
def test_files_of_one_tool_are_one_source(file: str, expected: str) -> None:
    assert source_name(file) == expected


TILL: dict[str, list[Any]] = {
    "Data": days(4),
    "N. scontrino": ["1001", "1002", "1003", "1004"],
    "Tessera": ["A", "B", "A", "C"],
    "Totale": ["12,50", "-4,00", "7,00", "3,00"],
}


def test_negative_totals_are_announced() -> None:
    proposal = propose(TILL, "scontrini.csv")
    assert proposal.mapping.events[0].name.value == "Order Completed"
    assert "negative value becomes an Order Refunded" in checks(proposal)
    assert checks(propose({**TILL, "Totale": ["1,00"] * 4}, "scontrini.csv")) == ""


def test_the_same_is_asked_once() -> None:
    proposal = propose(
        {"data": days(3), "ordine": ["1", "2", "3"], "quantita": ["-1", "1", "2"], "totale": ["-9,50", "8,00", "1,00"]}
    )
    assert proposal.toml.count("some amounts are negative") == 1


def test_orders_without_amounts_are_asked_about() -> None:
    columns = {"data": days(3), "scontrino": ["100001", "100002", "100003"]}
    assert "no amount found: orders will have no value" in checks(propose(columns))
    header = CsvHeader(";", tuple(columns), 30, 3, line=3, above=((1, "Report"),))
    proposal = propose_mapping(table_chunk(columns), "cassa.csv", Settings(), header=header)
    assert "no amount found: orders will have no value; is line 3 the header?" in checks(proposal)
    assert proposal.mapping.header_line == 3
    assert "no amount" not in checks(propose({**columns, "totale": ["1,00", "2,00", "3,00"]}))


def test_a_column_of_movements_names_the_event() -> None:
    columns = {**TILL, "Tipo": ["VENDITA", "RESO", "VENDITA", "OMAGGIO"]}
    proposal = propose(columns, "scontrini.csv")
    name = proposal.mapping.events[0].name
    assert name.columns == ("Tipo",)
    assert name.values == {"VENDITA": "Order Completed", "RESO": "Order Refunded"}
    assert 'nobody knows "OMAGGIO"' in checks(proposal)


def test_last_states_of_orders() -> None:
    states = ["pagato", "spedito", "annullato", "rimborsato", "evaso", "completato"]
    columns = {"data": days(6), "ordine": [f"N{i}" for i in range(6)], "stato": states, "totale": ["9,90"] * 6}
    proposal = propose(columns)
    assert list(proposal.mapping.events[0].name.values.items()) == [
        ("annullato", "Order Cancelled"),
        ("completato", "Order Completed"),
        ("evaso", "Order Completed"),
        ("pagato", "Order Completed"),
        ("rimborsato", "Order Refunded"),
        ("spedito", "Order Completed"),
    ]
    assert '"annullato", "rimborsato" brings no purchase' in checks(proposal)


def test_the_history_of_an_order_is_several_events() -> None:
    columns = {"data": days(3), "ordine": ["N1"] * 3, "status": ["paid", "shipped", "delivered"], "total": ["9"] * 3}
    values = propose(columns).mapping.events[0].name.values
    assert values == {"paid": "Order Completed", "shipped": "Order Shipped", "delivered": "Order Delivered"}


def test_a_type_in_unknown_words_is_no_event_but_is_pointed_out() -> None:
    proposal = propose({**TILL, "Causale": ["VEN", "RES", "VEN", "VEN"]}, "scontrini.csv")
    assert proposal.mapping.events[0].name.value == "Order Completed"
    assert '"Causale" may say what happened ("RES", "VEN")' in checks(proposal)
    alone = propose({"data": days(2), "utente": ["u", "v"], "tipo": ["entrata", "uscita"]})
    assert alone.mapping.events[0].name.columns == ("tipo",)
    assert '"entrata", "uscita"' in checks(alone)


def test_a_sale_and_a_return_on_one_receipt_are_two_events() -> None:
    columns = {
        "data": ["01/09/2025 10:00"] * 3,
        "ordine": ["1000001"] * 3,
        "articolo": ["x", "y", "z"],
        "prezzo": ["5,00", "6,00", "7,00"],
        "causale": ["vendita", "reso", "vendita"],
    }
    items = propose(columns).mapping.items
    assert items is not None
    assert items.group_by == ("ordine", "causale")


@pytest.mark.parametrize(
    ("amounts", "country", "file", "decimal"),
    [
        (["1.234", "850", "12.500", "3.000"], "IT", "f.csv", ","),
        (["1.234", "850", "12.500", "3.000"], "US", "f.csv", "."),
        (["1.234", "850", "12.5", "3.000"], "IT", "f.csv", "."),
        (["0.234", "850", "1.500", "3.000"], "IT", "f.csv", "."),
        (["1.234", "850", "12.500", "3.000"], "IT", "f.ndjson", "."),
    ],
)
def test_points_before_three_digits(amounts: list[str], country: str, file: str, decimal: str) -> None:
    columns = {**TILL, "Totale": amounts}
    proposal = propose(columns, file, country)
    assert proposal.mapping.columns["value"].decimal == decimal
    assert ("points are taken for thousands" in checks(proposal)) == (decimal == ",")
    if decimal == ",":
        rows = rows_of(TableMapping(Settings(), proposal.mapping).convert(table_chunk(columns)))
        assert [row["value"] for row in rows] == [123_400, 85_000, 1_250_000, 300_000]


def test_another_amount_of_the_table_says_what_points_are() -> None:
    amounts = {**TILL, "Totale": ["1.234", "850", "12.500", "3.000"]}
    assert propose({**amounts, "IVA": ["2.50"] * 4}).mapping.columns["value"].decimal == "."
    assert propose({**amounts, "IVA": ["2,50"] * 4}, country="US").mapping.columns["value"].decimal == ","


def test_one_unreadable_amount_costs_its_row_only() -> None:
    columns = {**TILL, "Totale": ["12,50", "gratis", "7,00", "3,00"]}
    proposal = propose(columns, "scontrini.csv")
    assert 'no amount can be read from "gratis"' in checks(proposal)
    converted = TableMapping(Settings(), proposal.mapping).convert(table_chunk(columns))
    assert [row["value"] for row in rows_of(converted)] == [1250, 700, 300]
    assert [reject.reason for reject in converted.rejected] == ["amount_unreadable"]
    assert "value" not in propose({**TILL, "Totale": ["12,50", "gratis", "n.d.", "3,00"]}).mapping.columns


def test_one_impossible_date_costs_its_row_only() -> None:
    columns = {**TILL, "Data": ["31/02/2025", *days(3)]}
    proposal = propose(columns)
    assert proposal.mapping.events[0].time.format == "%d/%m/%Y"
    assert "is no date, will be rejected" in checks(proposal)
    converted = TableMapping(Settings(), proposal.mapping).convert(table_chunk(columns))
    assert [reject.reason for reject in converted.rejected] == ["time_unreadable"]


def test_an_order_with_an_unreadable_line_has_no_sum() -> None:
    columns = {
        "data": days(1) * 6,
        "ordine": ["1000001", "1000001", "1000002", "1000002", "1000003", "1000003"],
        "articolo": list("abcdef"),
        "importo": ["€ 1.010,50", "2,00", "n.d.", "1,00", "4,00", "5,00"],
    }
    proposal = propose(columns)
    assert "'unreadable'" in proposal.mapping.prepare_sql
    assert '"n.d."' in checks(proposal)


@pytest.mark.parametrize("file", ["newsletter_settembre.csv", "invii.csv"])
@pytest.mark.parametrize("column", ["azione", "evento", "stato"])
def test_newsletters(file: str, column: str) -> None:
    said = ["inviata", "consegnato", "aperta", "Cliccata", "disiscritta", "rimbalzata"]
    proposal = propose({"data": days(6), "email": ["a@example.com"] * 6, column: said}, file)
    assert proposal.mapping.kind == "email"
    assert proposal.mapping.events[0].name.values == {
        "inviata": "Email Sent",
        "consegnato": "Email Delivered",
        "aperta": "Email Opened",
        "Cliccata": "Email Link Clicked",
        "disiscritta": "Unsubscribed",
        "rimbalzata": "Email Bounced",
    }
    assert checks(proposal) == ""


def test_unknown_names_of_events_are_listed() -> None:
    proposal = propose({"data": days(3), "user": list("abc"), "event": ["purchase", "thinking", "dreaming"]})
    assert 'nobody knows "dreaming", "thinking"' in checks(proposal)


def test_tickets_that_are_opened_are_no_mails() -> None:
    columns = {"data": days(2), "ticket": ["1", "2"], "status": ["aperto", "chiuso"], "email": ["a@example.com"] * 2}
    assert propose(columns).mapping.kind == "support"


def test_customers_that_are_addresses() -> None:
    addresses = ["a@example.com", "b@example.com", "c@example.com", "banco"]
    columns = {"data": days(4), "cliente": addresses, "totale": ["1,00"] * 4}
    mapping = propose(columns).mapping
    assert mapping.columns["email"].columns == ("cliente",)
    assert "user_id" not in mapping.columns
    # A second column of addresses is nobody's property.
    both = propose({**columns, "email": addresses}).mapping
    assert (both.columns["email"].columns, both.keep) == (("email",), ())


@pytest.mark.parametrize("kind", ["pos", "server", "email", "delivery"])
def test_words_lead_to_canonical_events(kind: str) -> None:
    for word in ("reso", "spedito", "annullato", "pagato", "inviata", "rimborsato", "boh"):
        name = event_of(word, kind, one_state=True, amounts=True)
        assert name in CANONICAL_EVENTS or not name
