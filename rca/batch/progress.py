"""What a batch shows while it runs: a live bar and a line per run, next to nothing, or lines of JSON."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from rca.batch.run import Outcome


class Show(Protocol):
    """What is told of a batch; `begun` comes from the pool's threads."""

    def start(self, runs: int) -> None: ...
    def begun(self, name: str) -> None: ...
    def ended(self, outcome: Outcome) -> None: ...
    def finish(self, outcomes: Sequence[Outcome], indexes: Sequence[Path]) -> None: ...


class Bar:
    """For a person: who is being worked on, how many are done, the time left; one line stays for each run."""

    def start(self, runs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        left = TextColumn("time left")
        doing = TextColumn("{task.description}", markup=False)
        columns = (BarColumn(), MofNCompleteColumn(), left, TimeRemainingColumn(), doing)
        console = Console(highlight=False, soft_wrap=True)
        self._names: list[str] = []
        self._progress = Progress(*columns, console=console, transient=True)
        self._bar = self._progress.add_task("starting", total=runs)
        self._progress.start()

    def begun(self, name: str) -> None:
        self._names.append(name)
        self._progress.update(self._bar, description=", ".join(self._names))

    def ended(self, outcome: Outcome) -> None:
        if outcome.name in self._names:
            self._names.remove(outcome.name)
        self._progress.update(self._bar, advance=1, description=", ".join(self._names))
        if outcome.because != "unchanged":
            self._progress.console.print(line(outcome), markup=False)

    def finish(self, outcomes: Sequence[Outcome], indexes: Sequence[Path]) -> None:
        self._progress.stop()
        print(f"{summary(outcomes)}.")
        for index in indexes:
            print(f"Index: {shown(index)}")


class Quiet:
    """Only what needs somebody: the runs that failed."""

    def start(self, runs: int) -> None:
        pass

    def begun(self, name: str) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        if outcome.status == "failed":
            print(line(outcome), file=sys.stderr, flush=True)

    def finish(self, outcomes: Sequence[Outcome], indexes: Sequence[Path]) -> None:
        pass


class JsonLines:
    """For a scheduler: one JSON object per event on standard output."""

    def start(self, runs: int) -> None:
        self._say(event="start", runs=runs)

    def begun(self, name: str) -> None:
        self._say(event="begun", name=name)

    def ended(self, outcome: Outcome) -> None:
        self._say(
            event="ended",
            name=outcome.name,
            status=outcome.status,
            because=outcome.because,
            seconds=outcome.seconds,
            sentence=outcome.sentence,
            folder=str(outcome.folder),
        )

    def finish(self, outcomes: Sequence[Outcome], indexes: Sequence[Path]) -> None:
        self._say(event="finish", indexes=[str(index) for index in indexes], **counts(outcomes))

    @staticmethod
    def _say(**content: Any) -> None:
        sys.stdout.write(f"{json.dumps(content, ensure_ascii=False)}\n")  # at once: threads write as well
        sys.stdout.flush()


def line(outcome: Outcome) -> str:
    """How a run went: `done  1.2 s  Andes`, and for one that is not done why, and where its notebook is."""
    text = f"{outcome.status:<7} {outcome.seconds:6.1f} s  {outcome.name}"
    if outcome.because not in ("", "new"):
        text += f" ({outcome.because})"
    if outcome.sentence:
        text += f": {outcome.sentence}"
    return f"{text} ({shown(outcome.folder / 'report.ipynb')})" if outcome.status == "failed" else text


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many runs of each kind."""
    kinds = ["unchanged" if outcome.because == "unchanged" else outcome.status for outcome in outcomes]
    return {kind: kinds.count(kind) for kind in ("done", "unchanged", "skipped", "failed")}


def summary(outcomes: Sequence[Outcome]) -> str:
    """The counts in words: `7 done, 1 failed`."""
    return ", ".join(f"{count} {kind}" for kind, count in counts(outcomes).items() if count) or "nothing to do"


def shown(path: Path) -> str:
    """A path as a person types it: relative where it is below the current folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
