"""Plotly templates of both themes, from one table of the stylesheet's values (Plotly does not read CSS variables).

A test compares the table with assets/lakefront.css. Pages draw with the light template; assets/charts.js re-lays the
figure when the theme changes, with no callback.
"""

from typing import Any

FONT = "Inter, system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, Arial, sans-serif"
TOKENS: dict[str, dict[str, str]] = {
    "light": {
        "bg": "#F3F6F6",
        "surface": "#FFFFFF",
        "sunken": "#EAEFF0",
        "ink": "#10222B",
        "ink-2": "#43545D",
        "ink-3": "#586971",
        "line": "#D9E1E3",
        "line-2": "#C3CED1",
    },
    "dark": {
        "bg": "#0D1519",
        "surface": "#131D22",
        "sunken": "#0A1114",
        "ink": "#E6EEF0",
        "ink-2": "#AEBDC3",
        "ink-3": "#8D9EA6",
        "line": "#24323A",
        "line-2": "#33444D",
    },
}
SERIES = {
    "light": ["#0B6F88", "#564096", "#A18A17", "#DB576D", "#864113", "#1E3E23"],
    "dark": ["#62C6DB", "#7E69BF", "#E0C985", "#D43550", "#C9731D", "#D1F0D6"],
}
CONFIG = {"displayModeBar": False, "responsive": True}


def template(theme: str) -> dict[str, Any]:
    """Return the Plotly template of a theme, `light` or `dark`."""
    colour = TOKENS[theme]
    words = {"size": 12, "color": colour["ink-2"]}
    hue = [[0, colour["sunken"]], [1, SERIES[theme][0]]]  # one hue, whatever the sign of the values
    axis = {
        "gridcolor": colour["line"],
        "zeroline": False,
        "linecolor": colour["line-2"],
        "tickcolor": colour["line-2"],
        "ticks": "",
        "automargin": True,
        "tickfont": words,
        "title": {"font": words, "standoff": 10},
    }
    return {
        "layout": {
            "colorway": SERIES[theme],
            "colorscale": {"sequential": hue, "sequentialminus": hue, "diverging": hue},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": colour["ink"]},
            "margin": {"l": 52, "r": 16, "t": 16, "b": 40},
            "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside", "ticklen": 4},
            "yaxis": {**axis, "rangemode": "tozero", "nticks": 6},
            "separators": ".,",
            "bargap": 0.12,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": colour["ink"],
                "bordercolor": colour["ink"],
                "font": {"color": colour["bg"], "size": 12, "family": FONT},
            },
            "legend": {"orientation": "h", "y": 1.08, "x": 0, "font": {"size": 12}},
        }
    }


def templates() -> dict[str, Any]:
    """Return both templates and the colours of their series, for `dcc.Store` and assets/charts.js."""
    return {theme: {**template(theme), "series": SERIES[theme]} for theme in TOKENS}
