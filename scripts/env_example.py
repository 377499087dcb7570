"""Write ``.env.local.example`` from the settings: each variable with its sentence and its default.

``python -m scripts.env_example`` writes it; a test fails when it is out of date.
"""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from services.settings import Settings

FILE = Path(__file__).parent.parent / ".env.local.example"

_HEAD = """\
# Every variable that Lakefront reads. `make run` sets what a local run needs, and the Apps platform (or app.yaml)
# what a deployed app needs; copy this file to .env.local only to run the app by hand against your own workspace:
#   set -a; . ./.env.local; set +a; python app.py
# The app refuses DATABRICKS_TOKEN and profiles that hold a token: people act with their own tokens, and the app as
# its service principal. DATABRICKS_HTTP_PATH is read in place of DATABRICKS_WAREHOUSE_ID when only that is set.
"""


def text() -> str:
    """The file's text."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        required = field.default is PydanticUndefined
        value = "" if required or field.default is None else str(field.default)
        prefix = "" if required else "# "
        lines.append(f"# {field.description}\n{prefix}{name.upper()}={value}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
