"""What goes wrong in tasks of Spark, as one error of ours: no stack trace of Java, and no value out of the data.

A task that fails puts into Spark's text what the driver needs to tell it: an error of ours as it was, of any other its
kind and what the machine said. Spark tries it again elsewhere, which mends what was wrong with a machine.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import pickle
import re
import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, NoReturn, TypeVar

import pyarrow as pa

from percorso.engines.spark_versions import differences, own_versions
from percorso.engines.stalled import outcome_of
from percorso.errors import EngineError, PercorsoError, SessionGone, WorkLost
from percorso.language.said import said

__all__ = ["check_versions", "collected", "is_gone", "task_error", "telling", "told_by", "watched"]

P = TypeVar("P")

Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_MARK = re.compile(r"percorso-task<([A-Za-z0-9+/=]+)>")

#: What the way to Java raises where nobody is at its end, by name: it is not imported for this.
_NO_ANSWER = ("Py4JError", "Py4JNetworkError")

#: Sessions whose other side does not answer any more.
_GONE: weakref.WeakSet[Any] = weakref.WeakSet()


def is_gone(session: Any) -> bool:
    """Did it turn out that nobody answers at the other end of this session?"""
    return session in _GONE


class TaskFailedError(Exception):
    """Carries what happened through Spark's text."""


def telling(work: Work) -> Work:
    """A function for ``mapInArrow`` whose failures `task_error` can tell, and which works by this very code alone."""
    here = own_versions()

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            check_versions(own_versions(), here)
            yield from work(batches)
        except Exception as error:
            # Without its cause, whose text may hold a personal value: Spark writes it into the worker's log.
            raise TaskFailedError(_marked(error)) from None

    return told


def _marked(error: Exception) -> str:
    ours = error if isinstance(error, PercorsoError) else None
    number = error.errno if isinstance(error, OSError) else None
    # The name of a missing package and what the machine says are no values of the data.
    reason = error.strerror if isinstance(error, OSError) else getattr(error, "name", "")
    body = pickle.dumps((type(error).__name__, number, str(reason or ""), ours))
    return f"percorso-task<{base64.b64encode(body).decode()}>"


def collected(session: Any, frame: Any) -> list[Any]:
    """The rows of a frame; errors and Ctrl-C as of `watched`."""
    rows: list[Any] = watched(session, frame.collect)
    return rows


def watched(session: Any, action: Callable[[], P]) -> P:
    """``action()``, which waits for Spark: its errors become ours, and Ctrl-C cancels what runs there.

    Another thread waits, since Ctrl-C in the middle of a word to Java leaves a connection that nobody can use.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    action : callable
        Such as ``frame.collect``.

    Raises
    ------
    PercorsoError
        What a task raised, or an EngineError.
    """
    tag = f"percorso-{uuid.uuid4().hex}"
    future: Future[P] = Future()

    def wait() -> None:
        with contextlib.suppress(Exception):
            session.addTag(tag)  # of what this thread begins
        try:
            future.set_result(action())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=wait, name="percorso-spark", daemon=True).start()
    try:
        return outcome_of(session, future)
    except Exception as error:
        if not future.done():  # given up
            _cancel(session, tag)
        raise_ours(session, error)
    except BaseException:
        _cancel(session, tag)
        raise


def raise_ours(session: Any, error: Exception) -> NoReturn:
    """Raise an error of Spark as one of ours, any other as it is; a session that is gone is remembered."""
    found = task_error(error)
    if isinstance(found, SessionGone):
        _GONE.add(session)
    if found is error:
        raise error
    raise found from error


@contextlib.contextmanager
def told_by(session: Any) -> Iterator[None]:
    """What goes wrong in the block, also while tasks are only planned, is one of our errors."""
    try:
        yield
    except PercorsoError:
        raise
    except Exception as error:
        raise_ours(session, error)


def _cancel(session: Any, tag: str) -> None:
    with contextlib.suppress(Exception):
        # A classic session knows a tag in the thread that gave it alone: then all that it does is given up.
        if not session.interruptTag(tag):
            session.interruptAll()


def task_error(error: Exception) -> Exception:
    """An error of Spark as one of ours; any other as it is."""
    mark = _MARK.search(str(error))
    if mark is not None:
        return _unmarked(mark[1])
    if isinstance(error, ConnectionError) or type(error).__name__ in _NO_ANSWER:
        return _gone()
    if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j", "grpc"):
        return error
    return _told(str(error))


def _unmarked(mark: str) -> PercorsoError:
    try:
        kind, number, reason, ours = pickle.loads(base64.b64decode(mark))  # written by our own tasks
    except (binascii.Error, pickle.UnpicklingError, EOFError):
        return _failed("")
    if isinstance(ours, PercorsoError):
        return ours
    if kind == "MemoryError":
        return _memory()
    if number == errno.ENOSPC:
        return _disk()
    if kind in ("ModuleNotFoundError", "ImportError"):
        return _skew_error(said("errors.engine_skew_package", package=reason or kind))
    if number is not None and reason:
        return EngineError(said("errors.engine_refused", reason=reason), hint=said("errors.engine_debug"))
    return _failed(kind)


_MISSING = re.compile(r"No module named '([A-Za-z0-9_]+)")
_PYTHONS = re.compile(r"Python in worker has different version: ([0-9.]+) than that in driver: ([0-9.]+)")
_KIND = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt))\b", re.MULTILINE)


def _told(text: str) -> PercorsoError:
    """By the words that Spark uses; the first that fits."""
    pythons = _PYTHONS.search(text)
    if pythons is not None:
        return _skew_error(said("errors.engine_skew_two", name="Python", here=pythons[2], there=pythons[1]))
    missing = _MISSING.search(text)
    if missing is not None:
        return _skew_error(said("errors.engine_skew_package", package=missing[1]))
    for words, error in _BY_WORDS:
        if any(word in text for word in words):
            return error()
    kinds = _KIND.findall(text)
    return _failed(kinds[-1].rpartition(".")[2] if kinds else "")


def check_versions(there: dict[str, str], here: dict[str, str] | None = None) -> None:
    """Refuse a worker that has other versions than this process, or than another one that is named.

    Raises
    ------
    EngineError
    """
    different = differences(here or own_versions(), there)
    if different:
        raise _skew_error(", ".join(different))


def _skew_error(told: str) -> EngineError:
    """The workers' environment is another than this one."""
    return EngineError(said("errors.engine_skew", differences=told), hint=said("errors.engine_skew_hint"))


def _failed(kind: str) -> EngineError:
    return EngineError(said("errors.engine_failed", kind=kind or "SparkException"), hint=said("errors.engine_debug"))


def _memory() -> EngineError:
    return EngineError(said("errors.engine_memory"), hint=said("errors.engine_memory_hint"))


def _disk() -> EngineError:
    return EngineError(said("errors.engine_disk"), hint=said("errors.engine_disk_hint"))


def _lost() -> EngineError:
    return EngineError(said("errors.engine_lost"), hint=said("errors.engine_lost_hint"))


def _work_lost() -> EngineError:
    return WorkLost(said("errors.engine_work_lost"), hint=said("errors.engine_work_lost_hint"))


def _gone() -> EngineError:
    return SessionGone(said("errors.engine_gone"), hint=said("errors.engine_gone_hint"))


def _no_python() -> EngineError:
    return EngineError(said("errors.engine_no_python"), hint=said("errors.engine_skew_hint"))


#: What Spark writes -> what it means. Memory before lost workers: who runs out of memory is lost, too.
_BY_WORDS: tuple[tuple[tuple[str, ...], Callable[[], EngineError]], ...] = (
    (("OutOfMemoryError", "MemoryError", "exceeding memory limits", "exit code 137", "OOMKilled"), _memory),
    (("No space left on device", "Disk quota exceeded"), _disk),
    (("Cannot run program",), _no_python),
    (
        # The last: pieces come in another order when they are made again, which Spark takes for other pieces.
        ("CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND", "Checkpoint block ", "with indeterminate output was failed"),
        _work_lost,
    ),
    (
        ("ExecutorLostFailure", "Python worker exited unexpectedly", "FetchFailed", "ExecutorDead", "executor exited"),
        _lost,
    ),
    (
        (
            "stopped SparkContext",
            "SparkContext was shut down",
            "Answer from Java side is empty",
            "Error while sending or receiving",
            "StatusCode.UNAVAILABLE",
            "RETRIES_EXCEEDED",
            "SESSION_CLOSED",
            "SESSION_NOT_FOUND",
        ),
        _gone,
    ),
)
