"""Warm kernels behave as cold ones do, for anything that speaks to jupyter_client; only the waiting is shorter."""

import os
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client.manager import KernelManager
from studies import left

import rca.batch
from rca.batch.fork import SETTINGS

JUPYTER = Path(rca.batch.__path__[0]) / "jupyter"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Kernels are forked on Linux only.")


@pytest.fixture
def kernels(monkeypatch, tmp_path):
    """A function that starts a kernel, warm as JupyterLab gets it by the kernelspec, or cold."""
    monkeypatch.setenv("RCA_TEST_MARK", str(tmp_path))
    started = []

    def start(warm=True):
        if warm:
            monkeypatch.setenv("JUPYTER_PATH", str(JUPYTER))
        else:
            monkeypatch.delenv("JUPYTER_PATH", raising=False)
        manager = KernelManager(
            kernel_name="python3", transport="ipc", connection_file=str(tmp_path / f"{len(started)}.json")
        )
        manager.start_kernel(cwd=str(tmp_path))
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        started.append((manager, client))
        return manager, client

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(client, code):
    """What an expression is worth in a kernel, or the name of the error."""
    client.execute(code)
    found = None
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "execute_result":
            found = message["content"]["data"]["text/plain"]
        elif message["msg_type"] == "error":
            found = message["content"]["ename"]
        elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found


# What jupyter_client and the debugger set, and the name that finds what a kernel has started.
OURS = {"RCA_KERNEL", "JUPYTER_PATH", "JPY_PARENT_PID", "PYDEVD_USE_FRAME_EVAL"}
SAME = [
    "__import__('sys').argv[0].endswith(('ipykernel_launcher', 'ipykernel_launcher.py'))",
    "[p for p in __import__('sys').path if 'zip' not in p]",
    "__import__('os').getcwd()",
    "__name__, __import__('sys').modules['__main__'].__dict__ is globals()",
    f"sorted(set(__import__('os').environ) - {OURS})",
    "__import__('matplotlib').get_backend()",
    "__import__('multiprocessing').get_start_method()",
    "__import__('subprocess').run(['echo', 'a'], capture_output=True).stdout",
    "__import__('signal').getsignal(2) is __import__('signal').default_int_handler",
    "__import__('sys').stdin is None or __import__('sys').stdin.closed or __import__('sys').stdin.read()",
    "get_ipython().history_manager is not None",
    "__import__('duckdb').sql('select sum(range) from range(3000000)').fetchall()",
    "__import__('duckdb').sql(\"select current_setting('threads')\").fetchall()",
    "1 / 0",
]


def test_code_sees_no_difference(kernels):
    (_, warm), (_, cold) = kernels(), kernels(warm=False)
    assert value(warm, "'pandas' in __import__('sys').modules") == "True"
    assert value(cold, "'pandas' in __import__('sys').modules") == "False"
    for code in SAME:
        assert (code, value(warm, code)) == (code, value(cold, code))


def test_each_kernel_is_a_process_of_its_own(kernels):
    (_, one), (_, other) = kernels(), kernels()
    for code in ("__import__('os').getpid()", "__import__('random').random()", "__import__('numpy').random.rand()"):
        assert value(one, code) != value(other, code)
    value(one, "import pandas; pandas.shared = 1")
    assert value(other, "import pandas; hasattr(pandas, 'shared')") == "False"


def test_interrupt_restart_and_shutdown(kernels, tmp_path):
    manager, client = kernels()
    value(client, "left = __import__('subprocess').Popen(['sleep', '600'], start_new_session=True); kept = 1")
    client.execute("import time; time.sleep(600)")
    time.sleep(0.5)
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=20)["content"].get("ename", "KeyboardInterrupt") == "KeyboardInterrupt"
    _drain(client)
    assert value(client, "kept") == "1"  # it lives on
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    assert value(client, "kept") == "NameError"
    client.stop_channels()
    manager.shutdown_kernel()
    assert not manager.is_alive()
    assert [process for process in left(str(tmp_path)) if "sleep" in process] == []


def _drain(client):
    while True:
        try:
            client.get_iopub_msg(timeout=1)
        except Empty:
            return


def test_a_kernel_that_crashes_is_seen_to_be_dead(kernels):
    manager, client = kernels()
    client.execute("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    until = time.monotonic() + 10
    while manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert manager.provisioner.process.poll() == 128 + 11


def test_nothing_runs_in_the_server_when_it_forks():
    code = (
        "import os, rca.batch.preload\n"
        "print(*[open(f'/proc/self/task/{task}/comm').read().strip() for task in os.listdir('/proc/self/task')])"
    )
    environment = {**os.environ, **SETTINGS}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    threads = done.stdout.split()
    # pyarrow's allocator cleans up in the background; it handles forks itself
    assert set(threads[1:]) <= {"jemalloc_bg_thd"}


def test_a_server_ends_though_it_is_busy_with_imports(tmp_path):
    code = "import os; from rca.batch.fork import start_server; start_server(); os.kill(os.getpid(), 9)"
    environment = {**os.environ, "RCA_TEST_MARK": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert left(str(tmp_path), within=1) == []
