"""The sections of `percorso.toml` on the workspace and its tools: money, places, names, imports, builds."""

from __future__ import annotations

from percorso.settings import kinds
from percorso.settings.sections import Key, Section
from percorso.settings.values import (
    BuildSettings,
    ImportSettings,
    PlaceSettings,
    Rate,
    WorkspaceSettings,
)

__all__ = ["ALIASES", "BUILD", "IMPORT", "PLACES", "RATES", "WORKSPACE"]

WORKSPACE = Section(
    "workspace",
    "table",
    "What holds for the whole workspace.",
    "Ciò che vale per tutto lo spazio di lavoro.",
    WorkspaceSettings,
    (
        Key(
            "name",
            kinds.NAME,
            "The brand's name, for titles of maps and reports; without one, that of the folder.",
            "Il nome del marchio, per i titoli di mappe e report; senza, quello della cartella.",
        ),
        Key(
            "currency",
            kinds.CURRENCY,
            "The currency in which values are shown and added up.",
            "La valuta in cui i valori sono mostrati e sommati.",
        ),
        Key(
            "tax",
            kinds.TAX,
            "Whether amounts hold tax, in all sources alike; answers say so, and nothing is converted.",
            "Se gli importi comprendono l'IVA, allo stesso modo in tutte le origini; è detto con i valori, e nulla è "
            "convertito.",
        ),
        Key(
            "timezone",
            kinds.TIMEZONE,
            "Days, weeks and months are those of this time zone; also read for times without a zone.",
            "Giorni, settimane e mesi sono quelli di questo fuso orario; vale anche per gli orari senza fuso.",
        ),
        Key(
            "language",
            kinds.LANGUAGE,
            "The language of tables, maps, reports and stage names, and of the comments in this file.",
            "La lingua di tabelle, mappe, report e nomi delle fasi, e dei commenti di questo file.",
        ),
        Key(
            "country",
            kinds.COUNTRY,
            "Phone numbers written without a country code are read as numbers of this country.",
            "I numeri di telefono senza prefisso internazionale sono letti come numeri di questo Paese.",
        ),
    ),
)

RATES = Section(
    "rates",
    "list",
    "Exchange rates. An amount takes its day's rate, else the last one within 7 days before; else its value "
    "is missing and the result says so.",
    "Tassi di cambio. Un importo prende il tasso del suo giorno, altrimenti l'ultimo dei 7 giorni prima; "
    "altrimenti il valore manca e il risultato lo dice.",
    Rate,
    (
        Key("day", kinds.DAY, "The day of the rate.", "Il giorno del tasso.", required=True),
        Key("currency", kinds.CURRENCY, "The foreign currency.", "La valuta estera.", required=True),
        Key(
            "rate",
            kinds.RATE,
            "What one unit of it is worth in the workspace's currency.",
            "Quanto vale una sua unità nella valuta dello spazio di lavoro.",
            required=True,
        ),
    ),
    example='day = 2026-01-02\ncurrency = "USD"\nrate = 0.92',
)

PLACES = Section(
    "places",
    "table",
    "Where a contact happened, where the source itself does not say.",
    "Dove è avvenuto un contatto, quando l'origine non lo dice.",
    PlaceSettings,
    parts=(
        Section(
            "places.by_source",
            "map",
            "Source name = place.",
            "Nome dell'origine = luogo.",
            values=kinds.PLACE,
            example='"pos-milano" = "store"',
        ),
        Section(
            "places.by_event",
            "map",
            "Event name = place; goes before the source's.",
            "Nome dell'evento = luogo; viene prima di quello dell'origine.",
            values=kinds.PLACE,
            example='"Appointment Held" = "store"',
        ),
    ),
)

IMPORT = Section(
    "import",
    "table",
    "How files are imported.",
    "Come si importano i file.",
    ImportSettings,
    (
        Key(
            "future_limit",
            kinds.DURATION,
            "A row dated further ahead of its import than this is rejected, unless it says when it arrived.",
            "Una riga datata oltre questo tempo dopo la sua importazione è respinta, salvo che dica quando è arrivata.",
            "future_limit_us",
        ),
    ),
    field="imports",
)

BUILD = Section(
    "build",
    "table",
    "How the journey log is built.",
    "Come si costruisce il registro dei percorsi.",
    BuildSettings,
    (
        Key(
            "memory_limit",
            kinds.MEMORY,
            "Memory for joins and sorts; what does not fit goes through the disk.",
            "Memoria per unioni e ordinamenti; ciò che non ci sta passa dal disco.",
            "memory_limit_bytes",
        ),
        Key(
            "bucket_bits",
            kinds.BUCKET_BITS,
            "The log has 2 to the power of this many buckets of persons; where the number changes, all is built anew.",
            "Il registro ha 2 elevato a questo numero di gruppi di persone; se cambia, si ricostruisce tutto.",
        ),
        Key(
            "heavy_person_events",
            kinds.whole_number(100, 1_000_000_000),
            "Persons with more events are flagged heavy and, like bots, left out unless asked.",
            "Le persone con più eventi sono segnate e, come i bot, escluse se non richiesto.",
        ),
        Key(
            "coded_properties",
            kinds.TEXTS,
            "Event properties that get a fast column of their own; any other is read on first use.",
            "Proprietà degli eventi con una colonna veloce propria; le altre sono lette al primo uso.",
        ),
    ),
)

ALIASES = Section(
    "aliases",
    "map",
    "Event names: what a sender says = the name of the e-commerce spec. Goes before the shipped aliases.",
    "Nomi degli eventi: come lo chiama chi invia = il nome della specifica e-commerce. Viene prima di quelli forniti.",
    example='"acquisto" = "Order Completed"',
)
