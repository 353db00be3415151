"""Calling Objective-C on macOS with nothing but the standard library.

Every call gets the exact prototype of its method: on arm64 a call through a prototype with "…" passes arguments in
other places. Objects that come back are not owned; whoever keeps one sends it `retain`.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_FOUNDATION = "/System/Library/Frameworks/Foundation.framework/Foundation"


@cache
def _runtime() -> ctypes.CDLL:
    runtime = ctypes.CDLL("/usr/lib/libobjc.A.dylib")
    ctypes.CDLL(_FOUNDATION)
    for lookup in (runtime.objc_getClass, runtime.sel_registerName):
        lookup.restype, lookup.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return runtime


def send(receiver: int | None, message: str, result: Any = ctypes.c_void_p, *arguments: tuple[Any, Any]) -> Any:
    """What a method returns; None when it is sent to None.

    `result` is the ctypes kind of what comes back; each argument is a pair of its kind and its value.
    """
    if receiver is None:
        return None
    kinds, values = [kind for kind, _ in arguments], [value for _, value in arguments]
    prototype = ctypes.CFUNCTYPE(result, ctypes.c_void_p, ctypes.c_void_p, *kinds)
    method = prototype(("objc_msgSend", _runtime()))
    return method(receiver, _selector(message), *values)


def class_named(name: str) -> int | None:
    """The class, to send messages to."""
    found: int | None = _runtime().objc_getClass(name.encode())
    return found


def _selector(message: str) -> int:
    selector: int = _runtime().sel_registerName(message.encode())
    return selector


def string(content: str) -> int | None:
    """An NSString, not owned."""
    made: int | None = send(
        class_named("NSString"), "stringWithUTF8String:", ctypes.c_void_p, (ctypes.c_char_p, content.encode())
    )
    return made


def process_info() -> int | None:
    """The NSProcessInfo of this process."""
    info: int | None = send(class_named("NSProcessInfo"), "processInfo")
    return info


def answers(receiver: int | None, message: str) -> bool:
    """Whether an object has that method; a message without one would end the process."""
    return bool(send(receiver, "respondsToSelector:", ctypes.c_bool, (ctypes.c_void_p, _selector(message))))
