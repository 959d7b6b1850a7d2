"""What the fork server of `rca.batch.kernel` imports once for all kernels. Imported nowhere else.

No thread may run and no connection, context or handle may be open when a kernel is forked, so nothing is used here,
only imported. (pyarrow's own memory thread is safe: its allocator handles forks.)
"""

import gc
import pkgutil
import signal
import sys
from contextlib import suppress
from importlib import import_module

import rca
import rca.plotting
from rca.batch.fork import DIE_WITH_PARENT, prctl

if sys.platform == "linux":
    prctl(DIE_WITH_PARENT, signal.SIGKILL)  # the server itself notices the end of a batch only when it waits
MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.comm",
    "matplotlib_inline.backend_inline",
    "matplotlib.pyplot",
    "ibis.backends.duckdb",
    *(module.name for module in pkgutil.iter_modules(rca.plotting.__path__, "rca.plotting.")),
)
for name in MODULES:
    with suppress(Exception):  # what cannot be imported fails in the notebook that needs it, where it is seen
        import_module(name)
for name in rca.__all__:
    with suppress(Exception):
        getattr(rca, name)
gc.freeze()  # a collection in a kernel would touch every object, and so copy every shared page
