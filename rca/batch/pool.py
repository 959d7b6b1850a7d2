"""Runs in a bounded pool: threads of this process, each leading one kernel at a time, or a cluster's workers."""

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from rca.batch.lock import Over
from rca.batch.run import Outcome, Task, perform
from rca.errors import InputError

Submit = Callable[[Task], "Future[Outcome]"]


@contextmanager
def threads(jobs: int, begun: Callable[[Task], None]) -> Iterator[Submit]:
    """Run on this machine; `begun` is told of each run when it starts."""
    stop = threading.Event()

    def one(task: Task) -> Outcome:
        begun(task)
        return perform(task, stop.is_set)

    with _ending(ThreadPoolExecutor(max_workers=jobs), stop.set) as pool:
        yield lambda task: pool.submit(one, task)


@contextmanager
def cluster(address: str, tokens: dict[Any, str]) -> Iterator[Submit]:
    """Run on the workers of a Dask cluster that see the same files; `tokens` are those of the folders' locks."""
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--dask needs the package distributed: pip install 'rca[dask]'.") from error
    try:
        client = Client(address, timeout=10)
    except OSError as error:
        raise InputError(f"no Dask scheduler answers at {address!r}.") from error
    with client, _ending(client.get_executor(pure=False), lambda: None) as pool:

        def submit(task: Task) -> "Future[Outcome]":
            folder = task.run.folder.parent
            return pool.submit(perform, task, Over(folder, tokens[folder]))

        yield submit


@contextmanager
def _ending(pool: Executor, stop: Callable[[], None]) -> Iterator[Executor]:
    """On an error, or when the user interrupts, nothing new begins and what runs is given up."""
    try:
        yield pool
    except BaseException:
        stop()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def outcomes(tasks: Sequence[Task], submit: Submit) -> Iterator[Outcome]:
    """How the runs went, as they end."""
    waiting = {submit(task): task for task in tasks}
    while waiting:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield _result(future, waiting.pop(future))


def _result(future: "Future[Outcome]", task: Task) -> Outcome:
    """What a run returned. An error here is ours or the machine's, and must not take the other runs with it."""
    try:
        return future.result()
    except InputError:
        raise
    except Exception as error:
        traceback.print_exception(error)
        sentence = f"{type(error).__name__}: {error} (an error of the batch itself, see its messages)"
        return Outcome(task.run.name, task.run.folder, "failed", sentence, 0.0)
