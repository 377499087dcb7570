"""Make sure that Chromium and its driver are there for the browser tests; install Debian's packages when allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_PACKAGES = ("chromium", "chromium-driver")
_HOW = "Install Chromium and ChromeDriver (Debian: apt-get install chromium chromium-driver) and put both on the PATH."


def installed() -> bool:
    """Whether a Chromium and a driver are on the PATH."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return bool(browser and shutil.which("chromedriver"))


def main() -> int:
    """Install what is missing. Returns 0 when browser tests can run, 1 (and says how) when they cannot."""
    if installed():
        return 0
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print(f"The browser tests need Chromium. {_HOW}", file=sys.stderr)
        return 1
    print("Installing Chromium for the browser tests …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *_PACKAGES]):
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [apt, "-qq", *command], env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode != 0:
            print(f"apt-get {command[0]} failed: {done.stderr.strip()}\n{_HOW}", file=sys.stderr)
            return 1
    return 0 if installed() else 1


if __name__ == "__main__":
    sys.exit(main())
