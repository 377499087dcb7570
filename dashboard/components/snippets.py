"""The same invocation as code to copy: curl, and Python with the Databricks SDK. Tokens are named, never shown."""

import json
import pprint
import textwrap
from urllib.parse import quote


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
    except ValueError:
        return repr(body)
    return textwrap.indent(pprint.pformat(value, sort_dicts=False, width=70), "    ").lstrip()
