"""A real cluster for tests: one standalone master and its workers, each a process of its own, on loopback only.

Workers know nothing of the repository: they run in folders of their own, with an environment of their own, and their
Python is the machine's.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.processes import children, command_of, descendants, end, is_alive, start, wait_for

__all__ = ["Standalone", "free_port", "spark_home"]

_MASTER = "org.apache.spark.deploy.master.Master"
_SUBMIT = "org.apache.spark.deploy.SparkSubmit"
_CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"

#: Quick to start: these live for seconds.
_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"

#: This machine is asked, whatever proxy is set.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def spark_home() -> Path:
    """Where Spark is installed; where it or Java is missing, tests are skipped, and fail with CI=true."""
    package = importlib.util.find_spec("pyspark")
    java = os.environ.get("JAVA_HOME") or shutil.which("java")
    if package is None or not package.origin or not java:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "Java or pyspark is not there: make setup-test"
        )
    if not Path("/proc/self/stat").exists():
        pytest.skip("processes are looked up in /proc, which this system does not have")
    return Path(package.origin).parent


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Standalone:
    """Parameters: a folder of its own. Nothing runs before `start`.

    ``environment`` goes before what workers are given of their surroundings, for workers started after it was set.
    """

    folder: Path
    home: Path
    port: int = field(default_factory=free_port)
    page: int = field(default_factory=free_port)
    door: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    @property
    def server(self) -> str:
        """The server of Spark Connect."""
        return f"sc://127.0.0.1:{self.door}"

    def work_of(self, worker: str) -> Path:
        """Where a worker keeps what its executors work in."""
        return self.folder / worker / "work"

    def start(self, workers: tuple[str, ...]) -> None:
        ports = ["--port", str(self.port), "--webui-port", str(self.page)]
        self._start("master", [_MASTER, "--host", "127.0.0.1", *ports], {})
        wait_for("the master's page", self.state)
        for worker in workers:
            self.start_worker(worker)
        self.wait_for_workers(len(workers))

    def start_worker(self, worker: str, environment: Mapping[str, str] | None = None) -> None:
        """Begin another worker; it comes under the master a little later."""
        size = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
        self._start(
            worker, [_WORKER, *size, "--work-dir", str(self.work_of(worker)), self.master], dict(environment or {})
        )

    def start_server(self, settings: tuple[tuple[str, str], ...]) -> None:
        """A server of Spark Connect before this cluster, on a port of its own."""
        told = dict(settings) | {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.door),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
        }
        words = [_SUBMIT, "--class", _CONNECT, "--master", self.master]
        for name, value in told.items():
            words += ["--conf", f"{name}={value}"]
        memory = dict.fromkeys(("SPARK_DAEMON_MEMORY", "SPARK_DRIVER_MEMORY"), "1g")  # less is refused
        self._start("server", [*words, "spark-internal"], memory)
        wait_for("the server of Spark Connect", lambda: self._dead() or self._is_open(self.door))
        assert not self._dead(), self._dead()

    def wait_for_workers(self, n: int) -> None:
        """Until the master knows so many that live, and no more."""
        wait_for(f"{n} workers", lambda: self._dead() or self.alive() == n)
        assert not self._dead(), self._dead()

    def alive(self) -> int:
        """How many workers the master counts on."""
        return sum(worker["state"] == "ALIVE" for worker in (self.state() or {}).get("workers", []))

    def state(self) -> dict[str, Any] | None:
        """What the master's page says; None while there is none."""
        try:
            with _DIRECT.open(f"http://127.0.0.1:{self.page}/json/", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except OSError:
            assert not self._dead(), self._dead()
            return None
        return found

    def executors(self, worker: str) -> list[int]:
        """The executors of a worker, by their ids."""
        known = self.running.get(worker)
        return [pid for pid in children(known.pid) if _EXECUTOR in command_of(pid)] if known else []

    def stop(self) -> None:
        """End every process of the cluster, and what they have started."""
        every = [pid for process in self.running.values() for pid in (process.pid, *descendants(process.pid))]
        end(every)
        for process in self.running.values():
            process.wait(10)
        self.running.clear()

    def forget(self, worker: str) -> None:
        """A worker that was ended by hand, and what is left of it."""
        process = self.running.pop(worker)
        end([process.pid, *descendants(process.pid)])
        process.wait(10)

    @staticmethod
    def _is_open(port: int) -> bool:
        with socket.socket() as knocking:
            return knocking.connect_ex(("127.0.0.1", port)) == 0

    def _dead(self) -> str:
        """What has ended by itself, and its last words; "" where all live."""
        ended = [name for name, process in self.running.items() if not is_alive(process.pid)]
        return "".join(f"{name} has ended:\n{(self.folder / name / 'log.txt').read_text()[-3000:]}" for name in ended)

    def _start(self, name: str, words: list[str], environment: dict[str, str]) -> None:
        own = self.folder / name
        for folder in (own, own / "home", own / "conf", own / "scratch"):
            folder.mkdir(parents=True, exist_ok=True)
        command = [str(self.home / "bin" / "spark-class"), *words]
        surroundings = self._surroundings(own) | self.environment | environment
        self.running[name] = start(command, surroundings, own, own / "log.txt")

    def _surroundings(self, own: Path) -> dict[str, str]:
        """All that a process of the cluster gets from here; no PYTHONPATH, no virtual environment."""
        found = {
            "PATH": f"{Path(sys._base_executable).parent}:/usr/local/bin:/usr/bin:/bin",  # type: ignore[attr-defined]
            "HOME": str(own / "home"),
            "TMPDIR": str(own / "scratch"),
            "SPARK_HOME": str(self.home),
            "SPARK_CONF_DIR": str(own / "conf"),
            "SPARK_LOCAL_DIRS": str(own / "scratch"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_PUBLIC_DNS": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": _JAVA,
        }
        if "JAVA_HOME" in os.environ:
            found["JAVA_HOME"] = os.environ["JAVA_HOME"]
        return found
