"""The files that Legnocorda's tools export: names, headers, how each is read, and how a row of each is written."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FILES", "File", "amount", "euro", "row"]


@dataclass(frozen=True, slots=True)
class File:
    """An exported file.

    Parameters
    ----------
    name : str
        File name.
    header : str
        Its first line, "" for none.
    source : str
        Name under which it is imported; "" for files that are not events.
    mapping : str
        Mapping file, "" where the format is known.
    delimiter, encoding : str
    """

    name: str
    header: str = ""
    source: str = ""
    mapping: str = ""
    delimiter: str = ";"
    encoding: str = "utf-8"


def _csv(name: str, columns: str, source: str = "", *, encoding: str = "utf-8", delimiter: str = ";") -> File:
    mapping = f"{name}.toml" if source else ""
    return File(f"{name}.csv", columns.replace(";", delimiter), source, mapping, delimiter, encoding)


#: Files that blocks write, in the order in which they are imported.
FILES = {
    "web": File("web.ndjson", source="shop"),
    "app": File("app.ndjson", source="shop"),
    "tablet": File("tablet.ndjson", source="tablet"),
    "orders": _csv(
        "ordini-assistiti",
        "Numero;Data;Canale;Cliente;E-mail;Telefono;Codice sessione;Articolo;Descrizione;Reparto;Quantità;Prezzo;"
        "Spedizione;Totale;Operatore",
        "ordini",
    ),
    "till": _csv(
        "scontrini",
        "Negozio;Cassa;Data;Ora;Scontrino;Tipo;Articolo;Descrizione;Reparto;Quantità;Prezzo;Totale scontrino;Tessera;"
        "Codice",
        "casse",
        encoding="cp1252",
    ),
    "mail": _csv("newsletter", "quando;campagna;indirizzo;azione", "newsletter", delimiter=","),
    "sms": _csv("sms", "quando;campagna;numero;azione", "sms", delimiter=","),
    "support": _csv(
        "assistenza",
        "Pratica;Canale;Aperta il;Motivo;Ordine;E-mail;Telefono;Codice sessione;Durata secondi;Risposta automatica;"
        "Prima risposta;Chiusa il;Operatore;Testo",
        "assistenza",
    ),
    "deliveries": _csv(
        "consegne",
        "Ordine;Modo;Corriere;Regione;Negozio;Affidato il;Promesso il;Pronto il;Mancata consegna il;"
        "Motivo mancata consegna;Consegnato il;Ritirato il;Non ritirato il;Esito;Annullato il;"
        "Reso il;Rimborsato il;Importo;Motivo;Biglietto",
        "consegne",
    ),
    "reviews": _csv("recensioni", "Data;Sito;Ordine;E-mail;Prodotto;Stelle;Richiesta;Testo", "recensioni"),
    "surveys": _csv(
        "sondaggi", "Quando;Evento;Sondaggio;Tipo;Scala;Voto;Testo;E-mail;Ordine;Pratica;Codice", "sondaggi"
    ),
    "loyalty": _csv("tessere", "Quando;Movimento;Tessera;E-mail;Telefono;Punti;Consenso;Negozio", "crm"),
    "referrals": _csv("passaparola", "Quando;Evento;E-mail;Codice amico", "crm"),
    "events": _csv("eventi-in-negozio", "Quando;Evento;Negozio;E-mail", "crm"),
    "social": _csv("social", "quando,rete,post,azione,profilo,testo".replace(",", ";"), "social", delimiter=","),
}


def row(delimiter: str, *cells: str) -> str:
    """A line of a CSV file; cells are quoted where they must be."""
    line = delimiter.join(cells)
    if line.count(delimiter) >= len(cells) or '"' in line or "\n" in line:
        line = delimiter.join(_quoted(cell, delimiter) for cell in cells)
    return f"{line}\r\n"


def _quoted(cell: str, delimiter: str) -> str:
    if delimiter in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def amount(cents: int) -> str:
    """12.90, as JSON has it."""
    return f"{cents / 100:.2f}"


def euro(cents: int) -> str:
    """1.249,00: a point for thousands, a comma for cents."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", ".") + f",{part:02}"
