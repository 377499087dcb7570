"""The guides: the Markdown files of ``docs/`` and their pictures, which are deployed with the app."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = "/guides"
FOLDER = Path(__file__).parents[3] / "docs"
IMAGES = FOLDER / "images"
_ORDER = (
    "architecture",
    "local_workspace",
    "authentication",
    "unity_catalog",
    "lakebase",
    "model_serving",
    "observability",
    "customise",
    "deployment",
    "troubleshooting",
)
"""The order in which a newcomer reads; what is not named here follows by name."""
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_PROSE = re.compile(r"^[A-Z`*\[][^\n]*(?:\n[^\n]+)*", re.MULTILINE)
_MARKS = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*`]")
_SENTENCE = re.compile(r".+?[.:](?=\s|$)")


@dataclass(frozen=True)
class Guide:
    """One guide; ``name`` is its file's name with hyphens, as in the paths of the app's pages."""

    name: str
    text: str

    @property
    def path(self) -> str:
        """Where the app shows it."""
        return f"{PATH}/{self.name}"

    @property
    def title(self) -> str:
        """Its first heading."""
        found = _TITLE.search(self.text)
        return found[1].strip() if found else self.name

    @property
    def short(self) -> str:
        """The title without what follows a colon, for lists."""
        return self.title.partition(":")[0]

    @property
    def summary(self) -> str:
        """The first sentence of its first paragraph, without marks."""
        found = _PROSE.search(_TITLE.sub("", self.text, count=1))
        words = " ".join(_MARKS.sub(r"\1", found[0]).split()) if found else ""
        sentence = _SENTENCE.match(words)
        return (sentence[0] if sentence else words).replace(":", ".")


@cache
def guides() -> dict[str, Guide]:
    """All guides by name, in reading order; none when ``docs/`` was not deployed."""
    files = {file.stem: file for file in sorted(FOLDER.glob("*.md"))}
    stems = [*(stem for stem in _ORDER if stem in files), *(stem for stem in files if stem not in _ORDER)]
    names = {stem: stem.replace("_", "-") for stem in stems}
    return {names[stem]: Guide(names[stem], files[stem].read_text(encoding="utf-8")) for stem in stems}


def image_size(name: str) -> tuple[int, int] | None:
    """Width and height of a PNG picture in pixels, from its header (https://www.w3.org/TR/png-3/#11IHDR)."""
    file = IMAGES / name
    if Path(name).name != name or not file.is_file():
        return None
    with file.open("rb") as opened:
        head = opened.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
