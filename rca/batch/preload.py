"""What the fork server of `rca.batch.fork` imports once for all kernels. Imported nowhere else.

No thread may run and nothing that belongs to one process may be open when a kernel is forked, so nothing is used
here, only imported. (pyarrow's own memory thread is safe: its allocator handles forks.)
"""

import gc
import json
import os
import pkgutil
import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import rca

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the debugger warns of frozen modules, in every start

# A kernel's own parts, and what the libraries would import at first use.
KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.comm",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "matplotlib_inline.backend_inline",
    "sqlite3",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
)
LIBRARIES = (
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "ibis.backends.duckdb.converter",
    "ibis.expr.types.groupby",
    "ibis.formats.pandas",
    "matplotlib.pyplot",
    "pandas.io.formats.html",
    "pyarrow.pandas_compat",
)
OURS = [
    module.name
    for module in pkgutil.walk_packages(rca.__path__, "rca.", onerror=lambda name: None)
    if not module.name.startswith(("rca.batch", "rca.cli"))
]
for name in [*KERNEL, *LIBRARIES, *OURS]:
    with suppress(Exception):  # what cannot be imported fails in the notebook that needs it, where it is seen
        import_module(name)
import_module("duckdb").execute("SET threads = 1")  # its import begins a thread for a connection of its own
# Where a kernel that starts from nothing looks for modules. The server's own path has parts of who started it.
_asked = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
PATH = json.loads(subprocess.run(_asked, stdout=subprocess.PIPE, check=True).stdout)
gc.freeze()  # a collection in a kernel would touch every object, and so copy every shared page
