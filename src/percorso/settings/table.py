"""Every setting, once: where it stands in `percorso.toml`, its kind, its default, what it does.

:mod:`percorso.settings.file` validates with this table and writes the commented file from it;
``docs/reference/settings.md`` is its third reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from percorso.settings import kinds
from percorso.settings.kinds import Kind
from percorso.settings.stages import Stage
from percorso.settings.values import (
    BotSettings,
    BuildSettings,
    ChannelRule,
    ChannelSettings,
    Goal,
    IdentitySettings,
    ImportSettings,
    JourneySettings,
    PathRule,
    PathSettings,
    PlaceSettings,
    Rate,
    SessionSettings,
    Settings,
    WorkspaceSettings,
)

__all__ = ["SECTIONS", "Key", "Section"]


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    name: str  # in the file
    kind: Kind
    en: str
    it: str
    field: str = ""  # of the dataclass, where it differs from the name (units)
    required: bool = False  # in entries of a list

    @property
    def target(self) -> str:
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file, a list of tables, or a table whose keys the workspace chooses (`map`)."""

    name: str  # dotted, as in the file
    form: Literal["table", "list", "map"]
    en: str
    it: str
    make: Callable[..., Any] | None = None  # the dataclass of a table, or of a list's entries
    keys: tuple[Key, ...] = ()
    parts: tuple[Section, ...] = ()
    values: Kind = kinds.TEXT  # of a map
    field: str = ""  # where it differs from the last part of the name
    example: str = ""  # TOML shown commented out where the section is empty by default

    @property
    def last(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def target(self) -> str:
        return self.field or self.last


_WORKSPACE = Section(
    "workspace",
    "table",
    "What holds for the whole workspace.",
    "Ciò che vale per tutto lo spazio di lavoro.",
    WorkspaceSettings,
    (
        Key(
            "currency",
            kinds.CURRENCY,
            "The currency in which values are shown and added up.",
            "La valuta in cui i valori sono mostrati e sommati.",
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
            "The language of stage names and of the comments in this file.",
            "La lingua dei nomi delle fasi e dei commenti di questo file.",
        ),
        Key(
            "country",
            kinds.COUNTRY,
            "Phone numbers written without a country code are read as numbers of this country.",
            "I numeri di telefono senza prefisso internazionale sono letti come numeri di questo Paese.",
        ),
    ),
)

_RATES = Section(
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

_SESSIONS = Section(
    "sessions",
    "table",
    "How events of site and app are cut into sessions.",
    "Come gli eventi di sito e app sono divisi in sessioni.",
    SessionSettings,
    (
        Key(
            "timeout",
            kinds.DURATION,
            "A longer silence of the person ends the session.",
            "Un silenzio più lungo della persona chiude la sessione.",
            "timeout_us",
        ),
        Key(
            "id_timeout",
            kinds.DURATION,
            "A session id given by the sender holds, unless the silence is longer than this.",
            "L'id di sessione dato da chi invia vale, salvo un silenzio più lungo di questo.",
            "id_timeout_us",
        ),
        Key(
            "engaged",
            kinds.DURATION,
            "A session with a second action, or as long as this, is engaged.",
            "Una sessione con una seconda azione, o lunga almeno così, è coinvolta.",
            "engaged_us",
        ),
    ),
)

_STAGES = Section(
    "stages",
    "table",
    "The stages of a journey, and which signals reach them.",
    "Le fasi di un percorso, e quali segnali le raggiungono.",
    None,
    (
        Key(
            "model",
            kinds.MODEL,
            'The stage model. With "custom" the stages are those of [[stages.custom]] below, in their order.',
            'Il modello di fasi. Con "custom" le fasi sono quelle di [[stages.custom]] sotto, nel loro ordine.',
        ),
    ),
    (
        Section(
            "stages.custom",
            "list",
            'Own stages, in order; together they hold each signal once. "order" is Order Completed itself, for '
            'models that tell it from "convert".',
            'Fasi proprie, in ordine; insieme contengono ogni segnale una volta. "order" è l\'ordine stesso, per '
            'i modelli che lo distinguono da "convert".',
            Stage,
            (
                Key(
                    "key",
                    kinds.TEXT,
                    "Name in results and commands.",
                    "Nome nei risultati e nei comandi.",
                    required=True,
                ),
                Key("en", kinds.TEXT, "English name.", "Nome inglese.", required=True),
                Key("it", kinds.TEXT, "Italian name.", "Nome italiano.", required=True),
                Key(
                    "signals",
                    kinds.SIGNAL_LIST,
                    "The signals that reach this stage.",
                    "I segnali che raggiungono questa fase.",
                    required=True,
                ),
            ),
            example='key = "discovery"\nen = "Discovery"\nit = "Scoperta"\nsignals = ["aware", "consider"]',
        ),
    ),
)

_CHANNELS = Section(
    "channels",
    "table",
    "What brought a contact. Own rules are tried before the shipped ones, from the first on.",
    "Che cosa ha portato un contatto. Le regole proprie sono provate prima di quelle fornite, dalla prima in poi.",
    ChannelSettings,
    (
        Key(
            "own_hosts",
            kinds.TEXTS,
            "Hosts of the brand, with their subdomains: a referrer on these is no origin.",
            "Host del marchio, con i sottodomini: un referrer su questi non è un'origine.",
        ),
        Key(
            "excluded_hosts",
            kinds.TEXTS,
            "Hosts of payment and sign-in pages, beside the shipped list: coming back from them is no origin.",
            "Host di pagine di pagamento e accesso, oltre all'elenco fornito: tornare da lì non è un'origine.",
        ),
    ),
    (
        Section(
            "channels.rules",
            "list",
            "A rule fires where all its patterns match the whole value, in any case of letters.",
            "Una regola vale dove tutti i suoi modelli corrispondono all'intero valore, maiuscole o minuscole.",
            ChannelRule,
            (
                Key("channel", kinds.TEXT, "The channel's name.", "Il nome del canale.", required=True),
                Key("source", kinds.PATTERN, "utm_source.", "utm_source."),
                Key("medium", kinds.PATTERN, "utm_medium.", "utm_medium."),
                Key("campaign", kinds.PATTERN, "utm_campaign.", "utm_campaign."),
                Key("referrer_host", kinds.PATTERN, "Host of the referrer.", "Host del referrer."),
                Key(
                    "source_kind",
                    kinds.PATTERN,
                    "Kind of the source (web, pos, ...).",
                    "Tipo di origine (web, pos, ...).",
                ),
            ),
            example="channel = \"Influencers\"\nsource = 'instagram|tiktok'\nmedium = 'creator.*'",
        ),
    ),
)

_PLACES = Section(
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

_IDENTITY = Section(
    "identity",
    "table",
    "Who is one person.",
    "Chi è una persona sola.",
    IdentitySettings,
    (
        Key(
            "blocked_values",
            kinds.TEXTS,
            "Identifier values that point at nobody, beside the shipped ones (null, guest, test@test.com, ...).",
            "Valori che non indicano nessuno, oltre a quelli forniti (null, guest, test@test.com, ...).",
        ),
        Key(
            "own_types",
            kinds.OWN_TYPES,
            "Own types of identifier, strong, of lower priority than the shipped ones, from the first on.",
            "Tipi propri di identificativo, forti, con priorità sotto quelli forniti, dal primo in poi.",
        ),
        Key(
            "backfill",
            kinds.DURATION,
            "Events before a first login belong to it if it comes within this time.",
            "Gli eventi prima del primo accesso gli appartengono se arriva entro questo tempo.",
            "backfill_us",
        ),
    ),
)

_JOURNEYS = Section(
    "journeys",
    "table",
    "When a journey begins and ends.",
    "Quando un percorso inizia e finisce.",
    JourneySettings,
    (
        Key(
            "timeout",
            kinds.DURATION,
            "A purchase journey without shopping intent for longer than this is abandoned.",
            "Un percorso d'acquisto senza interesse per più di questo tempo è abbandonato.",
            "timeout_us",
        ),
        Key(
            "outbound_lead",
            kinds.DURATION,
            "A message sent belongs to the journey that opens within this time after it.",
            "Un messaggio inviato appartiene al percorso che si apre entro questo tempo.",
            "outbound_lead_us",
        ),
        Key(
            "after_order",
            kinds.DURATION,
            "Signals of the order's session, cart or checkout within this time after it still belong to it.",
            "I segnali di sessione, carrello o cassa dell'ordine entro questo tempo gli appartengono ancora.",
            "after_order_us",
        ),
        Key(
            "order_open",
            kinds.DURATION,
            "An order journey stays open this long after delivery, or after its last care signal.",
            "Il percorso dell'ordine resta aperto così a lungo dopo la consegna o l'ultimo segnale di assistenza.",
            "order_open_us",
        ),
    ),
    (
        Section(
            "journeys.timeout_by_category",
            "map",
            "Product category = time-out of journeys about it (a pizza and a kitchen differ).",
            "Categoria di prodotto = durata dei percorsi che la riguardano (una pizza e una cucina sono diverse).",
            values=kinds.DURATION,
            field="timeout_by_category_us",
            example='"Kitchens" = "120d"',
        ),
        Section(
            "journeys.goals",
            "list",
            "Goals: the events that end a purchase journey well.",
            "Conversioni: gli eventi che chiudono bene un percorso d'acquisto.",
            Goal,
            (Key("event", kinds.TEXT, "Event name.", "Nome dell'evento.", required=True),),
        ),
    ),
)

_PATHS = Section(
    "paths",
    "table",
    "Path cleaning: which touchpoint a page or an event is.",
    "Pulizia dei percorsi: quale punto di contatto è una pagina o un evento.",
    PathSettings,
    parts=(
        Section(
            "paths.rules",
            "list",
            "Pages whose URL path matches the pattern are the touchpoint; the first rule that matches counts.",
            "Le pagine il cui percorso URL corrisponde al modello sono il punto di contatto; vale la prima regola.",
            PathRule,
            (
                Key(
                    "pattern",
                    kinds.PATTERN,
                    "Matches the URL's path.",
                    "Corrisponde al percorso dell'URL.",
                    required=True,
                ),
                Key(
                    "touchpoint", kinds.TEXT, "The touchpoint's name.", "Il nome del punto di contatto.", required=True
                ),
            ),
            example="pattern = '^/products?/'\ntouchpoint = \"product page\"",
        ),
        Section(
            "paths.events",
            "map",
            "Event name = touchpoint.",
            "Nome dell'evento = punto di contatto.",
            example='"Product Viewed" = "product page"',
        ),
    ),
)

_BOTS = Section(
    "bots",
    "table",
    "Bots are flagged, never deleted; analyses leave them out unless asked.",
    "I bot sono segnati, mai cancellati; le analisi li escludono se non richiesto.",
    BotSettings,
    (
        Key(
            "user_agents",
            kinds.PATTERNS,
            "User agents that match one of these are bots too.",
            "Sono bot anche gli user agent che corrispondono a uno di questi.",
        ),
        Key(
            "allowed",
            kinds.PATTERNS,
            "User agents that match one of these are never bots.",
            "Gli user agent che corrispondono a uno di questi non sono mai bot.",
        ),
    ),
)

_IMPORT = Section(
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

_BUILD = Section(
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
            kinds.whole_number(0, 12),
            "The log has 2 to the power of this many buckets of persons; a change needs `percorso build --full`.",
            "Il registro ha 2 elevato a questo numero di gruppi; cambiarlo richiede `percorso build --full`.",
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

_ALIASES = Section(
    "aliases",
    "map",
    "Event names: what a sender says = the name of the e-commerce spec. Goes before the shipped aliases.",
    "Nomi degli eventi: come lo chiama chi invia = il nome della specifica e-commerce. Viene prima di quelli forniti.",
    example='"acquisto" = "Order Completed"',
)

#: The file, from top to bottom.
SECTIONS: tuple[Section, ...] = (
    _WORKSPACE,
    _RATES,
    _SESSIONS,
    _STAGES,
    _CHANNELS,
    _PLACES,
    _IDENTITY,
    _JOURNEYS,
    _PATHS,
    _BOTS,
    _IMPORT,
    _BUILD,
    _ALIASES,
)

#: The whole file is a table without a name.
ROOT = Section("", "table", "", "", Settings, parts=SECTIONS)
