"""A bounded pool of runs: each thread leads one kernel process at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from rca.batch.plan import Run
from rca.batch.run import Outcome, perform


def perform_all(runs: Sequence[Run], jobs: int, begun: Callable[[Run], None]) -> Iterator[Outcome]:
    """The outcomes as they come; `begun` is told of each run when it starts."""

    def one(run: Run) -> Outcome:
        begun(run)
        return perform(run)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(one, run) for run in runs}
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
