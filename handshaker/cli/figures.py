"""Where a worker offers its figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from handshaker.errors import SettingsInvalid
from handshaker.metrics import Measures

HOST = "127.0.0.1"


@contextmanager
def offered(measures: Measures, port: int | None) -> Iterator[int | None]:
    """Offer figures to Prometheus on loopback meanwhile; yields the port (0 took a free one), or ``None``.

    Raises ``SettingsInvalid`` where something else listens there.
    """
    if port is None:
        yield None
        return
    try:
        server, thread = start_http_server(port, HOST, registry=measures.registry)
    except OSError as error:
        raise SettingsInvalid(
            f"The port {port} of {HOST} cannot be used for figures: {error.strerror}.", setting="worker_metrics_port"
        ) from error
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
