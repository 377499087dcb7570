"""How the state of a service is said: sign, word, colour, identity. Used by Welcome and Status."""

from collections.abc import Collection

from dashboard.components.signs import Identity, Tone
from dashboard.components.words import listing
from services.status import ServiceName, ServiceStatus, StatusWord

LABELS: dict[ServiceName, str] = {
    "authentication": "Authentication",
    "unity_catalog": "Unity Catalog",
    "sql_warehouse": "SQL warehouse",
    "lakebase": "Lakebase",
    "model_serving": "Model Serving",
}
WORDS: dict[StatusWord, tuple[str, Tone, str]] = {
    "ok": ("Fine", "ok", "check-circle-fill"),
    "starting": ("Starting", "info", "hourglass-split"),
    "degraded": ("Needs attention", "warn", "exclamation-triangle-fill"),
    "unavailable": ("Unavailable", "danger", "x-octagon-fill"),
}
WEIGHT: dict[StatusWord, int] = {"ok": 0, "starting": 1, "degraded": 2, "unavailable": 3}


def needs_grant(remedy: str | None) -> bool:
    """Say whether a remedy is a statement that gives a privilege."""
    return bool(remedy) and str(remedy).lstrip().upper().startswith("GRANT")


def identity_of(name: ServiceName, found: ServiceStatus, app: str) -> Identity:
    """Return as whom a check ran, with its sign; `app` is the name of the app's service principal."""
    if name == "lakebase":
        return Identity("token", "database token")
    return Identity("user", "you") if found.runs_as == "you" else Identity("app", app)


def sentence(found: dict[ServiceName, StatusWord], grants: Collection[str] = ()) -> str:
    """Return the state of all services in one sentence, what needs attention by name; `grants`: what lacks a grant."""
    lacking = [LABELS[name] for name, word in found.items() if name in grants]
    troubled = [
        LABELS[name] for name, word in found.items() if word in ("degraded", "unavailable") and name not in grants
    ]
    starting = [LABELS[name] for name, word in found.items() if word == "starting"]
    fine = len(found) - len(troubled) - len(lacking) - len(starting)
    counted = ("No", "One", "Two", "Three", "Four", "Five")[fine]
    if fine == len(found):
        return "All five services are fine."
    parts = [f"{counted} of five services {'is' if fine == 1 else 'are'} fine."]
    if lacking:
        parts.append(f"{listing(lacking)} {'needs' if len(lacking) == 1 else 'need'} a grant.")
    if troubled:
        parts.append(f"{listing(troubled)} {'needs' if len(troubled) == 1 else 'need'} attention.")
    if starting:
        parts.append(f"{listing(starting)} {'is' if len(starting) == 1 else 'are'} starting.")
    return " ".join(parts)
