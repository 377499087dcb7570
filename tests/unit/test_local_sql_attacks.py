"""A second round of attacks by an analyst: no hidden name's content, no raw masked value, no filtered row, no crash, no hang."""

# ruff: noqa: E501, RUF001 - statements are easier to read in one line; look-alike letters are the attack
from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local_workspace.sql.model import Parameter
from tests.support.local_sql import MANAGER, SqlWorld

SECRETS = (
    "CASE",
    "_t.",
    "swordfish",
    "ann.raw",
    "smith.raw",
    "Smith",
    "Reno",
    "store.main",
    "taxi.main",
    "lib.utc",
    "duckdb",
    "sqlglot",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=10)
    made.make_tables()
    for statement in (
        "CREATE VIEW lakefront.sales.deep AS SELECT upper(lower(mail)) AS m, who FROM lakefront.sales.people_view",
        "CREATE VIEW lakefront.sales.nested AS SELECT (SELECT max(m) FROM lakefront.sales.deep) AS m, lakefront.sales.mask_email('z') AS z",
        "CREATE FUNCTION lakefront.sales.peek(i INT) RETURNS STRING RETURN (SELECT max(email) FROM lakefront.sales.people p WHERE p.id = i)",
    ):
        made.rows(statement, who="deployer")
    yield made
    made.engine.close()


WIDE = ", ".join(str(number) for number in range(20_000))
ATTACKS = [
    # Lateral subqueries and correlation
    "SELECT x.* FROM plain p, LATERAL (SELECT email FROM people q WHERE q.id = p.id) x",
    "SELECT x.* FROM plain p LEFT JOIN LATERAL (SELECT name FROM people q WHERE q.id >= p.id ORDER BY id DESC LIMIT 1) x ON true",
    "SELECT x.* FROM people p, LATERAL (SELECT p.email AS e, max(word) AS w FROM secret.hidden) x",
    "SELECT (SELECT x.email FROM (SELECT email FROM people ORDER BY id DESC LIMIT 1) x)",
    "SELECT p.id FROM plain p WHERE EXISTS (SELECT 1 FROM people q, LATERAL (SELECT q.name AS n) z WHERE z.n = 'Smith')",
    "SELECT * FROM people p WHERE p.name = (SELECT max(name) FROM people)",
    # Views of others with functions inside, temporary views
    "SELECT * FROM deep",
    "SELECT * FROM nested",
    "SELECT * FROM deep d JOIN nested n ON d.m = n.m OR true",
    "SELECT peek(1), peek(777)",
    "SELECT lakefront.sales.peek(id) FROM range(800)",
    "SELECT transform(array(1, 777), x -> x) AS a, peek(777) AS b",
    "CREATE OR REPLACE TEMPORARY VIEW people AS SELECT * FROM lakefront.sales.people",
    "SELECT * FROM people",
    "DROP VIEW IF EXISTS people",
    "CREATE OR REPLACE TEMPORARY VIEW hidden AS SELECT 1 AS word",
    "SELECT * FROM hidden",
    "SELECT * FROM lakefront.secret.hidden",
    "DROP VIEW IF EXISTS hidden",
    "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM v",
    "SELECT * FROM v",
    # Names of unnamed columns must not show what a call became
    "SELECT lakefront.sales.peek(777)",
    "SELECT lakefront.sales.mask_email('q'), sales.only_region('US')",
    "SELECT explode(array(lakefront.sales.peek(777)))",
    "SELECT posexplode(array(lakefront.sales.peek(777)))",
    "SELECT * FROM explode(array(lakefront.sales.peek(777)))",
    "SELECT named_struct('a', lakefront.sales.peek(777)).a",
    "SELECT array(lakefront.sales.peek(777))[0], max(lakefront.sales.peek(777))",
    "SELECT * FROM (SELECT lakefront.sales.peek(777))",
    "SELECT x.* FROM plain, LATERAL (SELECT lakefront.sales.peek(id)) x",
    "SELECT lakefront.sales.peek(777) UNION ALL SELECT email FROM people",
    "VALUES (lakefront.sales.peek(777))",
    "SELECT lakefront.sales.peek(id) FROM plain GROUP BY lakefront.sales.peek(id)",
    "SELECT * FROM people PIVOT (max(lakefront.sales.mask_email(email)) FOR name IN ('Ann'))",
    "SELECT id FROM range(1) LATERAL VIEW explode(array(lakefront.sales.peek(777)))",
    "SELECT (SELECT lakefront.sales.peek(777)), EXISTS (SELECT lakefront.sales.peek(1))",
    "DESCRIBE QUERY SELECT lakefront.sales.peek(777), explode(array(lakefront.sales.peek(1)))",
    "SELECT count(*) OVER (PARTITION BY lakefront.sales.peek(777))",
    # Writing
    "INSERT OVERWRITE people SELECT * FROM people",
    "INSERT OVERWRITE lakefront.sales.plain SELECT id, email FROM people",
    "INSERT INTO plain WITH c AS (SELECT * FROM secret.hidden) SELECT * FROM c",
    "WITH c AS (SELECT word FROM secret.hidden) INSERT INTO plain SELECT 1, word FROM c",
    "WITH c AS (SELECT 1 AS id) DELETE FROM plain WHERE id IN (SELECT id FROM c)",
    "MERGE INTO people USING plain ON people.id = plain.id WHEN MATCHED THEN UPDATE SET name = label",
    "UPDATE people SET email = name WHERE id = 777",
    "DELETE FROM people WHERE name = 'Smith'",
    "CREATE OR REPLACE TABLE lakefront.sales.plain AS SELECT * FROM people",
    "CREATE TABLE lakefront.sales.plain2 LIKE people",
    "CREATE OR REPLACE FUNCTION lakefront.sales.mask_email(email STRING) RETURNS STRING RETURN email",
    "ALTER TABLE people SET ROW FILTER lakefront.sales.only_region ON (region)",
    "ALTER TABLE people RENAME TO people2",
    "ALTER TABLE people DROP COLUMN region",
    "ALTER VIEW people_view AS SELECT email FROM lakefront.sales.people",
    "ALTER VIEW word_count OWNER TO `analyst@example.com`",
    "COMMENT ON TABLE people IS 'x'",
    # IDENTIFIER and names
    "SELECT * FROM IDENTIFIER('lakefront.secret' || '.hidden')",
    "SELECT * FROM IDENTIFIER('`lakefront`.`secret`.`hidden`')",
    "SELECT IDENTIFIER('email') FROM IDENTIFIER('people')",
    "SELECT IDENTIFIER('people.email') FROM people",
    "SELECT IDENTIFIER('_t.email') FROM people",
    "SELECT _t.email FROM people",
    "SELECT people.rowid FROM people",
    "SELECT * FROM `lakefront.sales.people`",
    'SELECT * FROM "people"',
    "SELECT * FROM lakefront.sales.people.email",
    "DESCRIBE TABLE EXTENDED IDENTIFIER('lakefront.secret.hidden')",
    "SHOW TBLPROPERTIES lakefront.secret.hidden",
    "SHOW VIEWS IN lakefront.secret",
    "SHOW FUNCTIONS IN lakefront.secret",
    "SHOW GRANTS ON TABLE lakefront.secret.hidden",
    "DESCRIBE SCHEMA lakefront.secret",
    "DESCRIBE DETAIL lakefront.secret.hidden",
    "DESCRIBE HISTORY lakefront.secret.hidden",
    "USE SCHEMA lakefront.secret",
    # Oracles by errors, limits, casts and masks
    "SELECT CAST(email AS INT) FROM people",
    "SELECT CAST(name AS DATE) FROM people WHERE id = 777",
    "SELECT 1 / (CASE WHEN name = 'Smith' THEN 0 ELSE 1 END) FROM people",
    "SELECT array(1)[CASE WHEN email LIKE 'smith%' THEN 9 ELSE 0 END] FROM people",
    "SELECT * FROM people ORDER BY 1 / (id - 777)",
    "SELECT count(*) FROM people HAVING max(1 / (id - 777)) IS NOT NULL",
    "SELECT * FROM people LIMIT (SELECT max(id) FROM people)",
    "SELECT * FROM plain LIMIT 1 + 1 OFFSET 0 + 1",
    "SELECT * FROM plain LIMIT -(1)",
    "SELECT * FROM plain LIMIT 9223372036854775807",
    "SELECT * FROM plain LIMIT 1 OFFSET 9223372036854775808",
    "SELECT min(1 / (id - 777)) OVER () FROM mapped",
    "SELECT * FROM mapped m JOIN plain p ON 1 / (m.id - 777) = p.id",
    "SELECT from_json(email, 'a INT'), to_json(array(email)) FROM people",
    "SELECT max(struct(id, email)), min(struct(name, email)) FROM people",
    "SELECT named_struct('e', email, 'a', addr) FROM people",
    "SELECT listagg(email, ','), collect_set(email), mode(email), percentile_approx(id, 0.99) FROM people",
    "SELECT p.*, q.* FROM people p FULL OUTER JOIN people q ON p.email = q.name",
    "SELECT * FROM people PIVOT (max(email) FOR name IN ('Ann', 'Smith'))",
    "SELECT email FROM people GROUP BY ROLLUP (email)",
    "SELECT * EXCEPT (name) FROM people",
    "SELECT * FROM (VALUES (1)) v(email) JOIN people USING (email)",
    "WITH RECURSIVE r AS (SELECT id, email FROM people UNION ALL SELECT id + 1, email FROM r WHERE id < 9) SELECT * FROM r",
    # Text tricks
    "SELECT * FROM/**/secret/**/./**/hidden",
    "SELECT * FROM secret.hidden -- allowed",
    "/* SELECT */ SELECT /*+ BROADCAST(hidden) */ * FROM secret.hidden",
    "SELECT 1 /* ; */ ; /* */ SELECT * FROM secret.hidden",
    "SELECT * FROM ｓｅｃｒｅｔ.ｈｉｄｄｅｎ",
    "SELECT * FROM secret.hıdden",
    "SELECT * FROM secret.\u200bhidden",
    "SELECT\u00a0*\u00a0FROM\u2003secret.hidden",
    "SELECT '\u202e' || email FROM people",
    "SELECT * FROM secret.hidden\x00",
    "SELECT '\x00', '\ud83d\ude00'",
    "SELECT 'a\\' , (SELECT max(word) FROM secret.hidden), '",
    "SELECT 'a'' , (SELECT max(word) FROM secret.hidden), '''",
    "SELECT r'\\', (SELECT max(word) FROM secret.hidden)",
    'SELECT "a"", (SELECT max(word) FROM secret.hidden)"',
    "SELECT `a``b` FROM (SELECT 1 AS `a``b`)",
    'SELECT 1 AS `x"; SELECT * FROM store.main.t; --`',
    "SELECT 'x' AS \"'; DROP TABLE people; --\"",
    # Size and depth
    "SELECT " + "(" * 400 + "1" + ")" * 400,
    "SELECT " + "(" * 50_000 + "1" + ")" * 50_000,
    "SELECT " + "-" * 1 + "(-" * 300 + "1" + ")" * 300,
    "SELECT " + "CASE WHEN true THEN " * 300 + "1" + " END" * 300,
    "SELECT * FROM " + "(SELECT * FROM " * 200 + "people" + ")" * 200,
    "SELECT " + " + ".join(["1"] * 3_000),
    "SELECT " + " OR ".join(["id = 1"] * 2_000) + " FROM people",
    f"SELECT count(*) FROM people WHERE id IN ({WIDE})",
    "SELECT '" + "x" * 1_000_000 + "' = email FROM people",
    "SELECT 1 -- " + "x" * 1_000_000,
    "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(1_500)),
    "SELECT " + "concat(" * 200 + "email" + ", 'x')" * 200 + " FROM people",
    "SELECT " + "[" * 5_000,
    "SELECT " + "array(" * 300 + "1" + ")" * 300,
    "SELECT " + "NOT " * 3_000 + "true",
    "WITH "
    + ", ".join(f"c{n} AS (SELECT * FROM {'people' if n == 0 else f'c{n - 1}'})" for n in range(150))
    + " SELECT * FROM c149",
]
assert len(ATTACKS) >= 60


@pytest.mark.parametrize("sql", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_leaks_crashes_or_hangs(world: SqlWorld, sql: str) -> None:
    started = time.monotonic()
    execution = world.session().execute(sql, ())
    assert execution.wait(20) in ("FINISHED", "ERROR")
    assert time.monotonic() - started < 15
    told = "" if execution.error is None else str(execution.error)
    if execution.state == "FINISHED":
        page, _ = execution.fetch(1000, 1 << 24)
        told = repr((page.slice(0, 100).to_pylist(), execution.columns))
    assert "INTERNAL_ERROR" not in told
    for part in (sql, sql[:2000]):
        told = told.replace(part, "")  # a syntax error repeats what the caller wrote
    wrote = [word for word in SECRETS if word in sql]
    assert not [word for word in SECRETS if word in told and word not in wrote], told[:500]
    assert "777" not in told or "777" in sql or "range(800)" in sql
    execution.close()


def test_a_bound_name_is_no_way_around(world: SqlWorld) -> None:
    for name in (
        "lakefront.secret.hidden",
        "secret.hidden",
        "`secret`.`hidden`",
        "read_csv('/etc/passwd')",
        "store.main.t",
    ):
        message = world.error("SELECT * FROM IDENTIFIER(:t)", Parameter("t", "STRING", name))
        assert "swordfish" not in message
        assert "SQLSTATE" in message


def test_nothing_was_changed_and_the_engine_still_answers(world: SqlWorld) -> None:
    assert len(world.rows("SELECT * FROM people", who=MANAGER)) == 2
    assert world.rows("SELECT id, label FROM plain ORDER BY id") == [(1, "a"), (2, "b")]
    assert world.rows("SELECT email FROM people") == [("***",)]
    assert world.rows("SELECT word FROM lakefront.secret.hidden", who="deployer") == [("swordfish",)]
