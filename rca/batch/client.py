"""What papermill talks through: a kernel manager for parallel runs, and a client that does not idle."""

from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from papermill.engines import NBClientEngine, papermill_engines
from papermill.iorw import write_ipynb

from rca.batch.fork import SETTINGS


class Client(AsyncKernelClient):
    """A client that is ready as soon as answers and outputs arrive.

    The stock one then waits 0.2 seconds for outputs of before, to throw them away; nbclient ignores them anyway.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        begun = monotonic()
        while True:
            self.kernel_info()
            try:
                reply = await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=1)
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("it ended before it answered") from None
                if timeout is not None and monotonic() - begun > timeout:
                    raise RuntimeError(f"it did not answer within {timeout:g} seconds") from None
            else:
                self._handle_kernel_info_reply(reply)
                return


class Once(NBClientEngine):
    """Writes the notebook when it has ended, well or not; papermill would do so twice for each cell."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str, **options: Any) -> Any:
        try:
            return super().execute_notebook(nb, kernel_name, **options)
        except BaseException:
            write_ipynb(nb, output_path)
            raise


papermill_engines.register("once", Once)


def manager_in(folder: Path, warm: bool, made: Any) -> type[AsyncKernelManager]:
    """A class of kernels that talk through files in `folder`: no ports to race for, no name that two could share.

    made   called with the manager, when papermill makes it
    """

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(transport="ipc", connection_file=str(folder / "kernel.json"), **options)
            self.client_factory = Client
            spec: Any = self.kernel_spec
            spec.env = {**spec.env, **SETTINGS, "IPYTHONDIR": str(folder / "ipython")}
            spec.metadata = {"kernel_provisioner": {"provisioner_name": "rca-warm" if warm else "rca-cold"}}
            made(self)

    return Manager
