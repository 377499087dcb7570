"""Model Serving page."""

from dash import Dash, html
from dash.development.base_component import Component

from services.container import Services


def layout() -> Component:
    """Return the page as it is before anything answered."""
    return html.Div(html.Div(html.Div(html.H1("Model Serving")), className="lf-head"), className="lf-page")


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
