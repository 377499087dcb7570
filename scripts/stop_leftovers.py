"""Stop a Postgres that a killed local workspace left behind; nothing else can outlive it.

``make stop`` calls it with the state folder. A running workspace is left alone: stop that with Ctrl-C.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path


def main(state: Path) -> int:
    """Stop leftovers of ``state``. Returns 1 when a workspace is running there."""
    lock = state / "lock"
    if not lock.exists():
        print(f"Nothing was started in {state}.")
        return 0
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"A local workspace is running in {state}; stop it with Ctrl-C in its terminal.", file=sys.stderr)
            return 1
        stopped = [pid for pid_file in state.rglob("postmaster.pid") if (pid := _stop(pid_file)) is not None]
    (state / "workspace.env").unlink(missing_ok=True)
    print(f"Stopped Postgres ({', '.join(map(str, stopped))})." if stopped else "Nothing was left behind.")
    return 0


def _stop(pid_file: Path) -> int | None:
    """Ask the postmaster of ``pid_file`` to shut down at once; None when it is not running."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc").exists() else b"postgres"
    except (OSError, ValueError):
        return None
    if b"postgres" not in command:
        return None
    try:
        os.kill(pid, signal.SIGINT)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.05)
    except ProcessLookupError:
        return pid
    return pid


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".local").absolute()))
