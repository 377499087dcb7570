"""The Dash app: frame, routing, headers, and what happens to an error that no page handled.

Pages are registered by hand in `PAGES`: `layout()` draws the empty page at once, `register(app, services)` adds the
callbacks that fill it. Layouts are functions, so each visit starts anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from dash import ClientsideFunction, Dash, Input, Output, dcc, html, set_props
from dash.development.base_component import Component
from flask import Flask, Response, redirect, request
from loguru import logger

from dashboard import appearance
from dashboard.callbacks import callback
from dashboard.components.account import POPOVER, account_button, account_card, account_missing
from dashboard.components.charts import templates
from dashboard.components.controls import button
from dashboard.components.dialog import dialog
from dashboard.components.feedback import TOASTS, blank, toast
from dashboard.components.signs import hidden, icon, mono
from dashboard.identity import current_user
from dashboard.pages import guides, lakebase, model_serving, status, unity_catalog, welcome
from dashboard.recent_errors import watch_api
from dashboard.security import content_security_policy, send_security_headers
from dashboard.vendor import STYLESHEETS, YEAR_SECONDS, serve_vendor_files
from services.container import Services
from services.errors import InternalError, LakefrontError
from services.observability import request_id

PRODUCT = "Lakefront"
LOCATION = "location"
MAIN = "main"
NAVIGATION = "navigation"
ACCOUNT = "account"
ARRIVAL = "arrival"
CHART_TEMPLATES = "chart-templates"

Register = Callable[[Dash, Services], None]


@dataclass(frozen=True)
class Page:
    """One page of the rail: where it is, what it is called (`short` on a phone), and how it is made."""

    path: str
    label: str
    icon_name: str
    layout: Callable[[], Component]
    register: Register
    short: str | None = None


PAGES = (
    Page("/", "Welcome", "house", welcome.layout, welcome.register),
    Page("/unity-catalog", "Unity Catalog", "table", unity_catalog.layout, unity_catalog.register, "Catalog"),
    Page("/lakebase", "Lakebase", "database", lakebase.layout, lakebase.register),
    Page("/model-serving", "Model Serving", "cpu", model_serving.layout, model_serving.register, "Models"),
    Page("/status", "Status", "activity", status.layout, status.register),
)
DOCS = Page("/guides", "Docs", "book", guides.layout, guides.register)
"""Not one of the five of the rail: it stands at its foot, on a phone in the account menu."""
_ANY_PATH = "/<path:path>"
"""Dash's own route for pages: it answers every path that no other route takes."""

_INDEX = """<!doctype html>
<html lang="en">
<head>
{{%metas%}}
<title>{{%title%}}</title>
<link rel="icon" type="image/svg+xml" href="{favicon}">
<script src="{theme}"></script>
{stylesheets}
{{%css%}}
</head>
<body>
{{%app_entry%}}
{{%config%}}
{{%scripts%}}
{{%renderer%}}
</body>
</html>
"""


def create_dash(server: Flask, services: Services) -> Dash:
    """Return the Dash app on `server`. No outside call happens here.

    Args:
        server: the Flask app; its own routes win over Dash's catch-all for pages.
        services: what pages ask, the same functions that the API asks.
    """
    serve_vendor_files(server)
    watch_api(server)
    app = Dash(
        __name__,
        server=server,
        title=PRODUCT,
        update_title=None,
        assets_ignore=r"theme\.js|.*\.svg",
        compress=True,
        serve_locally=True,
        enable_mcp=False,
        on_error=_report,
        # Pages come and go; tests/unit/test_app_shell.py checks that every id of a callback is in some layout.
        suppress_callback_exceptions=True,
    )
    app.index_string = _INDEX.format(
        favicon=app.get_asset_url("favicon.svg"),
        theme=app.get_asset_url("theme.js"),
        stylesheets="\n".join(f'<link rel="stylesheet" href="{href}">' for href in STYLESHEETS),
    )
    app.layout = lambda: _frame(services)
    _register(app, services)
    for page in (*PAGES, DOCS):
        page.register(app, services)
    _serve_favicon(server, app.get_asset_url("favicon.svg"))
    _refuse_unknown_pages(server)
    _keep_assets(server)
    send_security_headers(server, content_security_policy(app.csp_hashes()))
    return app


def find_page(path: str) -> Page | None:
    """The page that a path shows, with or without a slash at its end; a guide is a page of its own name."""
    here = path.rstrip("/") or "/"
    page = next((page for page in (*PAGES, DOCS) if page.path == here), None)
    guide = guides.find(here)
    if page is None and guide is not None:
        return replace(DOCS, path=here, label=f"{guide.short}, guide", layout=partial(guides.layout, guide))
    return page


def _serve_favicon(server: Flask, address: str) -> None:
    """Browsers ask for this path by themselves wherever no page names an icon, beside an answer of the API for one."""

    @server.get("/favicon.ico")
    def favicon() -> Any:
        return redirect(address)


def _keep_assets(server: Flask) -> None:
    """A browser asks once for each version of our scripts and styles: Dash puts the time of change into the address."""

    @server.after_request
    def keep(response: Response) -> Response:
        if request.path.startswith("/assets/") and "m" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response


def _refuse_unknown_pages(server: Flask) -> None:
    """The page "There is no page" is drawn in the browser like any other; its status says the same to programs."""

    @server.after_request
    def not_found(response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and rule.rule == _ANY_PATH and response.status_code == 200:
            response.status_code = 200 if find_page(request.path) is not None else 404
        return response


def _register(app: Dash, services: Services) -> None:
    settings = services.settings
    workspace = urlsplit(settings.databricks_host).netloc

    @callback(app, Output(MAIN, "children"), Output(NAVIGATION, "children"), Input(LOCATION, "pathname"))
    def open_page(path: str | None) -> tuple[Component, list[Component]]:
        """Show the page of a path; runs as nobody."""
        chosen = find_page(path or "/")
        return _page(chosen, path or "/"), _links(chosen)

    @callback(app, Output(ACCOUNT, "children"), Output(POPOVER, "children"), Input(ARRIVAL, "data"))
    def show_account(_: Any) -> tuple[list[Component], list[Component]]:
        """Say who is asking; runs as the user."""
        try:
            user = current_user()
        except LakefrontError as error:
            return account_button("Not signed in", signed_in=False), account_missing(error, settings.account_switch_url)
        return account_button(user.user_name), account_card(user, workspace, settings.account_switch_url)

    appearance.register(app, services, ARRIVAL)
    app.clientside_callback(
        ClientsideFunction("lakefront", "keepTemplates"), Output(CHART_TEMPLATES, "id"), Input(CHART_TEMPLATES, "data")
    )


def _frame(services: Services) -> Component:
    host = urlsplit(services.settings.databricks_host).netloc
    return html.Div(
        [
            dcc.Location(id=LOCATION, refresh="callback-nav"),
            dcc.Store(id=ARRIVAL, data=True),
            dcc.Store(id=CHART_TEMPLATES, data=templates()),
            *appearance.stores(),
            html.Header(
                [
                    html.A("Skip to the content", href="#main", className="skip"),
                    html.A(
                        [html.Span(className="lf-mark", **{"aria-hidden": "true"}), html.Span(PRODUCT)],
                        href="/",
                        className="lf-brand",
                    ),
                    html.Span(
                        [icon("hdd-network", "faint"), "workspace", mono(host, "faint")],
                        className="lf-where hide-phone",
                    ),
                    html.Span([_theme_button(), _account_button()], className="row-flex push"),
                    html.Div(
                        id=POPOVER,
                        className="lf-pop",
                        role="dialog",
                        hidden=True,
                        **{"aria-label": "Account and identity"},
                    ),
                ],
                className="lf-top",
            ),
            html.Nav(_links(None), id=NAVIGATION, className="lf-nav", **{"aria-label": "Pages"}),
            html.Main(id=MAIN, className="lf-main", tabIndex="-1"),
            html.Div(id=TOASTS, className="lf-toasts", role="status", **{"aria-live": "polite"}),
            _leave_dialog(),
        ],
        className="lf-app",
    )


def _theme_button() -> Component:
    return html.Button(
        [icon("sun", "in-light"), icon("moon-stars", "in-dark"), hidden("Change theme")],
        id=appearance.BUTTON,
        className="btn btn-ghost btn-icon",
        type="button",
        title="Change between light and dark",
    )


def _account_button() -> Component:
    opens = {"aria-haspopup": "dialog", "aria-expanded": "false", "data-toggle": POPOVER, "data-pop": POPOVER}
    return html.Button(account_button(None), id=ACCOUNT, className="lf-who", type="button", **opens)


def _leave_dialog() -> Component:
    return dialog(
        "leave-dialog",
        "Leave without saving?",
        "What you typed on this page is not saved yet.",
        [button("Stay", "leave-stay"), button("Leave", "leave-go", "danger-solid")],
        open_=False,
    )


def _links(chosen: Page | None) -> list[Component]:
    links: list[Component] = []
    for page in PAGES:
        here = {"aria-current": "page"} if page is chosen else {}
        words = (
            [html.Span(page.label, className="hide-phone"), html.Span(page.short, className="only-phone")]
            if page.short
            else [html.Span(page.label)]
        )
        links.append(html.A([icon(page.icon_name), *words], href=page.path, **here))
    reads = chosen is not None and chosen.path.startswith(DOCS.path)
    here = {"aria-current": "page" if reads and chosen == DOCS else "true"} if reads else {}
    rest = [
        html.A([icon(DOCS.icon_name), html.Span(DOCS.label)], href=DOCS.path, **here),
        html.A([icon("braces"), html.Span("API")], href="/docs"),
    ]
    return [*links, html.Div(rest, className="rest")]


def _page(page: Page | None, path: str) -> Component:
    if page is None:
        name, content = "Not found", _no_page(path)
    else:
        name, content = page.label, page.layout()
    marks = {"data-page": page.path if page else path, "data-title": f"{name} · {PRODUCT}"}
    return html.Div(content, className="lf-place", **marks)


def _no_page(path: str) -> Component:
    return html.Div(
        blank(
            "missing",
            ["There is no page ", mono(path)],
            ["The address may be mistyped, or the page was renamed."],
            [html.A("Open Welcome", href="/", className="btn btn-primary")],
            heading=html.H1,
        ),
        className="lf-page",
    )


def _report(error: Exception) -> None:
    """Tell the person about an error that no callback handled; logged here, once. Leaves every output as it is."""
    if isinstance(error, LakefrontError):
        logger.warning("callback failed: {}", error.error_code)
        shown: LakefrontError = error
    else:
        logger.opt(exception=error).error("callback failed: {}", type(error).__name__)
        shown = InternalError()
    words = [shown.message, html.Div(["request ", mono(request_id() or "unknown")], className="small")]
    set_props(TOASTS, {"children": toast(words, tone_icon="x-octagon-fill")})
