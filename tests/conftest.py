"""Tests ask their engine, and leave nothing in the cache of whoever runs them."""

import os

os.environ["RCA_CACHE"] = ""
