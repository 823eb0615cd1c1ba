"""One thread for the numerical libraries while samples are computed.

Their results depend in the last digits on the number of threads, which belongs to the whole
process: where threads of one process have samples to compute, they wait for each other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock

__all__ = ["one_thread"]

_LOCK = Lock()


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
    with _LOCK, import_module("threadpoolctl").threadpool_limits(1), _torch():
        yield


@contextmanager
def _torch() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
