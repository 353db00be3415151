"""Keeping macOS from slowing a measuring process down.

A process whose window is covered may be napped, and a thread of no stated importance may be put on efficiency cores.
Both must be asked for in the process, and the second in the thread, that measures. Other systems do neither.
"""

from __future__ import annotations

import ctypes
import sys

from app.machine import objc

# NSActivityOptions of <Foundation/NSProcessInfo.h>
_USER_INITIATED = 0x00FFFFFF
_USER_INITIATED_ALLOWING_IDLE_SYSTEM_SLEEP = 0x00EFFFFF
_LATENCY_CRITICAL = 0xFF00000000

_QOS_CLASS_USER_INTERACTIVE = 0x21  # <sys/qos.h>


class Activity:
    """Something the user waits for, known to the system until `end`."""

    def __init__(self, token: int) -> None:
        self._token: int | None = token

    def end(self) -> None:
        """The system may nap this process again. Only the first call counts."""
        token, self._token = self._token, None
        if token is not None:
            objc.send(objc.process_info(), "endActivity:", None, (ctypes.c_void_p, token))
            objc.send(token, "release", None)


def begin_activity(reason: str, *, keep_awake: bool = False) -> Activity | None:
    """Ask not to be napped, and with `keep_awake` that the machine does not fall asleep either, until `Activity.end`.

    `reason` shows up in the system's diagnostics, untranslated. None where there is no such thing to ask: not on macOS.
    """
    if sys.platform != "darwin":
        return None
    options = (_USER_INITIATED if keep_awake else _USER_INITIATED_ALLOWING_IDLE_SYSTEM_SLEEP) | _LATENCY_CRITICAL
    token = objc.send(
        objc.process_info(),
        "beginActivityWithOptions:reason:",
        ctypes.c_void_p,
        (ctypes.c_uint64, options),
        (ctypes.c_void_p, objc.string(reason)),
    )
    owned = objc.send(token, "retain")
    return None if owned is None else Activity(owned)


def prefer_fast_cores() -> bool | None:
    """Whether the system agreed to treat the calling thread like the one that draws what a user looks at.

    Such a thread is kept off efficiency cores where possible. None where threads have no such class: not on macOS.
    """
    if sys.platform != "darwin":
        return None
    ask = ctypes.CDLL(None).pthread_set_qos_class_self_np
    ask.argtypes, ask.restype = [ctypes.c_uint32, ctypes.c_int], ctypes.c_int
    return bool(ask(_QOS_CLASS_USER_INTERACTIVE, 0) == 0)
