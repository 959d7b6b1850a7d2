"""Kernels for papermill, nbval and JupyterLab: provisioners that jupyter_client finds by entry point."""

import asyncio
import os
import sys
import warnings
from functools import cache
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from rca.batch.fork import KernelProcess, Seed, start_kernel


class Cold(LocalProvisioner):
    """Starts a kernel as usual, but with a keeper; a kernelspec chooses it by the name `rca-cold`."""

    warm = False

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        if sys.platform != "linux":
            _say_plain()
            return await super().launch_kernel(cmd, **options)
        # Only a kernel of this very environment can be forked.
        warm = self.warm and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]
        seed = Seed(cmd, dict(options["env"]), str(options.get("cwd") or os.getcwd()), warm)
        process = await asyncio.to_thread(start_kernel, seed)  # the first one waits for the imports
        self.process, self.pid = process, process.pid  # type: ignore[assignment]
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        await super().kill(restart)
        if isinstance(
            self.process, KernelProcess
        ):  # so that nobody need look every 0.1 seconds whether it has ended
            await asyncio.to_thread(self.process.wait, 5)


class Warm(Cold):
    """Forks a kernel from a process that has paid the heavy imports; its name in a kernelspec is `rca-warm`."""

    warm = True


@cache
def _say_plain() -> None:
    warnings.warn("kernels start cold and without a keeper: that takes Linux.", stacklevel=3)
