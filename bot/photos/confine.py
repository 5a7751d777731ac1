"""What is taken from a process before it decodes what a stranger made. Linux and macOS."""

import ctypes
import os
import sys
from typing import Final

# linux/landlock.h. The numbers of the system calls are the same on every architecture.
_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_FILES: Final = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_TCP: Final = 0x3
_SIGNALS_AND_SOCKETS: Final = 0x3
_NO_NEW_PRIVILEGES: Final = 38
"""prctl(2), PR_SET_NO_NEW_PRIVS."""


def confine(cpu_s: int, memory_bytes: int) -> None:
    """From here on: no more CPU time and memory than this, no new descriptor (file, socket, pipe), no new process.

    Where the kernel has Landlock, nothing in the file system can be changed or removed by its name, either, and no
    other process can be looked into or sent a signal.
    """
    import resource

    if sys.platform == "linux":
        _lock_out()
    limits = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_NOFILE: 3,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


def _lock_out() -> None:
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return
    rules = (ctypes.c_uint64 * 3)(
        _FILES[min(version, max(_FILES))], _TCP if version >= 4 else 0, _SIGNALS_AND_SOCKETS if version >= 6 else 0
    )
    ruleset = kernel.syscall(_CREATE_RULESET, rules, ctypes.sizeof(rules), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "no Landlock ruleset")
    kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if kernel.syscall(_RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "Landlock does not hold")
    os.close(ruleset)
