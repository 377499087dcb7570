"""The Model Serving page: `page.py` has layout and callbacks, `panels.py` and `answers.py` what they draw."""

from dashboard.pages.model_serving.page import layout, register

__all__ = ["layout", "register"]
