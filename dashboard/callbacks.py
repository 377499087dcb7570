"""`callback(app, …)`: Dash's own decorator, with the types of the decorated function kept."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

# Plotly's JSON writer, which writes every answer, looks into pandas when that is loaded. The warehouse client loads it
# in its thread with the first rows; an answer written meanwhile would meet half a module and fail: so it comes first.
import pandas as pd  # noqa: F401
from dash import Dash

P = ParamSpec("P")
R = TypeVar("R")


def callback(app: Dash, *dependencies: Any, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator that registers a callback of `app`; arguments as for `Dash.callback`."""
    return cast(Callable[[Callable[P, R]], Callable[P, R]], app.callback(*dependencies, **options))
