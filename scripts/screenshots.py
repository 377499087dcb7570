"""Take the pictures of the documentation: the real product, in a real browser, at two sizes and in both themes.

``python -m scripts.screenshots`` (``make screenshots``) starts the whole product on a folder of its own and writes
``docs/images``; names of pictures take only those. A machine that makes pictures should have the fonts Inter and
JetBrains Mono (Debian: fonts-inter, fonts-jetbrains-mono).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs/images"
TAXI_ROWS = 10_000_000
READY_SECONDS = 120
_SETTLED_SECONDS = 5
"""A picture is of the settled page; there is no event for "nothing moves any more"."""

_FILTER = (
    '[{"column":"fare_amount","operator":"ge","value":25},'
    '{"column":"pickup_zip","operator":"in","value":[10001,10018,10119]}]'
)
_SORT = '[{"column":"tpep_pickup_datetime","direction":"desc"}]'
_TRIPS = f"/unity-catalog?table=samples.nyctaxi.trips&filter={quote(_FILTER)}&sort={quote(_SORT)}"


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, the page, the theme, the size in CSS pixels, what is pressed first."""

    name: str
    path: str
    theme: str = "light"
    width: int = 1440
    height: int = 900
    press: str | None = None


PICTURES = (
    Picture("welcome", "/"),
    Picture("unity_catalog", _TRIPS),
    Picture("unity_catalog_dark", _TRIPS, "dark"),
    Picture("unity_catalog_phone", _TRIPS, "light", 390, 844),
    Picture("unity_catalog_chart", f"{_TRIPS}&view=chart"),
    Picture("unity_catalog_profile", f"{_TRIPS}&view=profile"),
    Picture("unity_catalog_details", "/unity-catalog?table=lakefront.sales.customers&view=details"),
    Picture("unity_catalog_denied", "/unity-catalog?table=lakefront.restricted.salaries"),
    Picture("lakebase", "/lakebase", press='[id*="map.default_view"]'),
    Picture("model_serving", "/model-serving", press="#serving-predict"),
    Picture("status", "/status"),
)


def main(names: list[str]) -> int:
    """Start the product, take the pictures of these names, or every one without names, stop it. Returns 0."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lakefront-pictures-") as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(  # noqa: S603 - fixed arguments
            [
                sys.executable,
                *("-m", "local_workspace", "--app", ".", "--sample-data", "--state", f"{folder}/state"),
                *("--front-door-port", str(port), "--taxi-rows", str(TAXI_ROWS)),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(f"http://127.0.0.1:{port}")
            _prepare(f"http://127.0.0.1:{port}")
            for picture in (one for one in PICTURES if not names or one.name in names):
                _take(f"http://127.0.0.1:{port}", picture)
                print(f"docs/images/{picture.name}.png")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return 0


def _wait(url: str) -> None:
    """Until the app answers and the large table can be counted."""
    deadline = time.monotonic() + READY_SECONDS
    rows = f"{url}/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows?limit=1&count=true"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(rows, timeout=60) as answer:  # noqa: S310 - our own address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    raise RuntimeError(f"the product was not ready within {READY_SECONDS} s")


def _prepare(url: str) -> None:
    """A few records, so that the pages show what they are for."""
    records = (
        ("report.recipients", '["ada@example.com", "finance@example.com"]'),
        ("map.default_view", '{"center": [40.7549, -73.984], "zoom": 12.5, "layers": ["zones", "airports"]}'),
        ("chart.palette", '"lake"'),
    )
    for key, value in records:
        body = f'{{"preference_key": "{key}", "preference_value": {value}}}'.encode()
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{url}/api/v1/preferences", data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass


def _take(url: str, picture: Picture) -> None:
    driver = _browser(picture)
    try:
        driver.get(url + picture.path)
        time.sleep(_SETTLED_SECONDS)
        if picture.press is not None:
            driver.find_element(By.CSS_SELECTOR, picture.press).click()
            time.sleep(_SETTLED_SECONDS)
        driver.save_screenshot(str(IMAGES / f"{picture.name}.png"))
    finally:
        driver.quit()


def _browser(picture: Picture) -> WebDriver:
    os.environ.setdefault("SE_OFFLINE", "true")
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"):
        options.add_argument(argument)
    options.add_argument("--disable-background-networking")
    driver = webdriver.Chrome(options=options)
    metrics = {
        "width": picture.width,
        "height": picture.height,
        "deviceScaleFactor": 1,
        "mobile": picture.width < 500,
    }
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": picture.theme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    return driver


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
