"""The command line. Everything heavy is imported inside the commands, so that `rca --help` answers at once."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Studies = Annotated[list[Path], typer.Argument(help="Study files, such as params/vendor_performance.yml.")]
Jobs = Annotated[int, typer.Option(min=0, help="Reports made at the same time; 0 for one per processor.")]
Cold = Annotated[bool, typer.Option("--cold", help="Start each kernel from nothing, not from a warm one.")]


@app.callback()
def rca() -> None:
    """Root-cause analysis for service operations: one report per vendor or market."""


@app.command()
def run(
    studies: Studies,
    out: Annotated[Path, typer.Option(help="Folder for the reports; each study has a folder in it.")] = Path(
        "outputs"
    ),
    jobs: Jobs = 0,
    only: Annotated[list[str] | None, typer.Option(help="This vendor or market only; may be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also what has not changed.")] = False,
    cold: Cold = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print the reports as PDF too, with Chromium.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one report may take.")] = 1800,
    memory: Annotated[float, typer.Option(min=100, help="Megabytes that one report may take.")] = 4000,
    dask: Annotated[
        str, typer.Option(help="Run on the Dask cluster with this scheduler, such as tcp://host:8786.")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what failed.")] = False,
    json_lines: Annotated[bool, typer.Option("--json-lines", help="Say what happens as lines of JSON.")] = False,
) -> None:
    """Make the reports of the studies and an index of each; what has not changed is not run again."""
    from rca.batch.batch import Options, run_studies
    from rca.batch.execute import Limits
    from rca.batch.progress import Bar, JsonLines, Quiet

    options = Options(
        jobs=jobs, only=only or [], force=force, warm=not cold, pdf=pdf, limits=Limits(timeout, memory), dask=dask
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = run_studies(studies, out, options, JsonLines() if json_lines else Quiet() if quiet else Bar())
    except KeyboardInterrupt:
        print("Stopped. What was done is kept; the same command goes on from there.", file=sys.stderr, flush=True)
        os._exit(130)  # without waiting for threads whose kernels have been ended
    raise typer.Exit(code)


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(help="Studies or contracts, such as params/sources/service_cases.yml.")
    ],
) -> None:
    """Say everything that is wrong with studies or sources, and what is odd about their data, without running them."""
    from rca.batch.plan import plan
    from rca.check import Check, check_source, is_source, lines, summary

    plans = plan([path for path in files if not is_source(path)], Path("outputs"))
    sources = {one.study.source: Check(Path(one.study.source), (), one.source, notes=False) for one in plans}
    checks = [*sources.values(), *(check_source(path) for path in files if is_source(path))]
    for one in checks:
        if one.errors or one.remarks or not plans:
            typer.echo("\n".join(lines(one)))
    count = sum(len(one.runs) for one in plans)
    reports = f"{count} {'report' if count == 1 else 'reports'} to make, " if plans else ""
    typer.echo(f"{reports}{summary(checks)}.")
    raise typer.Exit(2 if any(one.errors for one in checks) else 0)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="An extract: CSV, JSON lines or Parquet.")],
    name: Annotated[str, typer.Option(help="What to call the source; else as the file.")] = "",
) -> None:
    """Draft a contract and a study from an extract, with what was guessed and what must be decided."""
    from rca.check import check_source, lines, summary
    from rca.draft import contract_text, guess, study_text
    from rca.errors import InputError

    name = name or file.name.partition(".")[0]
    contract, study = Path("params/sources") / f"{name}.yml", Path("params") / f"{name}.yml"
    for path in (contract, study):
        if path.exists():
            raise InputError(f"{path} is there already: give another --name.")
    found = guess(file)
    contract.parent.mkdir(parents=True, exist_ok=True)
    contract.write_text(contract_text(file, found), encoding="utf-8")
    checked = check_source(contract)
    if checked.source:
        first, last = checked.source.extent
        study.write_text(study_text(name, found, (last - first).days + 1), encoding="utf-8")
    typer.echo("\n".join(lines(checked)))
    typer.echo(f"{contract}: {summary([checked])}. Look for DECIDE in it, then: rca run {study}")


@app.command()
def actions(
    study: Annotated[Path, typer.Argument(help="A study, or the contract of a source.")],
    out: Annotated[Path, typer.Option(help="Folder of the reports to draft from.")] = Path("outputs"),
    on: Annotated[str, typer.Option(help="Day to judge by, such as 2026-11-15; today if not given.")] = "",
    drafts: Annotated[Path | None, typer.Option(help="New file for the drafts, instead of the screen.")] = None,
) -> None:
    """List what is open and overdue by owner, and draft actions for findings that nobody acts on yet."""
    from rca.batch.actions import actions

    typer.echo(actions(study, out.absolute(), on, drafts))


@app.command()
def verify(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs, or of studies for all their runs.")],
    jobs: Jobs = 0,
    cold: Cold = False,
) -> None:
    """Make reports again and compare them, byte by byte, with those that are there."""
    from rca.batch.batch import Options
    from rca.batch.verify import verify

    different = 0
    for one in verify(folders, Options(jobs=jobs, warm=not cold)):
        different += bool(one.difference)
        typer.echo(f"{one.folder}: {one.difference or 'the same bytes'}")
    raise typer.Exit(1 if different else 0)


@app.command()
def sample(
    to: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("data/sample"),
    seed: Annotated[int, typer.Option(help="Another seed gives another marketplace.")] = 1,
) -> None:
    """Write the sample marketplace: 8 vendors, 6 markets, 40 weeks, and what really happened in them."""
    from rca.sample import write_sample

    write_sample(to, seed=seed)
    typer.echo(f"Sample marketplace written to {to}.")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """The `rca` command: a user's mistake is a sentence and exit code 2, anything else keeps its traceback."""
    from rca.errors import InputError

    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
