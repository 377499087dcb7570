"""The same invocation as code to copy: curl, and Python with the Databricks SDK. Tokens are named, never shown."""

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
        "import json\n\n"
        "from databricks.sdk import WorkspaceClient\n\n"
        "client = WorkspaceClient()\n"
        "answer = client.api_client.do(\n"
        '    "POST",\n'
        f"    {f'/serving-endpoints/{quote(endpoint, safe=str())}/invocations'!r},\n"
        f"    body=json.loads({body!r}),\n"
        ")\n"
        "print(answer)"
    )
