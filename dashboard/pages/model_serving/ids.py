"""Ids and sizes of the Model Serving page, in one place."""

LIST = "serving-list"
COUNT = "serving-count"
REFRESH = "serving-refresh"
ROW = "serving-row"
SELECT = "serving-select"
CHOSEN = "serving-chosen"
PANEL = "serving-panel"
VIEW = "serving-view"
FIELD = "serving-field"
FIELD_NOTE = "serving-field-note"
FORM_VIEW = "serving-form-view"
JSON_VIEW = "serving-json-view"
CODE_VIEW = "serving-code-view"
JSON_FIELD = "serving-json"
JSON_TEXT = "serving-json-text"
CODE = "serving-code"
PREDICT = "serving-predict"
EXAMPLE = "serving-example"
LIMIT = "serving-limit"
RESULT = "serving-result"
STRIP = "serving-strip"
HISTORY = "serving-history"
HISTORY_STATUS = "serving-history-status"
HISTORY_REFRESH = "serving-history-refresh"  # assets/chat.js presses it when an answer ends
AGAIN = "serving-again"
ANSWERED = "serving-answered"
LONGER = "serving-longer"

HISTORY_SIZE = 20
STRIP_SIZE = 12
LONGER_SECONDS = 120
