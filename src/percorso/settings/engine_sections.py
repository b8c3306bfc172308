"""The section of `percorso.toml` on the engine: where questions are worked out and journey logs built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from percorso.errors import nearest_hint
from percorso.settings import kinds
from percorso.settings.kinds import Kind, WrongValueError
from percorso.settings.sections import Key, Problem, Section
from percorso.settings.values import EngineSettings

__all__ = ["ENGINE", "ENGINES", "ENGINE_NAME", "MASTER", "MASTER_FORMS", "SECRET_KEY"]

ENGINES = ("local", "spark")

MASTER_FORMS = "local, local[2], local[*], spark://HOST:7077, yarn, k8s://https://HOST:6443, sc://HOST:15002"

_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_MASTER = re.compile(
    r"local(?:\[(?:\*|[1-9][0-9]{0,3})\])?"
    rf"|spark://{_HOST}:[0-9]{{1,5}}(?:,{_HOST}:[0-9]{{1,5}})*"
    r"|yarn"
    rf"|k8s://(?:https?://)?{_HOST}(?::[0-9]{{1,5}})?(?:/[^\s;@]*)?"
    rf"|sc://{_HOST}(?::[0-9]{{1,5}})?(?:/(?:;[^\s]*)?)?"
)

#: Keys of Spark whose values nobody may read in a file.
SECRET_KEY = re.compile(
    r"secret|passw(?:or)?d|token|(?:access|account|api|private|sas|shared)[._-]?key|(?:^|[._-])sas(?:[._-]|$)",
    re.IGNORECASE,
)

_BY_ENVIRONMENT = "Credentials come from the environment, never from a file"


def _engine(value: object) -> str:
    if not isinstance(value, str) or value not in ENGINES:
        said = f"'{value}'" if isinstance(value, str) else "this"
        raise WrongValueError(f"{said} is no engine.", nearest_hint(str(value), ENGINES))
    return value


def _master(value: object) -> str:
    """A master that Spark knows; one that may hold a token or a password is not repeated in messages."""
    if not isinstance(value, str) or not _MASTER.fullmatch(value):
        said = f"'{value[:60]}'" if isinstance(value, str) and not re.search("[;@=]", value) else "this"
        raise WrongValueError(f"{said} is no master of Spark.", f"Allowed: {MASTER_FORMS}.")
    return value


def _master_of_file(value: object) -> str:
    master = _master(value)
    if SECRET_KEY.search(master.partition(";")[2]):
        raise WrongValueError("the address holds a credential.", f"{_BY_ENVIRONMENT}: set PERCORSO_MASTER.")
    return master


def _spark_value(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError(
            "this is not a text.", 'Write key and value in quotes, such as "spark.executor.memory" = "4g".'
        )
    return value


def _check_spark(values: Mapping[str, Any]) -> Problem | None:
    """What is handed to Spark are settings of Spark, and no secrets."""
    for name, value in values.get("spark", {}).items():
        told = re.findall(r"-D([^\s=]+)=", value) if name.endswith("JavaOptions") else ()
        if any(SECRET_KEY.search(one) for one in (name, *told)):
            hint = f"{_BY_ENVIRONMENT}: set it where Percorso and Spark run."
            return Problem(("spark", name), "is a credential.", hint)
        if not name.startswith("spark."):
            return Problem(("spark", name), "is no setting of Spark.", "They begin with 'spark.'.")
    return None


ENGINE_NAME = Kind(_engine, '"local" or "spark"', '"local" o "spark"')

#: A master by its form; from the command line and the environment, which may hold a token.
MASTER = Kind(_master, MASTER_FORMS, MASTER_FORMS)

ENGINE = Section(
    "engine",
    "table",
    "Where questions are worked out: in this process, or by Apache Spark. The answers are the same.",
    "Dove si calcolano le risposte: in questo processo, o con Apache Spark. Le risposte sono le stesse.",
    EngineSettings,
    (
        Key(
            "name",
            ENGINE_NAME,
            "The engine; `percorso --engine` and PERCORSO_ENGINE go before it.",
            "Il motore; `percorso --engine` e PERCORSO_ENGINE vengono prima.",
        ),
        Key(
            "master",
            Kind(_master_of_file, MASTER_FORMS, MASTER_FORMS),
            "Where Spark is, for the engine spark; `percorso --master` and PERCORSO_MASTER go before it.",
            "Dove si trova Spark, per il motore spark; `percorso --master` e PERCORSO_MASTER vengono prima.",
        ),
        Key(
            "tasks",
            kinds.whole_number(0, 100_000),
            "Into how many tasks Spark's work is dealt; 0: as many as Spark can run at once.",
            "In quante parti si divide il lavoro di Spark; 0: quante Spark ne può svolgere insieme.",
        ),
        Key(
            "archive",
            kinds.NAME,
            "Python environment for Spark's workers, as `percorso spark pack` makes it, seen from this folder; without "
            "one they use the Python they have.",
            "Ambiente Python per i worker di Spark, creato da `percorso spark pack`, visto da questa cartella; senza, "
            "usano il Python che hanno.",
        ),
        Key(
            "wait",
            kinds.DURATION,
            "How long to wait until Spark has started and a worker has answered.",
            "Quanto aspettare che Spark sia avviato e che un worker abbia risposto.",
            "wait_us",
        ),
    ),
    (
        Section(
            "engine.spark",
            "map",
            "Settings of Spark, handed on as they are. Credentials come from the environment, never from this file.",
            "Impostazioni di Spark, passate così come sono. Le credenziali vengono dall'ambiente, mai da questo file.",
            values=Kind(_spark_value, "a text", "un testo"),
            example='"spark.executor.memory" = "4g"\n"spark.executor.cores" = "2"',
        ),
    ),
    check=_check_spark,
)
