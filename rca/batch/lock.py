"""One batch at a time writes to a folder, and who works for a batch can see from anywhere that it is over.

The lock is the operating system's: it ends with the process that holds it, however that goes.
"""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from rca.errors import InputError

NAME = ".lock"


class Lock:
    """Hold the folder for one batch: `with Lock(folder) as token: ...`; InputError where another one holds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = uuid4().hex

    def __enter__(self) -> str:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"cannot write to {self.folder} ({error.strerror}).") from error
        for _ in range(10):  # whoever asks `Over` holds the lock for a moment
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.05)
        else:
            os.close(self._file)
            raise InputError(
                f"another batch is writing to {self.folder}: wait until it has ended, or choose another --out."
            )
        os.truncate(self._file, 0)
        os.pwrite(self._file, self.token.encode(), 0)
        return self.token

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)


@dataclass(frozen=True)
class Over:
    """Whether a batch is over, seen from another process: its folder is no longer locked, or by another batch."""

    folder: Path
    token: str

    def __call__(self) -> bool:
        try:
            with open(self.folder / NAME, "rb") as file:
                if file.read().decode() != self.token:
                    return True
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True
