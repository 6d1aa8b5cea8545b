"""``facelight serve``: the local service for development and tests."""

from __future__ import annotations

import ipaddress
import os
import signal
import sys
import threading
from dataclasses import replace
from enum import StrEnum

import typer

from facelight.errors import SettingsError

FREE_TIER_CALLS_PER_MINUTE = 20


class ResponseShape(StrEnum):
    """The documented shapes of a 200."""

    NESTED = "nested"
    FLAT = "flat"


def serve(
    port: int = typer.Option(8765, min=0, max=65535, help="Port; 0 takes any free one."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; loopback unless --expose."),
    expose: bool = typer.Option(
        False,
        "--expose",
        help="Allow an address that other machines reach; needs FACELIGHT_KEY. The traffic, faces "
        "included, is not encrypted.",
    ),
    fault: list[str] = typer.Option(
        [],
        "--fault",
        metavar="WHAT:PROBABILITY[:ARG]",
        help="Inject a fault, for example 429:0.3:7s, 403:0.1:2d, 408:0.1, 503:0.2:5s, "
        "stall:0.1:5s, drop:0.1:before|after|during. May be given several times.",
    ),
    fault_seed: int | None = typer.Option(None, help="Makes the sequence of faults repeatable."),
    shape: ResponseShape = typer.Option(ResponseShape.NESTED, help="Shape of the 200."),
    free_key: bool = typer.Option(
        False,
        "--free-key",
        help=f"Hold the key to the free tier's {FREE_TIER_CALLS_PER_MINUTE} calls a minute.",
    ),
) -> None:
    """Run the local service: a stand-in that speaks the contract and is no liveness detector.

    Its key is the environment's FACELIGHT_KEY, or "local" when that is unset.
    """
    from facelight.service.faults import parse_fault
    from facelight.service.options import DEFAULT_KEY, ServiceOptions, Shape
    from facelight.service.server import LocalService
    from uploader.secret_environment import surroundings

    key = surroundings().get("FACELIGHT_KEY") or None
    check_host(host, expose=expose, has_key=key is not None)
    options = replace(
        ServiceOptions(),
        shape=Shape(shape.value),
        fault_seed=fault_seed,
        calls_per_minute=FREE_TIER_CALLS_PER_MINUTE if free_key else None,
    )
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: stop.set())
    faults = tuple(parse_fault(text) for text in fault)
    with LocalService(key or DEFAULT_KEY, faults, options=options, host=host, port=port) as service:
        typer.echo(f"listening on {service.url}")
        # a wait without end cannot be interrupted on Windows
        while not stop.wait(0.5):
            service.check()
    if not service.idle:  # native code in a thread does not outlive the interpreter unharmed
        sys.stdout.flush()
        os._exit(0)


def check_host(host: str, *, expose: bool, has_key: bool) -> None:
    """Keep the service on loopback unless it is told otherwise and has a key of its own.

    Raises
    ------
    SettingsError
        names the flag or variable that is missing.
    """
    if host == "localhost" or _is_loopback(host):
        return
    if not expose:
        raise SettingsError(
            f"--host {host}: expected a loopback address such as 127.0.0.1 (--expose allows others)"
        )
    if not has_key:
        raise SettingsError(f"--host {host}: set FACELIGHT_KEY, the default key is public")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
