"""The Spark session of this process: made when a question first needs it, kept, and stopped at the end.

A session is had through the DataFrame interface alone, which Spark Connect has, too. What Java and Spark write while
they start and work goes into a file of a temporary folder: nobody who asks for a funnel wants to read it.
PERCORSO_DEBUG lets it through.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from percorso.engines.faults import is_gone
from percorso.engines.java import check_java
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import (
    ENVIRONMENT,
    SparkChoice,
    check_archive,
    check_reachable,
    classic_settings,
    connect_settings,
)
from percorso.engines.stalled import WAIT_KEY
from percorso.engines.task_counts import STARTING, is_connect, tell_tasks
from percorso.engines.workers import check_workers, parallelism
from percorso.errors import EngineError, PercorsoError
from percorso.language.said import said
from percorso.settings.durations import duration_text
from percorso.store.journey_log import Bucket

__all__ = ["LEAST_PYSPARK", "SparkOnDemand", "spark_of", "spark_package", "stop_spark"]

P = TypeVar("P")

#: The first version whose classic sessions have all that is used here.
LEAST_PYSPARK = (4, 2)


@dataclass(frozen=True, slots=True)
class SparkOnDemand:
    """`SparkEngine` of a session that is made when the first question is worked out."""

    choice: SparkChoice

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        """As `percorso.store.journey_log.BucketEngine`."""
        return spark_of(self.choice).run(buckets, task)

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterator[P]:
        """As `percorso.engines.buckets.ExchangeEngine`."""
        return spark_of(self.choice).exchange(buckets, task, by, join)


@dataclass(frozen=True, slots=True)
class _Kept:
    choice: SparkChoice
    engine: SparkEngine
    is_ours: bool  # else somebody else in this process stops it
    folder: Path  # log and warehouse


_LOCK = threading.RLock()
_KEPT: list[_Kept] = []


def spark_of(choice: SparkChoice) -> SparkEngine:
    """The engine of a choice, whose session is made first where there is none: Spark has one at a time in a process.

    Raises
    ------
    EngineError
        Package or Java is missing or too old, the master is not reached, or its workers have other versions.
    """
    with _LOCK:
        if _KEPT and _KEPT[0].choice == choice and not _is_over(_KEPT[0].engine.session):
            return _grown(_KEPT[0].engine, choice)
        stop_spark()
        tell_tasks(STARTING)
        try:
            kept = _begun(choice)
        finally:
            tell_tasks(None)
        _KEPT.append(kept)
        try:
            kept.engine.session.conf.set(WAIT_KEY, str(choice.wait_us))
            parallel = check_workers(kept.engine.session)
        except BaseException:
            stop_spark()
            raise
        _KEPT[:] = [replace(kept, engine=SparkEngine(kept.engine.session, choice.tasks or parallel))]
        return _KEPT[0].engine


def _grown(engine: SparkEngine, choice: SparkChoice) -> SparkEngine:
    """The engine, with as many tasks as the machines that have come by now work on at once."""
    if choice.tasks or choice.kind == "local":
        return engine
    return replace(engine, tasks=parallelism(engine.session, engine.tasks))


def stop_spark() -> None:
    """Stop the session of this process, if it is ours; who asks next gets a new one."""
    with _LOCK:
        while _KEPT:
            kept = _KEPT.pop()
            if kept.is_ours:
                with contextlib.suppress(Exception):  # nobody is there to be told
                    _forget_kept(kept)
                with contextlib.suppress(Exception):
                    kept.engine.session.stop()
                if kept.choice.kind == "connect":
                    # Left behind by PySpark: no classic session could be made any more.
                    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
                else:
                    _forget_dead_java()
            shutil.rmtree(kept.folder, ignore_errors=True)


def _forget_dead_java() -> None:
    """PySpark would ask a Java process for ever that has died."""
    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    if context is None or context._jvm is None:
        return
    try:
        context._jvm.System.nanoTime()
    except Exception:
        session = importlib.import_module("pyspark.sql").SparkSession
        with contextlib.suppress(Exception):
            context._gateway.shutdown()
        context._gateway = context._jvm = context._active_spark_context = None
        session._instantiatedSession = session._activeSession = None


def _forget_kept(kept: _Kept) -> None:
    """Delete what builds kept on shared storage: it names persons, and Spark leaves what nobody has dropped yet."""
    if kept.choice.kind == "connect":  # its server's
        return
    session = kept.engine.session
    folder = session.sparkContext.getCheckpointDir()
    if folder:
        path = session._jvm.org.apache.hadoop.fs.Path(folder)
        path.getFileSystem(session._jsc.hadoopConfiguration()).delete(path, True)


atexit.register(stop_spark)


def _is_over(session: Any) -> bool:
    """Has somebody else stopped it, or its other side died? A classic session does not say, but loses its Java side."""
    context = getattr(session, "_sc", None)
    if context is None:
        return bool(getattr(session, "is_stopped", False)) or is_gone(session)
    try:
        return context._jsc is None or bool(context._jsc.sc().isStopped())
    except Exception:
        return True


def _begun(choice: SparkChoice) -> _Kept:
    sql = spark_package(choice.kind)
    folder = Path(tempfile.mkdtemp(prefix="percorso-spark-"))
    try:
        found = _there_already(sql, choice)
        session = found or _started(sql, choice, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _Kept(choice, SparkEngine(session, 1), found is None, folder)


def _there_already(sql: Any, choice: SparkChoice) -> Any:
    """A session that somebody made in this process, such as a notebook's: used if it is what is asked for."""
    active = _active(sql)
    if active is None or (choice.kind == "connect" and is_connect(active)):
        return None  # Connect has any number of sessions
    if not is_connect(active) and active.conf.get("spark.master", "") == choice.master:
        return active
    raise EngineError(said("errors.engine_other_session"), hint=said("errors.engine_other_session_hint"))


def _active(sql: Any) -> Any:
    """The session of this thread, else of another one in this process; None where there is none."""
    try:
        return sql.SparkSession.active()
    except Exception:  # which is how it says so
        return None


def _started(sql: Any, choice: SparkChoice, folder: Path) -> Any:
    """A new session.

    Raises
    ------
    EngineError
        It did not start.
    """
    if choice.kind != "connect":
        check_java()
    check_reachable(choice)
    check_archive(choice)
    start = _connect_session if choice.kind == "connect" else _classic_session
    try:
        with _quiet(folder / "spark.log"), _own_interrupts():
            return _in_time(choice, lambda: start(sql, choice, folder))
    except (PercorsoError, KeyboardInterrupt):
        raise
    except ImportError as error:
        raise _no_package(error) from error
    except Exception as error:
        hint = said("errors.engine_debug")
        raise EngineError(said("errors.engine_not_started", master=choice.shown), hint=hint) from error


def _classic_session(sql: Any, choice: SparkChoice, folder: Path) -> Any:
    builder = sql.SparkSession.builder.master(choice.master).appName("percorso")
    told = classic_settings(choice, folder)
    for name, value in told.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    for name in told:  # Java, which stays, would hand them to every later session
        session._jvm.java.lang.System.clearProperty(name)
    return session


def _connect_session(sql: Any, choice: SparkChoice, folder: Path) -> Any:
    session = sql.SparkSession.builder.remote(choice.master).create()
    if choice.archive:
        session.addArtifacts(f"{choice.archive}#{ENVIRONMENT}", archive=True)
    for name, value in connect_settings(choice).items():
        try:
            session.conf.set(name, value)
        except Exception as error:
            message = said("errors.engine_setting", key=name)
            raise EngineError(message, hint=said("errors.engine_setting_hint")) from error
    return session


def _in_time(choice: SparkChoice, start: Callable[[], P]) -> P:
    """``start()``, given up after a while: YARN's client tries for a quarter of an hour to find its master."""
    if choice.kind == "local":
        return start()
    future: Future[P] = Future()

    def run() -> None:
        try:
            future.set_result(start())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="percorso-spark", daemon=True).start()  # nobody waits for it at the end
    try:
        return future.result(choice.wait_us / 1e6)
    except TimeoutError as error:
        message = said("errors.engine_slow", master=choice.shown, wait=duration_text(choice.wait_us))
        raise EngineError(message, hint=said("errors.engine_unreachable_hint")) from error


@contextlib.contextmanager
def _own_interrupts() -> Iterator[None]:
    """Ctrl-C stays Python's: `percorso.engines.faults.watched` cancels what runs, and Spark's own handler, which is
    left behind, fails when its session is over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What starts meanwhile writes its errors into a file, for as long as it lives."""
    if os.environ.get("PERCORSO_DEBUG"):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, 2)
        os.close(file)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def spark_package(kind: str) -> Any:
    """The module ``pyspark.sql``.

    Raises
    ------
    EngineError
        It is missing or too old.
    """
    try:
        package = importlib.import_module("pyspark")
        version = str(package.__version__)
        if tuple(int(part) for part in version.split(".")[:2]) < LEAST_PYSPARK:
            message = said("errors.engine_package_old", version=version, least=".".join(map(str, LEAST_PYSPARK)))
            raise EngineError(message, hint=said("errors.engine_package_hint"))
        for name in ("pandas", *(("grpc", "grpc_status") if kind == "connect" else ())):
            importlib.import_module(name)
        sql = importlib.import_module("pyspark.sql")
    except ImportError as error:
        raise _no_package(error) from error
    # It looks for a pandas that it knows in full, and no data frame of pandas is used here.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    return sql


def _no_package(error: ImportError) -> EngineError:
    message = said("errors.engine_no_package", package=error.name or "pyspark")
    return EngineError(message, hint=said("errors.engine_package_hint"))
