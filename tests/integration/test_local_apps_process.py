"""App processes: started, watched, stopped, and found again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local_workspace.apps import process
from local_workspace.apps.app_spec import AppError
from local_workspace.apps.process import AppProcess, free_port

SERVE = """
import http.server, os, subprocess, sys
print("hello from", os.environ["NAME"], flush=True)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE


def _process(tmp_path: Path, code: str, sink: list[bytes] | None = None) -> AppProcess:
    (tmp_path / "a.py").write_text(code)
    port = free_port()
    lines: list[bytes] = [] if sink is None else sink
    environment = {"NAME": "app", "PATH": str(Path(sys.executable).parent)}
    return AppProcess(["python", "a.py", str(port)], environment, tmp_path, port, lines.append, tmp_path / "pid")


def _gone(pid: int) -> bool:
    """Whether the process ends within two seconds; one that only waits for its parent to notice counts as ended."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_it_answers_logs_and_stops_with_its_children(tmp_path: Path) -> None:
    lines: list[bytes] = []
    app = _process(tmp_path, SERVE, lines)
    app.start()
    try:
        app.wait_until_answers(20)
        assert app.running
        assert lines[0] == b"hello from app\n"
        child = int(lines[1].split()[1])
    finally:
        status = app.stop()
    assert status == -signal.SIGTERM
    assert _gone(child)
    assert not (tmp_path / "pid").exists()
    assert app.stop() == -signal.SIGTERM


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    app = _process(tmp_path, STUBBORN)
    app.start()
    app.wait_until_answers(20)
    begun = time.monotonic()
    assert app.stop(0.5) == -signal.SIGKILL
    assert 0.4 < time.monotonic() - begun < 5
    assert process.STOP_SECONDS == 15


def test_an_app_that_ends_at_once_fails_with_its_last_lines(tmp_path: Path) -> None:
    app = _process(tmp_path, "print('setting up')\nraise SystemExit('no database')")
    app.start()
    with pytest.raises(AppError, match=r"(?s)exit status 1 before it listened.*setting up\nno database"):
        app.wait_until_answers(20)
    assert app.stop() == 1


def test_an_app_that_never_listens_fails_in_time(tmp_path: Path) -> None:
    app = _process(tmp_path, "import time; print('busy', flush=True); time.sleep(60)")
    app.start()
    with pytest.raises(AppError, match=r"(?s)did not listen on port \d+ within 1 seconds.*busy"):
        app.wait_until_answers(1)
    app.stop(1)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    app = AppProcess(["nonesuch"], {"PATH": "/nowhere"}, tmp_path, 1, lambda _: None, tmp_path / "pid")
    with pytest.raises(AppError, match="there is no program 'nonesuch'"):
        app.start()


def test_an_app_ends_with_the_workspace_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SERVE)
    workspace = (
        "import sys, time; from pathlib import Path; from local_workspace.apps.process import AppProcess, free_port\n"
        "port, folder = free_port(), Path(sys.argv[1])\n"
        "environment = {'NAME': 'app', 'PATH': str(Path(sys.executable).parent)}\n"
        "say = lambda line: print(line.decode(), end='', flush=True)\n"
        "AppProcess(['python', 'a.py', str(port)], environment, folder, port, say, folder / 'pid').start()\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", workspace, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "hello from app\n"
        child = int(killed.stdout.readline().split()[1])
        app = int((tmp_path / "pid").read_text().split()[0])
        killed.kill()
    assert _gone(app)
    assert _gone(child)


def test_what_a_killed_workspace_left_behind_is_ended(tmp_path: Path) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    (tmp_path / "pid").write_text(f"{left.pid} {psutil.Process(left.pid).create_time()}")
    process.reclaim(tmp_path / "pid")
    left.wait(5)
    assert not psutil.pid_exists(left.pid)
    assert not (tmp_path / "pid").exists()


def test_another_process_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()} 1.0")
    process.reclaim(tmp_path / "pid")
    assert not (tmp_path / "pid").exists()
