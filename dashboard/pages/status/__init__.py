"""The Status page: `page.py` has the rows of the services, `cards.py` pools, warm-up and the person's errors."""

from dashboard.pages.status.page import layout, register

__all__ = ["layout", "register"]
