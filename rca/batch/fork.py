"""Kernels in processes that end when they should; warm ones are forked from a process that has the imports done.

A batch, a test run or JupyterLab holds a fork server (the standard library's). Between it and each kernel stands a
keeper, a process that watches over a lease, one end of a pipe. When the kernel ends, or the process that asked for
it is gone, however it went, the keeper ends everything that descends from the kernel. Linux only.
"""

import os
import pickle
import select
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver, resource_tracker
from uuid import uuid4

from rca.batch.processes import DIE_WITH_PARENT, SUBREAPER, end_children, end_named, prctl

# What answers must not depend on. The hash seed is fixed when a process starts, so the server needs it already.
SETTINGS = {
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "IPYKERNEL_CELL_NAME": "<cell>",
    "JPY_SESSION_NAME": "",  # begun from a notebook, a batch would be taken for its person
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# Linux ends a server with the thread that started it, so this thread lasts as long as the process.
_starter = ThreadPoolExecutor(1)


@cache
def _server(warm: bool) -> forkserver.ForkServer:
    server = forkserver.ForkServer()
    server.set_forkserver_preload(["rca.batch.tie", *(["rca.batch.preload"] if warm else [])])
    return server


def start_server(warm: bool = True) -> None:
    """Begin with the heavy imports, where that has not been done yet; returns at once."""
    _starter.submit(_start_server, warm).result()


def _start_server(warm: bool) -> None:
    names = {"PYTHONHASHSEED": SETTINGS["PYTHONHASHSEED"], "RCA_PARENT": str(os.getpid())}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)  # the rest of the settings can wait until it runs
    try:
        _server(warm).ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def start_kernel(seed: "Seed") -> "KernelProcess":
    """Start a kernel; waits for the imports where they are still going on. EOFError when the server cannot run."""
    start_server(seed.warm)
    try:
        return KernelProcess(seed)
    except EOFError:  # it was killed just now
        start_server(seed.warm)
        return KernelProcess(seed)


class KernelProcess:
    """A forked kernel, as jupyter_client sees a process: `pid` is its keeper's, and that of its process group."""

    stdin = stdout = stderr = None

    def __init__(self, seed: "Seed") -> None:
        self.returncode: int | None = None
        self._name = seed.env["RCA_KERNEL"]
        self._status, self._lease = _server(seed.warm).connect_to_new_process([])
        # What the server's child reads: settings of the process (none), then the object to run.
        os.write(self._lease, pickle.dumps({}) + pickle.dumps(seed))
        self.pid = forkserver.read_signed(self._status)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            try:
                self.returncode = forkserver.read_signed(self._status)
            except EOFError:  # the server was killed
                self.returncode = 255
            os.close(self._status)
            self.kill()
            if self.returncode < 0:  # the keeper was killed
                end_named(self._name)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if number == signal.SIGKILL:
            self.kill()
        elif self.returncode is None:
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Give up the lease, so that the keeper ends all."""
        lease, self._lease = self._lease, -1
        if lease >= 0:
            os.close(lease)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


@dataclass(frozen=True)
class Seed:
    """What grows into a kernel; unpickled and run in the server's child.

    warm   become a kernel with what is imported already; else start the command from nothing
    """

    command: list[str]
    env: dict[str, str]
    cwd: str
    warm: bool

    def __post_init__(self) -> None:
        self.env["RCA_KERNEL"] = uuid4().hex  # all that the kernel starts inherits this name

    def _bootstrap(self, lease: int) -> int:
        """The keeper: parent of the kernel and heir of all that it leaves."""
        os.setsid()
        prctl(SUBREAPER, 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        kernel = os.fork()
        if kernel == 0:
            os.close(lease)
            self._run()
        ended = os.pidfd_open(kernel)
        if select.select([ended, lease], [], [])[0] == [lease]:
            os.kill(kernel, signal.SIGKILL)
        _, status = os.waitpid(kernel, 0)
        end_children()
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _run(self) -> None:
        """Become an ordinary kernel: as little as possible may tell it from one that started cold."""
        code = 1
        try:
            prctl(DIE_WITH_PARENT, signal.SIGKILL)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            quiet = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(quiet, standard)
            os.chdir(self.cwd)
            if not self.warm:
                os.execve(self.command[0], self.command, self.env)
            os.environ.clear()
            os.environ.update(self.env)
            from rca.batch.preload import PATH

            sys.path[:] = PATH
            _let_go_of_the_server()
            _run_kernel(self.command)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            os._exit(code)


def _let_go_of_the_server() -> None:
    """What a notebook starts must not keep the server alive, nor share the batch's tracker of resources."""
    server, tracker = vars(forkserver)["_forkserver"], vars(resource_tracker)["_resource_tracker"]
    os.close(server._forkserver_alive_fd)
    os.close(tracker._fd)
    server._forkserver_alive_fd = tracker._fd = None


def _run_kernel(command: list[str]) -> None:
    """What `python -m ipykernel_launcher ...` does."""
    import random

    import duckdb
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp
    from matplotlib_inline.backend_inline import _enable_matplotlib_integration

    random.seed()  # a fork copies the state of generators: without this, all kernels would draw the same numbers
    np.random.seed()  # noqa: NPY002
    duckdb.execute("RESET threads")
    sys.argv = command[2:]
    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(command[3:])
    _enable_matplotlib_integration()
    app.start()
