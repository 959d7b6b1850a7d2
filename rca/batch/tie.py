"""Ties a fork server to the process that started it, before it does anything that takes long; the import does it.

A server looks whether it is still needed only when it waits for work, which it does not while it imports.
"""

import os
import signal

from rca.batch.fork import SETTINGS
from rca.batch.processes import DIE_WITH_PARENT, prctl

prctl(DIE_WITH_PARENT, signal.SIGKILL)
if os.getppid() != int(os.environ.pop("RCA_PARENT")):  # it has ended already
    os._exit(1)
os.environ.update(SETTINGS)
