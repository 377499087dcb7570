"""The run contract: what ``make run`` promises to people and to programs from outside."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from databricks import sql
from databricks.sdk import WorkspaceClient

from tests.conftest import ANALYST, MANAGER, NEWCOMER
from tests.support.live import ROOT, LiveApp

ORDERS = "/api/v1/unity-catalog/tables/lakefront/sales/orders/rows?limit=1000&count=true"
CUSTOMERS = "/api/v1/unity-catalog/tables/lakefront/sales/customers/rows?limit=1000"
SALARIES = "/api/v1/unity-catalog/tables/lakefront/restricted/salaries/rows"


def start(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command that cannot start, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "local_workspace", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def sample_data_ready(live: LiveApp) -> None:
    with live.client(MANAGER) as client:
        for _ in range(150):
            if client.get(SALARIES).status_code == 200:
                return
            time.sleep(0.2)
    pytest.fail(f"no sample data:\n{live.log[-3000:]}")


def test_the_main_job_runs_end_to_end(live: LiveApp) -> None:
    """Rows of a governed table, a preference in Lakebase, a prediction of a served model: over plain HTTP."""
    with live.client() as client:
        rows = client.get("/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows?limit=5&count=true").json()
        assert rows["pagination"]["total_rows"] == 21_932
        assert len(rows["rows"]) == 5
        assert rows["query"]["runs_as"] == ANALYST
        made = client.post("/api/v1/preferences", json={"preference_key": "theme", "preference_value": "dark"})
        assert made.status_code == 201
        assert client.get(made.headers["Location"]).json()["preference_value"] == "dark"
        schema = client.get("/api/v1/model-serving/endpoints/trip-fare/schema").json()
        known = {field["name"]: field["example"] for field in schema["fields"]}
        answer = client.post(
            "/api/v1/model-serving/endpoints/trip-fare/invocations", json={"dataframe_records": [known]}
        )
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json()["predictions"][0], int | float | dict)
        assert answer.json()["logged"] is True


def test_two_accounts_see_different_rows_and_masks_of_one_table(live: LiveApp) -> None:
    sample_data_ready(live)
    with live.client(ANALYST) as analyst, live.client(MANAGER) as manager, live.client(NEWCOMER) as newcomer:
        some, every = analyst.get(ORDERS).json(), manager.get(ORDERS).json()
        assert 0 < some["pagination"]["total_rows"] < every["pagination"]["total_rows"]
        assert len({row["region"] for row in some["rows"]}) == 1
        assert len({row["region"] for row in every["rows"]}) > 1
        masked = {row["email"] for row in analyst.get(CUSTOMERS).json()["rows"]}
        plain = {row["email"] for row in manager.get(CUSTOMERS).json()["rows"]}
        assert not masked & plain
        assert analyst.get(SALARIES).status_code == 403
        assert analyst.get(SALARIES).json()["error_code"] == "CATALOG_PERMISSION_DENIED"
        assert manager.get(SALARIES).status_code == 200
        names = [one["name"] for one in newcomer.get("/api/v1/unity-catalog/catalogs").json()["catalogs"]]
        assert names == ["samples"]


def test_neither_account_sees_the_others_preference(live: LiveApp) -> None:
    with live.client(ANALYST) as analyst, live.client(MANAGER) as manager:
        for client, value in ((analyst, "of the analyst"), (manager, "of the manager")):
            body = {"preference_key": "isolation", "preference_value": value}
            assert client.post("/api/v1/preferences", json=body).status_code == 201
        assert analyst.get("/api/v1/preferences/isolation").json()["preference_value"] == "of the analyst"
        assert analyst.delete("/api/v1/preferences/isolation").status_code == 204
        assert manager.get("/api/v1/preferences/isolation").json()["preference_value"] == "of the manager"
        assert analyst.get("/api/v1/preferences/isolation").status_code == 404


def test_client_supplied_identity_headers_are_ignored(live: LiveApp) -> None:
    headers = {
        "X-Forwarded-Email": MANAGER,
        "X-Forwarded-User": MANAGER,
        "X-Forwarded-Access-Token": live.token(MANAGER),
        "X-Request-Id": "chosen-by-the-client",
    }
    with live.client() as client:
        answer = client.get("/api/v1/me", headers=headers)
    assert answer.json()["user_name"] == ANALYST
    assert answer.headers["X-Request-Id"] != "chosen-by-the-client"


def test_health_needs_no_service(live: LiveApp) -> None:
    live.faults({"faults": [{"service": "unity_catalog", "status": 503}, {"service": "identity", "status": 503}]})
    try:
        answer = httpx.get(f"{live.url}/api/v1/health", timeout=5)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
    finally:
        live.clear_faults()


def test_status_says_which_service_is_down_and_delays_no_other(live: LiveApp) -> None:
    live.faults({"faults": [{"service": "model_serving", "delay_seconds": 20}]})
    try:
        started = time.monotonic()
        with live.client() as client:
            answer = client.get("/api/v1/status")
        assert answer.status_code == 200
        assert time.monotonic() - started < 10
        report = answer.json()
        assert report["model_serving"]["status"] == "unavailable"
        assert report["model_serving"]["remedy"]
        assert report["lakebase"]["status"] == "ok"
        assert report["unity_catalog"]["status"] == "ok"
    finally:
        live.clear_faults()


def test_metrics_are_prometheus_text_without_anybodys_data(live: LiveApp) -> None:
    text = httpx.get(f"{live.url}/metrics", timeout=10).text
    for name in ("lakefront_requests_total", "lakefront_operation_seconds_bucket", "lakefront_pool"):
        assert name in text
    assert "example.com" not in text


def test_no_token_is_in_the_log(live: LiveApp) -> None:
    with live.client(ANALYST) as client:
        client.get("/api/v1/me")
    log = live.log
    assert live.token(MANAGER).split(".")[0] not in log
    assert live.environment["DATABRICKS_CLIENT_SECRET"] not in log


def test_official_clients_reach_the_workspace_by_its_environment_file(live: LiveApp) -> None:
    file = live.state / "workspace.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environment = live.environment
    client = WorkspaceClient(
        host=environment["DATABRICKS_HOST"],
        client_id=environment["DATABRICKS_CLIENT_ID"],
        client_secret=environment["DATABRICKS_CLIENT_SECRET"],
    )
    assert "samples" in {catalog.name for catalog in client.catalogs.list()}
    with (
        sql.connect(
            server_hostname="127.0.0.1",
            http_path=environment["DATABRICKS_HTTP_PATH"],
            credentials_provider=lambda: client.config.authenticate,
            _port=int(environment["DATABRICKS_TLS_PORT"]),
            _tls_trusted_ca_file=environment["DATABRICKS_CA_FILE"],
            enable_telemetry=False,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM samples.nyctaxi.trips")
        assert cursor.fetchall()[0][0] == 21_932
    name = environment["LAKEBASE_INSTANCE_NAME"]
    instance = client.database.get_database_instance(name)
    password = client.database.generate_database_credential(request_id="outside", instance_names=[name]).token
    with psycopg.connect(
        host=instance.read_write_dns,
        port=environment["PGPORT"],
        dbname="databricks_postgres",
        user=environment["DATABRICKS_CLIENT_ID"],
        password=password,
        sslmode="require",
        connect_timeout=5,
    ) as database:
        assert database.execute("SELECT current_user").fetchone() == (environment["DATABRICKS_CLIENT_ID"],)


def test_what_was_made_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    value = "[1.0,12345678901234567890]"
    folder = tmp_path / "with a blank"
    folder.mkdir()
    with LiveApp(folder) as first, first.client() as client:
        body = f'{{"preference_key": "kept", "preference_value": {value}}}'
        answer = client.post("/api/v1/preferences", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 201
        assert first.stop() == 0
        assert not (first.state / "workspace.env").exists()
    began = time.monotonic()
    with LiveApp(folder) as second, second.client() as client:
        print(f"second start: {time.monotonic() - began:.1f} s until healthy")
        assert value in client.get("/api/v1/preferences/kept").text
        read = f'. "{second.state}/workspace.env"; test -r "$DATABRICKS_CA_FILE"'
        assert subprocess.run(["/bin/sh", "-euc", read], check=False).returncode == 0, "a shell can read the file"
        second.kill()
    with LiveApp(folder) as third, third.client() as client:
        assert value in client.get("/api/v1/preferences/kept").text
    leftovers = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert not leftovers, "processes were left behind"


@pytest.mark.parametrize("target", ["run", "stop", "clean"])
def test_make_takes_a_state_folder_with_a_blank(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target, "STATE=with a blank"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert '"with a blank"' in done.stdout


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = start("--state", str(tmp_path / "s"), "--app", ".", "--front-door-port", port, "--sample-data")
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
    told = subprocess.run(["ps", "axeww"], capture_output=True, text=True, errors="replace", check=True).stdout
    assert str(tmp_path) not in told, "the script of the sample data was left behind"


def test_an_unusable_state_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    done = start("--state", str(file / "state"))
    assert done.returncode == 1
    assert str(file / "state") in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_a_broken_app_yaml_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.yaml").write_text("command: [python\nenv: ]\n")
    done = start("--state", str(tmp_path / "s"), "--app", str(folder))
    assert done.returncode == 1
    assert "app.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_app_names_all_missing_variables_at_once() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS", "LAKEBASE"))}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    for name in ("DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_WAREHOUSE_ID"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_the_app_refuses_a_personal_access_token() -> None:
    environment = {**os.environ, "DATABRICKS_TOKEN": "dapi00000000000000000000000000000000"}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "DATABRICKS_TOKEN is set" in done.stderr
    assert "dapi000" not in done.stderr
