"""Lakefront's composition root: settings -> services -> server.

``python app.py`` serves the app as the Apps platform starts it; ``app:server`` is the WSGI application for another
server (``gunicorn 'app:server()'``).
"""

from __future__ import annotations

import os
import sys

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from dashboard.server import create_server
from services.container import Services, build
from services.observability import configure_logging
from services.settings import ConfigurationError, Settings, load

_GRACEFUL_SECONDS = 10
"""The Apps platform sends SIGTERM and, 15 seconds later, SIGKILL."""


def server() -> Flask:
    """The WSGI application of the environment's settings, with its services started.

    Raises:
        ConfigurationError: the environment does not configure the app.
    """
    settings = load(dict(os.environ))
    configure_logging(settings.log_level)
    services = build(settings)
    services.start()
    return create_server(services)


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines go where all others go: JSON on stdout."""

    def setup(self, cfg: object) -> None:
        """Leave the handlers to ``configure_logging``."""


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """One worker with threads: calls wait for services, not for the CPU, and one process is one pool, one cache."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: Services | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options = {
            "bind": f"{self._settings.flask_run_host}:{self._settings.databricks_app_port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._settings.server_threads,
            "timeout": 130,  # longer than the Apps proxy's own 120 s, so that gunicorn never cuts first
            "graceful_timeout": _GRACEFUL_SECONDS,
            "keepalive": 75,
            "accesslog": None,
            "preload_app": False,  # connections and threads do not survive the fork
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108, PTH112
            "worker_exit": lambda _server, _worker: self._close(),
            "logger_class": _JsonLogger,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application inside the worker."""
        configure_logging(self._settings.log_level)
        self._services = build(self._settings)
        self._services.start()
        return create_server(self._services)

    def _close(self) -> None:
        if self._services is not None:
            self._services.close()


def main() -> int:
    """Serve until SIGTERM. Returns 1 when the environment does not configure the app."""
    try:
        settings = load(dict(os.environ))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    configure_logging(settings.log_level)
    _Gunicorn(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
