"""One thread for the numerical libraries while samples are computed.

Their results depend in the last digits on the number of threads. It belongs to the whole process,
so that threads which compute at the same time share it: the last one to leave gives it back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from threading import Lock

__all__ = ["one_thread"]

_LOCK = Lock()
_INSIDE: list[ExitStack] = []
"""What gives the threads back, one for everybody who is inside; the first knows how many."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS, OpenMP and PyTorch, where they are loaded, to one thread.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> with one_thread():
    ...     {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    {1}
    """
    with _LOCK:
        _INSIDE.append(_limit())
    try:
        yield
    finally:
        with _LOCK:
            back = _INSIDE.pop()
            if not _INSIDE:
                back.close()


def _limit() -> ExitStack:
    """Set the number of threads to 1, and how to set it back."""
    limits = ExitStack()
    limits.enter_context(import_module("threadpoolctl").threadpool_limits(1))
    torch = sys.modules.get("torch")
    if torch is not None:
        limits.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
    return limits
