"""One browser for all browser tests, pointed at the whole product as `make run` starts it, and axe-core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import pytest
from selenium.webdriver import ChromeOptions
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.support.live import LiveApp

os.environ.setdefault("SE_OFFLINE", "true")
os.environ.setdefault("SE_AVOID_STATS", "true")

WIDE, NARROW = (1440, 900), (390, 844)
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules about colours: all that another theme can break."""
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium, driven through Dash's own testing API."""
    from dash.testing.browser import Browser  # type: ignore[import-not-found]

    options = ChromeOptions()
    for argument in ("--force-color-profile=srgb", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = Browser(
        browser="Chrome",
        headless=True,
        options=options,
        download_path=str(tmp_path_factory.mktemp("downloads")),
        percy_run=False,
        percy_finalize=False,
        percy_assets_root="",
        wait_timeout=15,
    )
    try:
        yield running
    finally:
        running.driver.quit()


class Window:
    """The browser window with the app in it."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        self.driver = browser.driver
        self._url = url

    def open(self, path: str, wait_for: str = "#main h1, #main h2") -> None:
        """Load a page and wait for its content."""
        self.driver.get(f"{self._url}{path}")
        self.find(wait_for)

    def find(self, selector: str) -> WebElement:
        """The first element of a selector, waited for."""
        element: WebElement = self.browser.wait_for_element(selector)
        return element

    def all(self, selector: str) -> list[WebElement]:
        """Every element of a selector that is there now."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def wait_text(self, selector: str, text: str) -> None:
        """Wait until an element contains a text."""
        self.browser.wait_for_contains_text(selector, text)

    def click(self, selector: str) -> None:
        """Click an element, waited for; once more when it was drawn anew between finding and clicking."""
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        def press(driver: Any) -> bool:
            element = driver.find_element(By.CSS_SELECTOR, selector)
            driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.browser.wait_for_element(selector)
        drawn_anew = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.driver, 15, poll_frequency=0.05, ignored_exceptions=drawn_anew).until(press)

    def until(self, script: str, timeout: float = 15) -> Any:
        """Wait until a JavaScript expression is true; gives its value."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, timeout, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(f"return {script}"), f"never true: {script}"
        )

    def size(self, size: tuple[int, int]) -> None:
        """Set the size of the page in CSS pixels."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, name: str) -> None:
        """Switch between `light` and `dark`, and wait until the colours have moved there."""
        self.driver.execute_script(f"window.lakefront.setTheme('{name}')")
        self.until("!document.getAnimations().some((one) => one instanceof CSSTransition)")

    def problems(self) -> list[str]:
        """Errors that the browser's console had since the last call (a refused script, a failed request)."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def focused(self) -> str:
        """The id of the focused element, or its text."""
        element = self.driver.switch_to.active_element
        return str(element.get_attribute("id") or element.text)


@pytest.fixture
def window(browser: Any, live: LiveApp) -> Iterator[Window]:
    """The window at desktop size in the light theme, without anything kept from the test before."""
    with live.client() as client:
        client.delete("/api/v1/preferences/theme")  # the person's own theme would win over the one of this browser
    shown = Window(browser, live.url)
    shown.size(WIDE)
    shown.driver.get(f"{live.url}/assets/favicon.svg")
    shown.driver.execute_script("localStorage.clear()")
    shown.problems()
    yield shown
    shown.driver.execute_script(
        "document.querySelectorAll('[data-dirty=true]').forEach((form) => form.setAttribute('data-dirty', 'false'))"
    )


class Axe(Protocol):
    """See the fixture ``axe``."""

    def __call__(self, window: Window, within: str = "html", *, rules: tuple[str, ...] = ()) -> list[str]: ...


@pytest.fixture(scope="session")
def axe() -> Axe:
    """`axe(window)`: the violations of the page as it stands, each with its rule and the element.

    ``within`` looks at one part of a page of which the rest was looked at before; ``rules`` asks for these alone.
    """
    source = Path(str(files("axe_playwright_python") / "axe.min.js")).read_text(encoding="utf-8")

    def run(window: Window, within: str = "html", *, rules: tuple[str, ...] = ()) -> list[str]:
        window.driver.execute_script(f"if (!window.axe) {{ {source} }}")
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": _AXE_TAGS}
        result = window.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document.querySelector(arguments[0]), {runOnly: arguments[1], resultTypes: ['violations']})"
            ".then(done, (e) => done({error: String(e)}))",
            within,
            only,
        )
        assert "error" not in result, result
        return [f"{one['id']}: {node['html'][:200]}" for one in result["violations"] for node in one["nodes"]]

    return run
