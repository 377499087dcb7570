"""How figures and times are written: `1,284,113`, `38 ms`, `1.4 s`, `2 min ago`, `18.6 MB`."""

from datetime import UTC, datetime, timedelta

MINUS = "\u2212"  # the sign as wide as a digit; a hyphen is too short


def number(value: float, decimals: int | None = None) -> str:
    """Return a number with thousands separators and a typographic minus; `decimals` fixes the fraction's digits."""
    text = f"{value:,}" if decimals is None else f"{value:,.{decimals}f}"
    return text.replace("-", MINUS)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a counted noun: `1 row`, `2 rows`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def elapsed(milliseconds: float) -> str:
    """Return a duration: under a second in ms, under a minute in s with one decimal, then minutes or hours."""
    if milliseconds < 1:
        return "under 1 ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def size(octets: int) -> str:
    """Return a size in bytes, kB, MB or GB (powers of 1000, as file managers show them)."""
    if octets < 1000:
        return f"{octets} bytes"
    value = float(octets)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000 or unit == "GB":
            break
    return f"{value:.1f} {unit}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was: `2 min ago`, `today 09:12`, `yesterday 16:40`, `19 Nov 2025` (UTC)."""
    now = now or datetime.now(UTC)
    moment = moment.astimezone(UTC)
    past = now - moment
    if past < timedelta(seconds=45):
        return "just now"
    if past < timedelta(hours=1):
        return f"{max(1, round(past.total_seconds() / 60))} min ago"
    if moment.date() == now.date():
        return f"today {moment:%H:%M}"
    if moment.date() == (now - timedelta(days=1)).date():
        return f"yesterday {moment:%H:%M}"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == now.year else f" {moment.year}")


def exact(moment: datetime) -> str:
    """Return a moment in full, with its zone: for titles and tables."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def listing(items: list[str]) -> str:
    """Return words joined as in a sentence: `a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
