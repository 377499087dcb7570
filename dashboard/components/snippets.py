"""The same invocation as code to copy: curl, and Python with the Databricks SDK. Tokens are named, never shown."""

import json
from typing import Any
from urllib.parse import quote

_WIDTH = 68


def curl_snippet(host: str, endpoint: str, body: str) -> str:
    """Return the call as a shell command; the token comes from the environment."""
    quoted = body.replace("'", "'\\''")
    return (
        f"curl {host}/serving-endpoints/{quote(endpoint, safe='')}/invocations \\\n"
        '  --header "Authorization: Bearer $DATABRICKS_TOKEN" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        f"  --data '{quoted}'"
    )


def python_snippet(endpoint: str, body: str) -> str:
    """Return the call in Python; the client signs in as the environment says."""
    return (
        "from databricks.sdk import WorkspaceClient\n\n"
        "client = WorkspaceClient()\n"
        "answer = client.api_client.do(\n"
        '    "POST",\n'
        f"    {f'/serving-endpoints/{quote(endpoint, safe=str())}/invocations'!r},\n"
        f"    body={_literal(body)},\n"
        ")\n"
        "print(answer)"
    )


def _literal(body: str) -> str:
    """Return a JSON text as a Python literal; what is no JSON stays a text for the reader to mend."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return repr(body)
    return _written(value, "    ")


def _written(value: Any, indent: str) -> str:
    """Return a JSON value as Python, on one line while it is short, else a line for each part."""
    flat = repr(value)
    if not isinstance(value, dict | list) or len(indent) + len(flat) <= _WIDTH:
        return flat
    inner = indent + "    "
    if isinstance(value, dict):
        parts = [f"{name!r}: {_written(one, inner)}" for name, one in value.items()]
    else:
        parts = [_written(one, inner) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "".join(f"\n{inner}{part}," for part in parts) + f"\n{indent}{closing}"
