"""The Java that Spark is started with: where it is, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from percorso.errors import EngineError
from percorso.language.said import said

__all__ = ["LEAST_JAVA", "check_java"]

#: Spark 4 runs on Java 17 and newer: https://spark.apache.org/docs/latest/
LEAST_JAVA = 17

_VERSION = re.compile(r'version "(?:1\.)?([0-9]+)')
_ANSWERS_WITHIN_S = 30.0


def check_java() -> None:
    """Find out before Spark does, whose script says it in a stack trace.

    Raises
    ------
    EngineError
        There is no Java, or an old one.
    """
    java = _java()
    try:
        found = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_ANSWERS_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing() from error
    version = _VERSION.search(found.stderr + found.stdout)
    if version is None:
        raise _missing()
    if int(version[1]) < LEAST_JAVA:
        message = said("errors.engine_java_old", version=version[1], least=str(LEAST_JAVA))
        raise EngineError(message, hint=said("errors.engine_java_hint"))


def _java() -> str:
    """The program that Spark's scripts take: that of JAVA_HOME, else the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        raise _missing()
    return java


def _missing() -> EngineError:
    home = os.environ.get("JAVA_HOME")
    message = said("errors.engine_java_home", folder=home) if home else said("errors.engine_no_java")
    return EngineError(message, hint=said("errors.engine_java_hint"))
