"""Which Spark is asked, and what a session of it is told: loopback for what runs here, no folder where one works."""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from percorso.errors import EngineError
from percorso.language.said import said

__all__ = [
    "ENVIRONMENT",
    "SparkChoice",
    "check_archive",
    "check_reachable",
    "classic_settings",
    "connect_settings",
]

#: Where Spark unpacks the workers' environment: the part after # of its archive.
ENVIRONMENT = "environment"

_CONNECTS_WITHIN_S = 5.0
_PORTS = {"sc": 15_002, "k8s": 443, "spark": 7_077}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PYTHON = "spark.sql.execution.pyspark.python"


@dataclass(frozen=True, slots=True)
class SparkChoice:
    """Which Spark, and how it is to be asked.

    Parameters
    ----------
    master : str
        As `percorso.settings.engine_sections.MASTER` allows.
    tasks : int
        Parts that work is dealt into; 0: as many as Spark can run at once.
    archive : str
        Environment for workers: an absolute path or an address that Spark can read; "" is none.
    wait_us : int
        For Spark to start, and then for its first worker.
    settings : tuple of (str, str)
        Of Spark; they go before ours.
    """

    master: str = "local[*]"
    tasks: int = 0
    archive: str = ""
    wait_us: int = 120_000_000
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> str:
        """The master without what may be a token."""
        return self.master.partition(";")[0]

    @property
    def kind(self) -> Literal["local", "cluster", "connect"]:
        """Is the work done in this process' own Java, by a cluster's workers, or behind a server of Spark Connect?"""
        if self.master.startswith("sc://"):
            return "connect"
        return "local" if self.master.startswith("local") else "cluster"

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Where the master listens; several of a standalone cluster with spare masters."""
        scheme, _, rest = self.master.partition("://")
        if not rest:
            return ()
        bare = re.sub(r"^https?://", "", rest).partition("/")[0]
        found = []
        for one in bare.split(","):
            parts = re.fullmatch(r"\[?(.+?)\]?(?::([0-9]+))?", one)
            assert parts is not None  # by the form of a master
            found.append((parts[1], int(parts[2] or _PORTS[scheme])))
        return tuple(found)


def check_reachable(choice: SparkChoice) -> None:
    """Knock at the master's door: Spark itself would knock for minutes.

    Raises
    ------
    EngineError
        Nobody opens, or it is not said where YARN is.
    """
    if choice.master == "yarn" and not (os.environ.get("HADOOP_CONF_DIR") or os.environ.get("YARN_CONF_DIR")):
        raise EngineError(said("errors.engine_no_yarn"), hint=said("errors.engine_no_yarn_hint"))
    failed: OSError | None = None
    for host in choice.hosts:
        try:
            with socket.create_connection(host, timeout=_CONNECTS_WITHIN_S):
                return
        except OSError as error:
            failed = error
    if failed is not None:
        message = said("errors.engine_unreachable", master=choice.shown)
        raise EngineError(message, hint=said("errors.engine_unreachable_hint")) from failed


def check_archive(choice: SparkChoice) -> None:
    """Is the environment for workers there? Of one behind an address only Spark knows.

    Raises
    ------
    EngineError
        There is no such file.
    """
    if choice.kind != "local" and choice.archive and "://" not in choice.archive and not Path(choice.archive).is_file():
        message = said("errors.engine_no_archive", file=choice.archive)
        raise EngineError(message, hint=said("errors.engine_no_archive_hint"))


def classic_settings(choice: SparkChoice, folder: Path) -> dict[str, str]:
    """What a session of this process is told.

    Parameters
    ----------
    choice : SparkChoice
    folder : Path
        For what Spark would else put where it is started.
    """
    told = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        # What a build keeps in between holds identifiers: gone with it, also from a shared folder.
        "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
        # What is moved and kept are pieces, which are compressed where they are made.
        "spark.shuffle.compress": "false",
        "spark.rdd.compress": "false",
    }
    if all(host in _LOOPBACK for host, _ in choice.hosts) and choice.master != "yarn":
        # Nothing of this machine's listens to others.
        told |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if choice.kind == "local":
        told[_PYTHON] = sys.executable
    elif choice.archive:
        told |= {"spark.archives": f"{choice.archive}#{ENVIRONMENT}", _PYTHON: f"./{ENVIRONMENT}/bin/python"}
    return told | _own(choice)


def connect_settings(choice: SparkChoice) -> dict[str, str]:
    """What a session behind Spark Connect is told; the rest is the server's."""
    told = {_PYTHON: f"./{ENVIRONMENT}/bin/python"} if choice.archive else {}
    return told | _own(choice)


def _own(choice: SparkChoice) -> dict[str, str]:
    """The workspace's settings of Spark. The workers' Python has a name of its own in SQL, which alone is used here."""
    own = dict(choice.settings)
    if "spark.pyspark.python" in own:
        own.setdefault(_PYTHON, own.pop("spark.pyspark.python"))
    return own
