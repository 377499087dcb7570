"""Model Serving through its page: a form that fits the model, the answer with its input, the chat as it is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import NARROW, WIDE, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser


def choose(window: Window, name: str) -> None:
    """Open an endpoint from the list; once more when the list was drawn anew under the click."""
    window.until(f"[...document.querySelectorAll('.lf-list .mono')].some((one) => one.textContent === '{name}')")
    for _ in range(2):
        next(row for row in window.all(".lf-list button") if row.text.startswith(name)).click()
        with suppress(TimeoutException):
            window.until(f"document.getElementById('serving-title')?.textContent.includes('{name}')", 6)
            return
    raise AssertionError(f"{name} was not opened")


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
    view(window, "Code")
    window.wait_text("#serving-code", "curl")  # also before anything was typed
    view(window, "JSON")
    window.wait_text("#serving-json [data-json-size]", "bytes of 16 MB")
    view(window, "One row")
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


def test_an_answer_goes_when_another_input_comes(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    window.click("#serving-predict")
    window.wait_text("#serving-strip", "written to your history")
    view(window, "JSON")  # the same input in other words
    assert "written to your history" in window.find("#serving-strip").text
    view(window, "Many rows")
    window.wait_text("#serving-result", "No answer yet")
    window.wait_text("#serving-strip", "nothing asked yet")
    window.click("#serving-score")
    window.wait_text("#serving-result", "for the rows of")
    view(window, "One row")
    window.wait_text("#serving-result", "No answer yet")


def test_details_say_what_cannot_be_known_and_lead_to_the_model(window: Window, live: LiveApp) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    window.click("#serving-details-button")
    window.wait_text("#serving-details", "Who else may is not told to this app.")
    words = window.find("#serving-details").text
    assert "access-management only, which user tokens of apps cannot have" in words
    assert "unity-catalog only, which user tokens of apps cannot have" in words
    assert "may query" in words
    link = window.driver.find_element(By.CSS_SELECTOR, "#serving-details a").get_attribute("href")
    assert link == f"{live.environment['DATABRICKS_HOST']}/explore/data/models/lakefront/sales/trip_fare"
    window.driver.get(link)
    page = window.find("main").text
    assert "stands in for Catalog Explorer" in page
    assert "Ridge regression" in page
    assert window.problems() == []


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


def test_the_strip_counts_while_the_model_is_asked(window: Window, live: LiveApp) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    live.faults({"faults": [{"service": "model_serving", "match": "invocations", "delay_seconds": 2, "times": 1}]})
    window.click("#serving-predict")
    window.until("document.querySelector('.lf-asking').checkVisibility({visibilityProperty: true})")
    window.until("/running for 1\\.\\d s/.test(document.querySelector('.lf-asking').textContent)")
    window.wait_text("#serving-strip", "written to your history")
    assert not window.find(".lf-asking").is_displayed()


def test_endpoints_that_cannot_be_listed_are_said_at_every_width_and_asked_again(
    window: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    live.faults({"faults": [{"service": "model_serving", "match": "serving-endpoints", "status": 500}]})
    try:
        window.size(NARROW)
        window.open("/model-serving")
        window.wait_text("#serving-panel", "The Databricks workspace does not answer")
        window.wait_text("#serving-history", "No endpoint is open")
        assert axe(window) == []
    finally:
        live.clear_faults()
        window.size(WIDE)
    window.wait_text(".lf-list-place", "could not be listed")
    window.problems()
    window.click("#serving-list-again")
    window.wait_text("#serving-title", "trip-fare")
    window.wait_text("#serving-count", "5")


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


def say(window: Window, *words: str) -> None:
    """Write into the chat and send it."""
    window.find("#chat-message").send_keys(*words, Keys.ENTER)


def test_chat_with_a_sleeping_endpoint_shows_its_steps_and_goes_on_by_itself(
    window: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    live.faults({"actions": ["model_serving.scale_to_zero"]})
    say(window, "good morning")
    window.wait_text(".lf-msg:last-child .lf-steps", "The compute starts")
    window.wait_text(".lf-msg:last-child .lf-steps", "so far")
    window.wait_text(".lf-msg:last-child .who", "waking up")
    assert window.driver.find_element(By.CSS_SELECTOR, "[data-chat-stop]").is_displayed()
    assert axe(window) == []
    window.wait_text(".lf-msg:last-child .who", "in all")
    assert window.all(".lf-msg:last-child .lf-steps") == []
    assert "good morning" in window.find(".lf-msg:last-child .lf-prose").text
    window.wait_text("#chat-waterline", "written to your history")
    window.wait_text("#serving-state-now", "Ready")


def test_chat_parameters_are_checked_at_their_fields_before_the_call(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    field = window.find("#chat-max_tokens")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("0")
    window.wait_text("#chat-max_tokens-note", "At least 1 expected.")
    say(window, "hello")
    assert window.focused() == "chat-max_tokens"
    assert window.all(".lf-msg") == []
    assert window.find("#chat-message").get_attribute("value") == "hello"
    window.wait_text("#chat-waterline", "not asked, because of max_tokens")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("3")
    window.until("!document.getElementById('chat-max_tokens').classList.contains('is-invalid')")
    say(window)
    window.wait_text(".lf-msg:last-child .who", "in all, 3 tokens")


def test_escape_stops_a_chat_wherever_the_focus_is_and_its_words_are_kept(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    window.find("#chat-message").send_keys("word " * 120)
    window.click("[data-chat-send]")
    window.until("document.querySelector('.lf-msg:last-child .lf-prose')?.textContent.length > 20")
    assert window.focused() == "Stop"  # the button that was pressed is asleep now
    window.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    window.wait_text(".lf-msg:last-child .who", "stopped after")
    kept = window.find(".lf-msg:last-child .lf-prose").text
    assert kept.startswith("This is a local echo")
    assert window.focused() == "chat-message"
    say(window, "go on")
    window.wait_text(".lf-msg:last-child .who", "in all")
    assert "your message number 2" in window.find(".lf-msg:last-child .lf-prose").text


_BROKEN = """
  const real = window.fetch, at = arguments[0];
  window.fetch = async (url, options) => {
    if (!String(url).includes("/invocations")) return real(url, options);
    const answer = await real(url, options), text = await answer.text();
    return new Response(text.slice(0, text.indexOf("data:", at)), { headers: answer.headers });
  };
"""


@pytest.mark.parametrize("endpoint", ["echo-chat", "echo-completion"])
def test_a_stream_that_breaks_in_the_middle_says_so_and_keeps_its_words(window: Window, endpoint: str) -> None:
    window.open("/model-serving")
    choose(window, endpoint)
    window.driver.execute_script(_BROKEN, 900)
    if endpoint == "echo-chat":
        say(window, "one two three four five six")
        place = ".lf-msg:last-child"
    else:
        window.click("#serving-predict")
        place = "[data-live]"
    window.wait_text(place, "The answer broke off here; what came is kept.")
    assert "STREAM_BROKE_OFF" in window.find(place).text
    assert "local echo" in window.find(f"{place} .lf-prose, {place} [data-live-text]").text
    assert "failed after" in window.find(place).text


def test_a_completion_appears_word_by_word_and_stops(window: Window, live: LiveApp) -> None:
    window.open("/model-serving")
    choose(window, "echo-completion")
    fill(window, "prompt", "word " * 120)
    window.until("document.getElementById('serving-json-text').value.includes('word word')")
    window.click("#serving-predict")
    window.until("document.querySelector('[data-live-text]')?.textContent.length > 20")
    early = len(window.find("[data-live-text]").text)
    window.until(f"document.querySelector('[data-live-text]').textContent.length > {early + 10}")
    window.click("[data-live-stop]")
    window.wait_text("[data-live-about]", "stopped after")
    assert len(window.find("[data-live-text]").text) > early
    fill(window, "prompt", "short")
    window.until("document.getElementById('serving-json-text').value.includes('short')")
    live.faults({"actions": ["model_serving.scale_to_zero"]})
    window.click("#serving-predict")
    window.wait_text("[data-live-waking] .lf-steps", "The compute starts")
    window.wait_text("#serving-live-strip", "written to your history")
    assert window.find("[data-live-text]").text.endswith("short")
    assert window.problems() == []


def test_a_wrong_parameter_of_a_completion_is_not_sent(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-completion")
    fill(window, "max_tokens", "many")
    window.wait_text(".lf-form-fields", "Whole number expected.")
    window.click("#serving-predict")
    window.wait_text("#serving-result", "Not asked.")
    assert window.all("[data-live]") == []


def test_what_a_model_writes_is_read_as_text_with_a_little_markdown(window: Window) -> None:
    window.open("/model-serving")
    read = (
        "const box = document.createElement('div'); box.append(...lakefrontProse(arguments[0])); return box.innerHTML"
    )

    def html(text: str) -> str:
        return str(window.driver.execute_script(read, text))

    assert html("a **b** *c* `<i>`") == "<p>a <b>b</b> <i>c</i> <code>&lt;i&gt;</code></p>"
    assert html("2 * 3 * 4 and snake_case_name") == "<p>2 * 3 * 4 and snake_case_name</p>"
    assert html("<script>x</script>\n\n<img src=x onerror=y>").count("&lt;") == 3
    assert "href" not in html("[x](javascript:alert(1)) [y](data:text/html,z)")
    assert 'href="https://a.example/b"' in html("[x](https://a.example/b)")
    assert html("see:\n- one\n- two") == "<p>see:</p><ul><li>one</li><li>two</li></ul>"
    assert html("3. three\n4. four") == '<ol start="3"><li>three</li><li>four</li></ol>'
    assert ">select 1\n&lt;b&gt;</pre>" in html("```sql\nselect 1\n<b>\n```\nafter")
    assert ">still open</pre>" in html("```\nstill open")


def test_chat_text_is_never_markup(window: Window) -> None:
    window.open("/model-serving")
    choose(window, "echo-chat")
    window.find("#chat-message").send_keys("<img src=x onerror=alert(1)>", Keys.ENTER)
    window.wait_text(".lf-msg:last-child .who", "in all")
    assert window.all(".lf-chat img") == []
    window.wait_text("#serving-history", "<img")
