"""The sections of `percorso.toml` on what people did: sessions, stages, channels, journeys, paths."""

from __future__ import annotations

from percorso.settings import kinds
from percorso.settings.sections import Key, Section
from percorso.settings.stages import Stage
from percorso.settings.values import (
    ChannelRule,
    ChannelSettings,
    Goal,
    JourneySettings,
    PathRule,
    PathSettings,
    SessionSettings,
)

__all__ = ["CHANNELS", "JOURNEYS", "PATHS", "SESSIONS", "STAGES"]

SESSIONS = Section(
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

STAGES = Section(
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

CHANNELS = Section(
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

JOURNEYS = Section(
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

PATHS = Section(
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
