"""How the state of a service is said: sign, word, colour, identity. Used by Welcome and Status."""

from dashboard.components.signs import Identity, Tone
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


def identity_of(name: ServiceName, found: ServiceStatus) -> Identity:
    """Return as whom a check ran, with its sign."""
    if name == "lakebase":
        return Identity("token", "database token")
    return Identity("user" if found.runs_as == "you" else "app", found.runs_as)


def sentence(found: dict[ServiceName, StatusWord]) -> str:
    """Return the state of all services in one sentence, what needs attention by name."""
    troubled = [LABELS[name] for name, word in found.items() if word in ("degraded", "unavailable")]
    starting = [LABELS[name] for name, word in found.items() if word == "starting"]
    fine = len(found) - len(troubled) - len(starting)
    counted = ("No", "One", "Two", "Three", "Four", "Five")[fine]
    if fine == len(found):
        return "All five services are fine."
    parts = [f"{counted} of five services {'is' if fine == 1 else 'are'} fine."]
    if troubled:
        parts.append(f"{_named(troubled)} {'needs' if len(troubled) == 1 else 'need'} attention.")
    if starting:
        parts.append(f"{_named(starting)} {'is' if len(starting) == 1 else 'are'} starting.")
    return " ".join(parts)


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
