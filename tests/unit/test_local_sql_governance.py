"""What a caller without rights cannot learn through SQL, and what filters, masks, views and functions show instead."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.local_sql import MANAGER, NEWCOMER, SqlWorld

SECRETS = ("swordfish", "ann.raw", "smith.raw", "Smith", "Reno", "store.main", "t_", "taxi.main", "lib.utc", "duckdb")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"))
    made.make_tables()
    yield made
    made.engine.close()


ATTACKS = [
    "SELECT * FROM lakefront.secret.hidden",
    "SELECT * FROM secret.hidden",
    "SELECT * FROM `lakefront`.`secret`.`hidden`",
    "SELECT * FROM LakeFront.SECRET.Hidden",
    "SELECT * FROM hidden",
    "WITH hidden AS (SELECT * FROM secret.hidden) SELECT * FROM hidden",
    "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM secret.hidden) SELECT 1 FROM a",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, secret.hidden WHERE n < 3) SELECT * FROM r",
    "SELECT (SELECT max(word) FROM secret.hidden)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM secret.hidden WHERE word LIKE 's%')",
    "SELECT 1 FROM plain WHERE id IN (SELECT id FROM secret.hidden)",
    "SELECT * FROM plain ORDER BY (SELECT word FROM secret.hidden LIMIT 1)",
    "SELECT id FROM plain GROUP BY id HAVING count(*) > (SELECT count(*) FROM secret.hidden)",
    "SELECT * FROM plain LIMIT (SELECT count(*) FROM secret.hidden)",
    "SELECT sum(id) OVER (ORDER BY (SELECT max(id) FROM secret.hidden)) FROM plain",
    "SELECT * FROM plain UNION ALL SELECT * FROM secret.hidden",
    "SELECT * FROM plain EXCEPT SELECT * FROM secret.hidden",
    "SELECT * FROM plain p JOIN secret.hidden h ON p.id = h.id",
    "SELECT * FROM plain p, LATERAL (SELECT word FROM secret.hidden h WHERE h.id = p.id)",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM secret.hidden))",
    "SELECT word FROM secret.hidden PIVOT (count(*) FOR word IN ('swordfish'))",
    "INSERT INTO plain SELECT * FROM secret.hidden",
    "UPDATE plain SET label = (SELECT word FROM secret.hidden)",
    "DELETE FROM plain WHERE id IN (SELECT id FROM secret.hidden)",
    "MERGE INTO plain USING secret.hidden h ON plain.id = h.id WHEN MATCHED THEN UPDATE SET label = h.word",
    "CREATE TABLE lakefront.sales.stolen AS SELECT * FROM secret.hidden",
    "CREATE VIEW lakefront.sales.stolen AS SELECT * FROM secret.hidden",
    "CREATE TEMPORARY VIEW stolen AS SELECT * FROM secret.hidden",
    "CREATE FUNCTION lakefront.sales.f() RETURNS STRING RETURN (SELECT max(word) FROM secret.hidden)",
    "DESCRIBE TABLE secret.hidden",
    "DESCRIBE QUERY SELECT * FROM secret.hidden",
    "SHOW COLUMNS IN secret.hidden",
    "SHOW CREATE TABLE secret.hidden",
    "SHOW TABLES IN secret",
    "SELECT 1; SELECT * FROM secret.hidden",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM csv.`/etc/passwd`",
    "SELECT * FROM parquet.`/tmp/x`",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT read_text('/etc/passwd')",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pragma_database_list()",
    "SELECT current_setting('temp_directory')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('hidden')",
    "SELECT lib.utc.cast_string(1)",
    "SELECT lib.main.x(1)",
    "SELECT * FROM store.main.t1",
    "SELECT * FROM taxi.main.trips",
    "SELECT * FROM main.t1",
    "SELECT * FROM system.information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT COLUMNS('.*') FROM plain",
    "SELECT rowid FROM plain",
    "SELECT nextval('x')",
    "SELECT * FROM plain TABLESAMPLE (10 PERCENT)",
    "SELECT * FROM plain VERSION AS OF 1",
    "ATTACH '/tmp/x.db' AS x",
    "COPY plain TO '/tmp/x.csv'",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "PRAGMA database_list",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SUMMARIZE plain",
    "CHECKPOINT",
    "CALL duckdb_tables()",
    "PREPARE x AS SELECT 1",
    "EXPLAIN SELECT * FROM secret.hidden",
    "UPDATE EXTENSIONS",
    "FROM secret.hidden",
    "LIST '/Volumes/x'",
    "PUT '/etc/passwd' INTO '/Volumes/x'",
    "GRANT SELECT ON TABLE secret.hidden TO analysts",
    "GRANT ALL PRIVILEGES ON CATALOG lakefront TO analysts",
    "ALTER TABLE people DROP ROW FILTER",
    "ALTER TABLE people ALTER COLUMN email DROP MASK",
    "DROP TABLE people",
    "TRUNCATE TABLE people",
    "SELECT IDENTIFIER('secret.hidden')",
    "SELECT current_setting('temp_directory').x",
    "SELECT read_text('/etc/passwd').content",
    "SELECT duckdb_settings().name",
    "SELECT getenv('HOME') || 'x'",
    "SELECT transform(array(1), x -> (SELECT max(word) FROM secret.hidden))",
    "SELECT * FROM plain WHERE id = any(SELECT id FROM secret.hidden)",
    "SELECT * FROM information_0",
    "VALUES ((SELECT max(word) FROM secret.hidden))",
    "SELECT * FROM IDENTIFIER('lakefront.secret.hidden')",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_refused_without_a_hint(world: SqlWorld, sql: str) -> None:
    message = world.error(sql)
    told = message.replace(sql, "")  # a syntax error repeats what the caller wrote
    assert not [word for word in ("swordfish", "store.main", "/etc/passwd: ", "root:") if word in told]
    assert "SQLSTATE: " in message


GOVERNED = [
    "SELECT * FROM people",
    "SELECT p.* FROM people AS p",
    "SELECT * FROM sales.people",
    "SELECT people.email, lakefront.sales.people.name, sales.people.id FROM lakefront.sales.people",
    "WITH people AS (SELECT * FROM people) SELECT * FROM people",
    "WITH x AS (SELECT * FROM people) SELECT * FROM x JOIN people USING (id)",
    "SELECT * FROM (WITH people AS (SELECT 1 AS id) SELECT * FROM people) a, people",
    "SELECT * FROM people WHERE email LIKE '%raw%' OR true",
    "SELECT max(email), min(name), count(*) FROM people",
    "SELECT struct(email, name) FROM people",
    "SELECT collect_list(email) FROM people",
    "SELECT addr.city, people.addr.zip FROM people",
    "SELECT * FROM people_view",
    "SELECT (SELECT max(email) FROM people) FROM plain",
    "SELECT * FROM people UNION SELECT * FROM people",
    "SELECT * FROM people a LEFT JOIN people b ON a.region = b.region",
    "SELECT * FROM plain LEFT JOIN people ON plain.id = people.id OR true",
    "SELECT first_value(email) OVER (ORDER BY id DESC) FROM people",
    "SELECT t.c FROM people AS t(a, b, c, d, e)",
    "SELECT email FROM people ORDER BY id DESC LIMIT 5",
    "SELECT EXISTS (SELECT 1 FROM people WHERE name = 'Smith')",
    "SELECT * FROM people QUALIFY row_number() OVER (ORDER BY id DESC) = 1",
    "SELECT * FROM people WHERE 1 DIV (CASE WHEN name LIKE 'S%' THEN 0 ELSE 1 END) = 1",
    "SELECT m.* FROM mapped m JOIN (VALUES (777)) v(k) ON m.id = v.k WHERE 1 DIV (CASE WHEN name LIKE 'S%' THEN 0 ELSE 1 END) = 1",
    "SELECT * FROM mapped WHERE CAST(name AS INT) IS NULL OR id = 1 LIMIT 0",
]


@pytest.mark.parametrize("sql", GOVERNED)
def test_shows_neither_hidden_rows_nor_raw_values(world: SqlWorld, sql: str) -> None:
    shown = repr(world.rows(sql))
    assert not [word for word in SECRETS if word in shown]


def test_the_same_rows_in_full_for_a_manager(world: SqlWorld) -> None:
    assert len(world.rows("SELECT * FROM people", who=MANAGER)) == 2
    assert world.rows("SELECT email FROM people WHERE id = 777", who=MANAGER) == [("smith.raw@x.io",)]


def test_a_mask_on_filtered_text_is_what_predicates_see(world: SqlWorld) -> None:
    assert world.rows("SELECT count(*) FROM people WHERE email = '***'") == [(1,)]
    assert world.rows("SELECT count(*) FROM people WHERE email = 'ann.raw@x.io'") == [(0,)]


def test_a_view_reads_with_its_owner_s_rights(world: SqlWorld) -> None:
    assert world.rows("SELECT * FROM word_count") == [(1,)]
    world.rows("ALTER VIEW lakefront.sales.word_count OWNER TO `manager@example.com`", who="deployer")
    try:
        assert "INSUFFICIENT_PERMISSIONS" in world.error("SELECT * FROM word_count")
    finally:
        world.rows("ALTER VIEW lakefront.sales.word_count OWNER TO `admins`", who="deployer")


def test_a_filter_with_a_subquery_keeps_the_caller_s_rows(world: SqlWorld) -> None:
    assert world.rows("SELECT id FROM mapped") == [(1,)]
    assert world.rows("SELECT id FROM mapped", who=MANAGER) == []


def test_privileges_are_named_in_order(world: SqlWorld) -> None:
    assert "does not have USE CATALOG on Catalog 'lakefront'" in world.error("SELECT * FROM people", who=NEWCOMER)
    assert "does not have USE SCHEMA on Schema 'lakefront.secret'" in world.error("SELECT * FROM secret.hidden")
    assert "TABLE_OR_VIEW_NOT_FOUND" in world.error("SELECT * FROM sales.nothing")
    assert "MODIFY on Table" in world.error("DELETE FROM plain")


def test_information_schema_lists_what_the_caller_may_see(world: SqlWorld) -> None:
    names = {row[0] for row in world.rows("SELECT table_name FROM lakefront.information_schema.tables")}
    assert "people" in names
    assert "hidden" not in names


def test_change_of_governed_tables_is_refused(world: SqlWorld) -> None:
    assert "UNSUPPORTED_FEATURE" in world.error("UPDATE lakefront.sales.people SET name = 'x'", who="deployer")


def test_a_function_named_like_one_of_the_database_s_own_is_the_caller_s(world: SqlWorld) -> None:
    world.rows(
        "CREATE FUNCTION lakefront.sales.getenv(x STRING) RETURNS STRING RETURN concat('mine ', x)", who="deployer"
    )
    try:
        assert world.value("getenv('HOME')") == "mine HOME"
        assert "mine" in repr(world.rows("SELECT struct(getenv('HOME')) AS s"))
    finally:
        world.rows("DROP FUNCTION lakefront.sales.getenv", who="deployer")


def test_a_function_that_calls_itself_ends(world: SqlWorld) -> None:
    world.rows("CREATE FUNCTION lakefront.sales.loop(x INT) RETURNS INT RETURN x", who="deployer")
    again = "CREATE OR REPLACE FUNCTION lakefront.sales.loop(x INT) RETURNS INT RETURN loop(x) + loop(x)"
    world.rows(again, who="deployer")
    assert "FAILED_TO_PARSE_TOO_COMPLEX" in world.error("SELECT lakefront.sales.loop(1)", who="deployer")


def test_errors_of_predicates_tell_nothing_about_hidden_rows(world: SqlWorld) -> None:
    world.rows(
        "CREATE OR REPLACE TABLE lakefront.sales.big AS SELECT id, id % 2 AS bit, CASE WHEN id % 2 = 0 THEN 'EU' ELSE 'US' END AS region, "
        "CASE WHEN id % 2 = 0 THEN CAST(id AS STRING) ELSE concat('secret', id) END AS name FROM range(100000)",
        who="deployer",
    )
    world.rows("ALTER TABLE lakefront.sales.big SET ROW FILTER lakefront.sales.only_region ON (region)", who="deployer")
    for predicate in (
        "CAST(name AS INT) >= 0",
        "CAST(name AS DOUBLE) >= 0",
        "1 DIV (1 - bit) = 1",
        "CAST(name AS DECIMAL(10,2)) >= 0",
    ):
        assert world.rows(f"SELECT count(*) FROM big WHERE {predicate}") == [(50_000,)]
    joined = (
        "SELECT count(*) FROM big b JOIN (VALUES ('3'), ('4')) v(k) ON CAST(b.name AS DOUBLE) = CAST(v.k AS DOUBLE)"
    )
    assert world.rows(joined) == [(1,)]


def test_identity_is_the_caller(world: SqlWorld) -> None:
    assert world.value("current_user()") == "analyst@example.com"
    assert world.value("is_account_group_member('managers')") is False
    assert world.value("is_account_group_member('managers')", who=MANAGER) is True
