"""Virtual environments of deployed apps, made from their ``requirements.txt`` and kept by its hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Callable
from pathlib import Path

from local_workspace.apps.app_spec import AppError

INSTALL_SECONDS = 600
"""The platform's limit for a deployment, installation included."""
_READY = ".ready"


class Venvs:
    """A folder of virtual environments. Two deployments with the same requirements share one. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when it is needed."""
        self._folder = folder
        self._lock = threading.Lock()

    def interpreter_folder(self, source: Path, report: Callable[[str], None]) -> Path:
        """The folder with ``python`` for the app in ``source``; makes the environment when it is not there.

        Args:
            source: the app's files.
            report: told what is going on, and pip's output when it fails.

        Raises:
            AppError: pip refused, or ``pyproject.toml`` with ``uv.lock`` is used, which needs uv.
        """
        requirements = source / "requirements.txt"
        if not requirements.is_file() and (source / "uv.lock").is_file():
            raise AppError("The local workspace installs from requirements.txt; an app with uv.lock needs one too.")
        text = requirements.read_text(encoding="utf-8") if requirements.is_file() else ""
        key = hashlib.sha256(f"{sys.version_info[:2]}\n{text}".encode()).hexdigest()[:20]
        home = self._folder / key
        with self._lock:
            if not (home / _READY).is_file():
                self._make(home, source, text, report)
            else:
                report("Requirements are unchanged: using the environment of an earlier deployment.\n")
        return home / "bin"

    def _make(self, home: Path, source: Path, text: str, report: Callable[[str], None]) -> None:
        shutil.rmtree(home, ignore_errors=True)  # what an interrupted installation left
        venv.create(home, with_pip=False, symlinks=True)
        if any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
            report("Installing requirements.txt.\n")
            self._install(home, source, report)
        (home / _READY).touch()

    @staticmethod
    def _install(home: Path, source: Path, report: Callable[[str], None]) -> None:
        command = [
            sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install", "--quiet", "--no-input",
            "--no-compile", "--disable-pip-version-check", "--requirement", "requirements.txt",
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - our own pip with fixed arguments
                command, cwd=source, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise AppError(f"Installing requirements.txt took longer than {INSTALL_SECONDS} seconds.") from None
        if done.returncode != 0:
            report(done.stdout + done.stderr)
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
            raise AppError(f"Installing requirements.txt failed:\n{last}")
