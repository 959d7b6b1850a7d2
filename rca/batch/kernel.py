"""Warm kernels for papermill, nbval and JupyterLab: a provisioner that jupyter_client finds by entry point."""

import asyncio
import os
import sys
import warnings
from functools import cache
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from rca.batch.fork import KernelProcess, Seed, start_kernel


class Warm(LocalProvisioner):
    """Starts kernels from the fork server; a kernelspec chooses it by the name `rca-warm`."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        # Only a kernel of this very environment can be forked, and only Linux can end all that it leaves behind.
        if sys.platform == "linux" and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]:
            seed = Seed(cmd[3:], dict(options["env"]), str(options.get("cwd") or os.getcwd()))
            try:
                process = await asyncio.to_thread(start_kernel, seed)  # the first one waits for the imports
            except (EOFError, OSError) as error:
                _say_cold(f"the fork server did not start ({error})")
            else:
                self.process, self.pid = process, process.pid  # type: ignore[assignment]
                return self.connection_info
        else:
            _say_cold("warm ones need Linux and this environment's own ipykernel")
        return await super().launch_kernel(cmd, **options)

    async def kill(self, restart: bool = False) -> None:
        await super().kill(restart)
        if isinstance(
            self.process, KernelProcess
        ):  # so that nobody need look every 0.1 seconds whether it has ended
            await asyncio.to_thread(self.process.wait, 5)


@cache
def _say_cold(reason: str) -> None:
    warnings.warn(f"kernels start cold: {reason}.", stacklevel=3)
