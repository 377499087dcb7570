"""Model Serving through its page: a form that fits the model, the answer with its input, the chat as it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser


def choose(window: Window, name: str) -> None:
    """Open an endpoint from the list."""
    window.until(f"[...document.querySelectorAll('.lf-list .mono')].some((one) => one.textContent === '{name}')")
    next(row for row in window.all(".lf-list button") if row.text.startswith(name)).click()
    window.wait_text("#serving-title", name)


def view(window: Window, label: str) -> None:
    """Show the input as a form, JSON or code."""
    next(one for one in window.all("#serving-view label") if one.text == label).click()


def field(window: Window, name: str) -> object:
    """The control of one column."""
    return next(
        one
        for one in window.all(".lf-form-fields input, .lf-form-fields textarea")
        if f'"{name}"' in (one.get_attribute("id") or "")
    )


def fill(window: Window, name: str, text: str) -> None:
    """Replace what stands in a field."""
    control = field(window, name)
    control.send_keys(Keys.CONTROL, "a")  # type: ignore[attr-defined]
    control.send_keys(text)  # type: ignore[attr-defined]


def test_prediction_says_input_identity_version_and_history(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    fill(window, "trip_distance", "12.5")
    window.until("document.getElementById('serving-json-text').value.includes('12.5')")
    window.click("#serving-predict")
    window.wait_text("#serving-strip", "written to your history")
    strip = window.find("#serving-strip").text
    assert "analyst@example.com" in strip
    assert "trip_fare version 1" in strip
    assert 20 < float(window.find(".lf-answer").text) < 80
    assert "12.5" in window.find(".lf-input-table").text
    window.wait_text("#serving-history", "12.5, 10001")
    window.click("[data-toggle=serving-raw]")
    assert '"predictions"' in window.find("#serving-raw").text


def test_wrong_value_is_said_at_its_field_and_not_sent(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    fill(window, "dropoff_zip", "1137l")
    window.wait_text(".lf-form-fields", "Whole number expected: the last sign is a letter.")
    control = field(window, "dropoff_zip")
    window.until("document.querySelector('.lf-form-fields .is-invalid').getAttribute('aria-invalid') === 'true'")
    assert control.get_attribute("aria-describedby")  # type: ignore[attr-defined]
    window.click("#serving-predict")
    window.wait_text("#serving-result", "Not asked.")


def test_json_and_code_are_in_step_with_the_form(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    fill(window, "trip_distance", "3.25")
    window.until("document.getElementById('serving-json-text').value.includes('3.25')")
    view(window, "Code")
    window.wait_text("#serving-code", "3.25")
    code = window.find("#serving-code").text
    assert "$DATABRICKS_TOKEN" in code
    assert "WorkspaceClient()" in code
    view(window, "JSON")
    box = window.find("#serving-json-text")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys('{"dataframe_records": [{"nonsense": 1}]}')
    window.click("#serving-predict")
    window.wait_text("#serving-result", "The model refused the input.")


def test_probabilities_are_drawn_as_bars(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "review-sentiment")
    window.click("#serving-predict")
    window.wait_text("#serving-strip", "review_sentiment version")
    shares = [float(one.text.split()[-2]) for one in window.all(".lf-chance")]
    assert len(shares) == 2
    assert abs(sum(shares) - 100) < 0.2


def test_model_that_does_not_answer_is_said_and_can_be_waited_for(
    window: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    live.faults({"faults": [{"service": "model_serving", "match": "invocations", "status": 500, "times": 20}]})
    try:
        window.click("#serving-predict")
        window.wait_text("#serving-result", "No answer.")
        words = window.find("#serving-result").text
        assert "Model service temporarily unavailable. Please try again in a few moments." in words
        assert "MODEL_UNAVAILABLE" in words
        assert axe(window) == []
    finally:
        live.clear_faults()
    window.click("#serving-longer")
    window.wait_text("#serving-strip", "trip_fare version 1")
    assert window.find("#serving-limit").get_attribute("value") == "120"


def test_chat_shows_words_as_they_come_and_stops(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    box = window.find("#chat-message")
    box.send_keys("word " * 120)
    box.send_keys(Keys.ENTER)
    window.until("document.querySelector('.lf-msg:last-child .lf-prose')?.textContent.length > 20")
    early = len(window.find(".lf-msg:last-child .lf-prose").text)
    window.until(f"document.querySelector('.lf-msg:last-child .lf-prose').textContent.length > {early + 10}")
    stop = window.driver.find_element(By.CSS_SELECTOR, "[data-chat-stop]")
    assert stop.is_displayed()
    stop.click()
    window.wait_text(".lf-msg:last-child .who", "stopped after")
    assert len(window.find(".lf-msg:last-child .lf-prose").text) > early
    assert window.problems() == []


def test_chat_text_is_never_markup(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    window.find("#chat-message").send_keys("<img src=x onerror=alert(1)>", Keys.ENTER)
    window.wait_text(".lf-msg:last-child .who", "in all")
    assert window.all(".lf-chat img") == []
    window.wait_text("#serving-history", "<img")
