"""Asks the system not to treat a measuring thread as background work."""

from __future__ import annotations

import ctypes
import logging
import sys

log = logging.getLogger(__name__)

# <sys/qos.h>
_QOS_CLASS_USER_INTERACTIVE = 0x21


def raise_priority() -> None:
    """macOS: give the calling thread the class of work that somebody waits for, else it may be put on efficiency cores.

    Pins nothing and says nothing about GPU or Neural Engine. Elsewhere there is nothing to ask for.
    """
    if sys.platform != "darwin":
        return
    set_class = ctypes.CDLL(None).pthread_set_qos_class_self_np
    set_class.argtypes = [ctypes.c_uint32, ctypes.c_int]
    status = set_class(_QOS_CLASS_USER_INTERACTIVE, 0)
    if status:
        log.warning("the system keeps this process at its default priority (error %d)", status)
