"""The command line. Everything heavy is imported inside the commands, so that `rca --help` answers at once."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Studies = Annotated[list[Path], typer.Argument(help="Study files, such as params/vendor_performance.yml.")]
Out = Annotated[Path, typer.Option(help="Folder for the reports, one folder per study in it.")]


@app.callback()
def rca() -> None:
    """Root-cause analysis for service operations: one report per vendor or market."""


@app.command()
def run(
    studies: Studies,
    out: Out = Path("outputs"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Reports made at the same time; one per core if not given.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this vendor or market; may be repeated.")] = None,
) -> None:
    """Make the reports of the studies and an index of each."""
    from rca.batch.batch import cores, run_studies

    raise typer.Exit(run_studies(studies, out=out, jobs=jobs or cores(), only=only or []))


@app.command()
def check(studies: Studies) -> None:
    """Say everything that is wrong with the studies, without running them."""
    from rca.batch.plan import plan

    runs = plan(studies, Path("outputs"))
    typer.echo(f"{len(runs)} {'report' if len(runs) == 1 else 'reports'} to make, nothing wrong.")


@app.command()
def sample(
    to: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("data/sample"),
    seed: Annotated[int, typer.Option(help="Another seed gives another marketplace.")] = 1,
) -> None:
    """Write the sample marketplace: 8 vendors, 6 markets, 40 weeks, and what really happened in them."""
    from rca.sample import write_marketplace

    write_marketplace(to, seed=seed)
    typer.echo(f"Sample marketplace written to {to}.")


def main() -> None:
    """The `rca` command: a user's mistake is a sentence and exit code 2, anything else keeps its traceback."""
    from rca.errors import InputError

    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
