"""What customers write: reviews, answers to surveys, questions. Mostly Italian, some English."""

from __future__ import annotations

import random

__all__ = ["ENGLISH", "HEARD_OF_US", "QUESTIONS", "answer_text", "comment_text", "review_text"]

#: Share of customers who write English.
ENGLISH = 0.08

_REVIEWS = {
    "early": (
        "Arrivata con quattro giorni di anticipo e con un biglietto scritto a mano. Negozio di un'altra epoca!",
        "Consegna velocissima, imballo perfetto e un pensiero gentile nella scatola. Ci tornerò.",
        "Doveva arrivare in una settimana, è arrivata in tre giorni. Il biglietto del liutaio mi ha fatto sorridere.",
        "Promettono sette giorni e ne bastano tre. Suono da vent'anni, mai visto un servizio così.",
    ),
    "good": (
        "Tutto come descritto, suona benissimo.",
        "Ottimo rapporto qualità prezzo, consigliato a chi inizia.",
        "Personale gentile e preparato, spedizione nei tempi.",
        "Mio figlio è contentissimo, l'insegnante ha detto che è un buono strumento.",
        "Corde ottime, le compro sempre qui.",
        "Bella chitarra, action giusta già da scatola. Custodia un po' leggera.",
    ),
    "fair": (
        "Lo strumento va bene, la confezione era un po' rovinata.",
        "Prezzo buono ma il sito dal telefono è lento.",
        "Nella media. Le spese di spedizione si vedono solo alla fine.",
    ),
    "late": (
        "Consegna in ritardo di quasi una settimana, regalo di Natale arrivato dopo Natale.",
        "Il corriere non si è fatto vivo e l'assistenza risponde con messaggi automatici.",
        "Promesso per il giorno 12, arrivato il 19. Peccato, perché lo strumento è bello.",
    ),
    "bad": (
        "Meccaniche difettose, ho dovuto rimandarla indietro.",
        "Pagamento rifiutato due volte e nessuno sa dirmi perché. Deluso.",
        "Il ritiro in negozio era confermato, ma il prodotto non c'era.",
    ),
}  # fmt: skip

_ENGLISH = {
    "early": ("Arrived four days early with a handwritten note. Lovely shop!", "Three days instead of seven. Wow."),
    "good": ("Great guitar for the price, well packed.", "Nice people, quick answers, good strings."),
    "fair": ("Good instrument, but shipping costs show up very late.", "The website is slow on my phone."),
    "late": ("A week late and nobody could tell me where it was.", "Promised by the 12th, came on the 19th."),
    "bad": ("Faulty tuners, had to send it back.", "My card was refused twice, gave up."),
}

_ANSWERS = {
    "solved": ("Risolto subito, grazie.", "Molto gentili e competenti.", "Risposta chiara in cinque minuti.", ""),
    "slow": ("Ho dovuto scrivere tre volte.", "Solo risposte automatiche.", "Attesa troppo lunga al telefono."),
    "store": ("Il ragazzo in negozio mi ha fatto provare tutto.", "Bel negozio, coda alla cassa.", "", ""),
}

_COMMENTS = (
    "Bellissima! Quanto costa?", "La voglio per Natale", "Ce l'ho da un anno, suona da dio",
    "Spedite anche in Sardegna?", "Quando tornate con i liutai a Bologna?", "Il sito da telefono è lentissimo",
    "Great tone!",
)  # fmt: skip

HEARD_OF_US = (
    "Instagram", "Google", "un amico", "un'amica", "il mio insegnante", "YouTube", "passavo davanti al negozio",
    "Facebook", "un forum di chitarristi", "un confronto prezzi", "a friend",
)  # fmt: skip

#: Reason of a contact -> what is asked.
QUESTIONS = {
    "consegna": ("Dov'è il mio ordine?", "Il tracking è fermo da tre giorni.", "Quando arriva il pacco?"),
    "pagamento": ("La carta viene rifiutata.", "Il pagamento non va a buon fine dal telefono."),
    "disponibilità": ("È disponibile in negozio?", "Avete il flauto dolce a Padova?", "Quando torna disponibile?"),
    "consiglio": ("Quale chitarra per iniziare?", "Va bene per la scuola media?", "Meglio classica o acustica?"),
    "reso": ("Come faccio il reso?", "Vorrei cambiare il modello."),
    "ritiro": ("Il ritiro era confermato ma non c'è.", "L'ordine è pronto?"),
}


def _pick(rng: random.Random, texts: tuple[str, ...]) -> str:
    return texts[int(rng.random() * len(texts))]


def review_text(rng: random.Random, mood: str, *, english: bool) -> str:
    """A review; moods: early, good, fair, late, bad."""
    return _pick(rng, (_ENGLISH if english else _REVIEWS)[mood])


def answer_text(rng: random.Random, mood: str) -> str:
    """What goes with a score; moods: solved, slow, store. Many write nothing."""
    return _pick(rng, _ANSWERS[mood])


def comment_text(rng: random.Random) -> str:
    """A comment under a post."""
    return _pick(rng, _COMMENTS)
