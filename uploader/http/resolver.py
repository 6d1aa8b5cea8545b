"""Names to addresses within a deadline: the system's resolver knows none."""

from __future__ import annotations

import queue
import socket
import threading

import httpcore

Addresses = list[str]


def resolve(host: str, port: int, timeout_s: float) -> Addresses:
    """Return the addresses of ``host``, each once, in the system's order.

    The system's resolver takes as long as it is set to, 10 s and more without a server, so it runs
    in a thread; one that does not come back is left behind and ends when the resolver does.

    Raises
    ------
    httpcore.ConnectTimeout
        not within ``timeout_s``.
    httpcore.ConnectError
        the name is unknown.
    """
    answers: queue.SimpleQueue[Addresses | OSError] = queue.SimpleQueue()
    lookup = threading.Thread(
        target=_look_up, args=(host, port, answers), name="resolver", daemon=True
    )
    lookup.start()
    try:
        found = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"{host}: the name was not resolved in time") from None
    if isinstance(found, OSError):
        raise httpcore.ConnectError(str(found)) from found
    return found


def _look_up(host: str, port: int, answers: queue.SimpleQueue[Addresses | OSError]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        answers.put(error)
    except UnicodeError as error:  # a label too long for IDNA
        answers.put(OSError(str(error)))
    else:
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
