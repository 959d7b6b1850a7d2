"""Execute a notebook with papermill, on a kernel of its own, within limits of time and memory."""

import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rca.batch.processes import family, megabytes


@dataclass(frozen=True)
class Limits:
    """What one run may take, its kernel and all that the notebook starts included."""

    seconds: float = 1800
    megabytes: float = 4000


@dataclass(frozen=True)
class Execution:
    """How it went: the notebook as far as it came, and why its kernel ended early (empty when it did not)."""

    notebook: Any
    trouble: str
    died: bool  # of itself, so that another try may go better
    megabytes: float
    cell_seconds: list[float]


class Stopped(Exception):
    """The batch is over, and the run was given up."""


def execute(
    notebook: Path,
    target: Path,
    parameters: Mapping[str, Any],
    limits: Limits,
    stopped: Callable[[], bool],
    warm: bool = True,
) -> Execution:
    """Execute `notebook` with these parameters and write it to `target`; its folder is where the kernel runs.

    stopped   asked several times a second; when it says yes, the kernel is ended and `Stopped` is raised
    """
    with _no_grammars():
        import nbformat
        from papermill import PapermillExecutionError, execute_notebook

        from rca.batch.client import manager_in

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what matters of it is in the outcome
    clock = Clock()
    watch = Watch(limits, stopped)
    with tempfile.TemporaryDirectory(prefix="rca-") as folder, watch:
        died = ""
        try:
            execute_notebook(
                str(notebook),
                str(target),
                parameters=dict(parameters),
                engine_name="once",
                kernel_name="python3",
                progress_bar=False,
                record_timing=False,
                shutdown_kernel="immediate",
                resources={"metadata": {"path": str(notebook.parent)}},
                kernel_manager_class=manager_in(Path(folder), warm, watch.begin),
                on_cell_start=clock.tick,
            )
        except PapermillExecutionError:
            pass  # the notebook holds the error
        except RuntimeError as error:  # DeadKernelError, or the kernel did not start
            died = f"The kernel died: {' '.join(str(error).split()) or 'no reason given'}"
    if watch.trouble == "stopped":
        raise Stopped
    executed = nbformat.read(target if target.exists() else notebook, as_version=4)
    trouble = watch.trouble or died
    return Execution(executed, trouble, bool(died and not watch.trouble), round(watch.peak), clock.seconds)


@contextmanager
def _no_grammars() -> Iterator[None]:
    """Keep jsonschema from building a grammar of international addresses, which no notebook's schema asks for.

    It takes more than a second, most of what importing papermill takes. jsonschema does without where it is missing.
    """
    missing = "rfc3987_syntax" not in sys.modules
    if missing:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if missing:
            sys.modules.pop("rfc3987_syntax", None)


@dataclass
class Clock:
    """Seconds per cell."""

    ticks: list[float] = field(default_factory=list)

    def tick(self, **_: Any) -> None:
        self.ticks.append(time.monotonic())

    @property
    def seconds(self) -> list[float]:
        ends = [*self.ticks[1:], time.monotonic()] if self.ticks else []
        return [round(end - start, 3) for start, end in zip(self.ticks, ends, strict=True)]


class Watch:
    """Looks after a running kernel: ends it when it takes too long or too much, or when the batch is over."""

    def __init__(self, limits: Limits, stopped: Callable[[], bool]) -> None:
        self.limits, self.stopped = limits, stopped
        self.manager: Any = None
        self.trouble = ""
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, manager: Any) -> None:
        """Look after the kernel of this manager."""
        self.manager = manager

    def _look(self) -> None:
        begun, looked, members = time.monotonic(), 0.0, [0]
        while not self._over.wait(0.1):
            process = getattr(getattr(self.manager, "provisioner", None), "process", None)
            if process is None:  # the kernel is being started
                continue
            now = time.monotonic()
            if now - looked > 1:
                looked, members = now, family(process.pid)
            used = megabytes(members)
            self.peak = max(self.peak, used)
            if self.stopped():
                self.trouble = "stopped"
            elif now - begun > self.limits.seconds:
                self.trouble = f"Ended by the batch: it took longer than {self.limits.seconds:g} seconds."
            elif used > self.limits.megabytes:
                self.trouble = f"Ended by the batch: it took more than {self.limits.megabytes:g} MB of memory."
            if self.trouble:
                process.kill()
                return
