"""Questions or one build on Spark, measured in a process of its own; prints one JSON object.

    python -m benchmarks.spark_child questions WORKSPACE [--master local[2]] [--conf KEY=VALUE] [--runs 5] [--alone]
    python -m benchmarks.spark_child build WORKSPACE [--master spark://...] [--conf KEY=VALUE]

Without a master a build is done in this process. `--alone` asks Spark alone, so that the peak memory is a driver's.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import cloudpickle
import pyarrow as pa

from percorso.analyses.basis import basis_of
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.result import Result
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.engines.spark import SparkEngine
from percorso.services.build import build_log, fresh_log
from percorso.services.engine import choose_engine, spark_engine
from percorso.services.workspace import Workspace, open_workspace
from percorso.store.journey_log import Bucket, JourneyLog

P = TypeVar("P")
Ask = Callable[[JourneyLog], Result]

STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")

#: A worker that is busy with something else is no failure of a bench: it waits longer than a person would.
WAIT_US = 600_000_000


@dataclass
class Weighed:
    """An engine that notes what goes to tasks and what comes back, as pickled: bytes, and bytes as they travel."""

    engine: SparkEngine
    runs: int = 0
    answers: int = 0
    plain_bytes: int = 0
    packed_bytes: int = 0
    task_bytes: int = 0
    meta_bytes: int = 0

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        """As `percorso.store.journey_log.BucketEngine`."""
        self.runs += 1
        self.task_bytes += len(cloudpickle.dumps(task))
        self.meta_bytes += len(pickle.dumps([dict(bucket.meta) for bucket in buckets]))
        yield from self._told(self.engine.run(buckets, task))

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterator[P]:
        """As `percorso.engines.buckets.ExchangeEngine`."""
        self.runs += 1
        self.task_bytes += len(cloudpickle.dumps(task)) + len(cloudpickle.dumps(join))
        self.meta_bytes += len(pickle.dumps([dict(bucket.meta) for bucket in buckets]))
        yield from self._told(self.engine.exchange(buckets, task, by, join))

    def _told(self, answers: Iterable[P]) -> Iterator[P]:
        for answer in answers:
            plain = pickle.dumps(answer, protocol=5)
            self.answers += 1
            self.plain_bytes += len(plain)
            self.packed_bytes += len(pa.compress(plain, codec="zstd", asbytes=True))
            yield answer

    def told(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if name != "engine"}


def asks_of(workspace: Workspace) -> dict[str, Ask]:
    """The questions that are timed, straight at the analyses: whether the log is fresh is not asked each time."""
    basis = basis_of(workspace.settings)
    return {
        "funnel": lambda log: run_funnel(FunnelSpec(steps=STEPS, within="7d"), log, basis),
        "channels": lambda log: run_channels(ChannelsSpec(), log, basis),
        "kpis": lambda log: run_kpis(KpisSpec(), log, basis),
        "variants": lambda log: run_variants(VariantsSpec(), log, basis),
    }


def on_spark(folder: Path, master: str, settings: Mapping[str, str]) -> Workspace:
    """The workspace, asked by Spark with these settings; by this process where there is no master."""
    workspace = open_workspace(folder)
    if not master:
        return choose_engine(workspace, "local")
    chosen = choose_engine(workspace, "spark", master)
    assert chosen.engine is not None
    return replace(chosen, engine=replace(chosen.engine, archive="", wait_us=WAIT_US, spark=dict(settings)))


def seconds_of(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def ask_all(folder: Path, master: str, settings: Mapping[str, str], runs: int, alone: bool) -> dict[str, Any]:
    """Times of each question by both engines in turns, and what travelled."""
    workspace = on_spark(folder, master, settings)
    log = replace(fresh_log(choose_engine(open_workspace(folder), "local")), engine=None)
    made: list[Any] = []
    session_s = seconds_of(lambda: made.append(spark_engine(workspace)))
    engine = made[0]
    there, asks = replace(log, engine=engine), asks_of(workspace)
    found: dict[str, Any] = {
        "events": sum(bucket.n_events for bucket in log.buckets),
        "buckets": len(log.buckets),
        "tasks": engine.tasks,
        "session_s": session_s,
        "first_s": seconds_of(lambda: asks["funnel"](there)),
    }
    found["questions"] = {
        name: _turns(name, ask, there, None if alone else log, runs) | _weighed(ask, log, engine)
        for name, ask in asks.items()
    }
    return found | peaks()


def _turns(name: str, ask: Ask, there: JourneyLog, here: JourneyLog | None, runs: int) -> dict[str, Any]:
    """Warm medians, in turns; the answers are compared first."""
    answer = ask(there)
    if here is not None and not _equal(answer, ask(here)):
        raise RuntimeError(f"{name}: Spark answers something else")
    far, near = [], []
    for _ in range(runs):
        far.append(seconds_of(lambda: ask(there)))
        if here is not None:
            near.append(seconds_of(lambda: ask(here)))
    found: dict[str, Any] = {"spark_s": statistics.median(far), "spark_runs_s": far}
    if near:
        found |= {"local_s": statistics.median(near), "local_runs_s": near}
        found |= {"ratio": found["spark_s"] / found["local_s"], "more_s": found["spark_s"] - found["local_s"]}
    return found


def _equal(one: Result, other: Result) -> bool:
    same = one.tables.keys() == other.tables.keys() and one.totals == other.totals
    return same and all(table.equals(other.tables[name]) for name, table in one.tables.items())


def _weighed(ask: Ask, log: JourneyLog, engine: SparkEngine) -> dict[str, Any]:
    """What travels for one question, and when it was asked: Spark's own log is read for the same while."""
    weighed, began = Weighed(engine), time.time()
    ask(replace(log, engine=weighed))
    return {"travelled": weighed.told(), "window_ms": [int(began * 1000), int(time.time() * 1000) + 1]}


def build(folder: Path, master: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """A whole build, the start of Spark apart."""
    workspace = on_spark(folder, master, settings)
    session_s = seconds_of(lambda: spark_engine(workspace)) if master else 0.0
    began = time.time()
    phases: list[tuple[str, float]] = []
    report = build_log(workspace, full=True, progress=lambda phase, done, total: _note(phases, phase))
    window = [int(began * 1000), int(time.time() * 1000) + 1]
    return {
        "events": report.events,
        "persons": report.persons,
        "journeys": report.journeys,
        "session_s": session_s,
        "seconds": report.seconds,
        "phases_s": [[name, at - began] for name, at in phases],
        "window_ms": window,
        **peaks(),
    }


def _note(phases: list[tuple[str, float]], phase: str) -> None:
    if not phases or phases[-1][0] != phase:
        phases.append((phase, time.time()))


def peaks() -> dict[str, int]:
    """Largest resident memory of this process, and of the Java that it has started."""
    own = os.getpid()
    java = [pid for pid in _children(own) if "java" in _text(pid, "cmdline")[:200]]
    return {"peak_python_bytes": _peak(own), "peak_java_bytes": max(map(_peak, java), default=0)}


def _children(parent: int) -> list[int]:
    found = re.findall(r"\d+", _text(parent, f"task/{parent}/children"))
    return [int(pid) for pid in found] + [one for pid in found for one in _children(int(pid))]


def _peak(pid: int) -> int:
    known = re.search(r"VmHWM:\s+(\d+) kB", _text(pid, "status"))
    return int(known[1]) * 1024 if known else 0


def _text(pid: int, name: str) -> str:
    try:
        return (Path("/proc") / str(pid) / name).read_text(errors="replace")
    except OSError:  # it is gone, or this is no Linux
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("questions", "build"))
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--master", default="")
    parser.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    settings = dict(text.split("=", 1) for text in options.conf)
    if options.what == "build":
        found = build(options.workspace, options.master, settings)
    else:
        found = ask_all(options.workspace, options.master, settings, options.runs, options.alone)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
