"""The theme that a person prefers: read when the app is opened, kept when it is changed, the same in every browser.

assets/theme.js shows what this browser showed last before the first paint, so nothing flashes; the person's own record
arrives a moment later and wins. Without an answer from Lakebase the browser's choice stands.
"""

import json
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, no_update
from dash.development.base_component import Component
from loguru import logger

from dashboard.callbacks import callback
from dashboard.identity import current_user
from dashboard.preferences import THEME
from services.container import Services
from services.errors import LakefrontError, NotFound
from services.lakebase import PREFERENCE

APPLIED = "appearance-applied"  # JSON text of the theme that this browser is to show
PRESSED = "appearance-pressed"  # the theme that the button in the top bar chose
BUTTON = "theme-toggle"


def stores() -> list[Component]:
    """Return what the frame keeps for this: the theme to show, and the one that was chosen here."""
    return [dcc.Store(id=APPLIED), dcc.Store(id=PRESSED)]


def register(app: Dash, services: Services, arrival: str) -> None:
    """Add the callbacks; `arrival` is the id of the store that the frame fills once for each load."""
    app.clientside_callback(
        ClientsideFunction("lakefront", "applyTheme"), Output(APPLIED, "id"), Input(APPLIED, "data")
    )
    app.clientside_callback(
        ClientsideFunction("lakefront", "toggleTheme"), Output(PRESSED, "data"), Input(BUTTON, "n_clicks")
    )

    @callback(app, Output(APPLIED, "data"), Input(arrival, "data"))
    def read(_: Any) -> Any:
        """Read the person's theme; runs as the app, for the person."""
        try:
            text = services.lakebase.get_record(current_user(), PREFERENCE, THEME.key).value
        except NotFound:
            return no_update
        except LakefrontError as error:
            logger.info("the theme was not read: {}", error.error_code)
            return no_update
        return text if THEME.accepts(json.loads(text)) else no_update

    @callback(app, Output(PRESSED, "id"), Input(PRESSED, "data"), prevent_initial_call=True)
    def keep(theme: str | None) -> Any:
        """Keep the theme that was chosen with the button; runs as the app, for the person."""
        if theme and THEME.accepts(theme):
            try:
                services.lakebase.save_record(current_user(), PREFERENCE, THEME.key, json.dumps(theme))
            except LakefrontError as error:
                logger.info("the theme was kept in the browser only: {}", error.error_code)
        return no_update
