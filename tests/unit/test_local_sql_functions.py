"""Every function and expression that a statement may use, with a result that the SQL reference documents.

The allow-list of the engine says "this means the same as on the platform"; a name may stand on it only when an example
here proves it. Most examples are those of the Databricks SQL reference's own pages.
"""

# ruff: noqa: E501 - examples are easier to read in one line
from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlglot import exp

from local_workspace.sql import dialect, vet
from tests.support.local_sql import SqlWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=10)
    yield made
    made.engine.close()


VALUES: list[tuple[str, Any]] = [
    ("size(array(1, 2))", 2),
    ("7 / 2 * 2 >= 7", True),
    ("CAST('1.25' AS DECIMAL(10,2))", Decimal("1.25")),
    ("'{\"a\": [5]}':a[0]", "5"),
    ("date('2009-07-30')", date(2009, 7, 30)),
    ("any_value(5)", 5),
    ("abs(-1)", 1),
    ("acos(1)", 0.0),
    ("add_months(DATE'2016-08-31', 1)", date(2016, 9, 30)),
    ("true AND NULL", None),
    ("asin(0)", 0.0),
    ("atan(0)", 0.0),
    ("atan2(0, 0)", 0.0),
    ("cbrt(27.0D)", 3.0),
    ("ceil(-0.1)", Decimal("0")),
    ("ceiling(5)", 5),
    ("chr(65)", "A"),
    ("char(65)", "A"),
    ("coalesce(NULL, 1, NULL)", 1),
    ("concat('Spark', 'SQL')", "SparkSQL"),
    ("concat_ws(' ', 'Spark', 'SQL')", "Spark SQL"),
    ("contains('SparkSQL', 'Spark')", True),
    ("cos(0)", 1.0),
    ("cosh(0)", 1.0),
    ("current_catalog()", "lakefront"),
    ("current_database()", "sales"),
    ("current_schema()", "sales"),
    ("current_timezone()", "Etc/UTC"),
    ("current_user()", "analyst@example.com"),
    ("date('2009-07-30')", date(2009, 7, 30)),
    ("date_add(DATE'2016-07-30', 1)", date(2016, 7, 31)),
    ("dateadd(MONTH, 1, TIMESTAMP'2022-02-28 00:00:00')", datetime(2022, 3, 28, 0, 0, tzinfo=UTC)),
    ("datediff('2009-07-31', '2009-07-30')", 1),
    ("make_date(2013, 7, 15)", date(2013, 7, 15)),
    ("date_from_unix_date(1)", date(1970, 1, 2)),
    ("date_sub(DATE'2016-07-30', 1)", date(2016, 7, 29)),
    ("date_trunc('YEAR', TIMESTAMP'2015-03-05 09:32:05')", datetime(2015, 1, 1, 0, 0, tzinfo=UTC)),
    ("day(DATE'2009-07-30')", 30),
    ("dayofmonth(DATE'2009-07-30')", 30),
    ("dayofweek(DATE'2009-07-30')", 5),
    ("dayofyear(DATE'2016-04-09')", 100),
    ("decode(2, 1, 'Southlake', 2, 'San Francisco', 'Other')", "San Francisco"),
    ("degrees(3.141592653589793)", 180.0),
    ("endswith('SparkSQL', 'SQL')", True),
    ("exp(0)", 1.0),
    ("extract(YEAR FROM TIMESTAMP'2019-08-12 01:00:00.123456')", 2019),
    ("factorial(5)", 120),
    ("floor(-0.1)", Decimal("-1")),
    ("floor(5)", 5),
    ("unbase64('U3BhcmsgU1FM')", b"Spark SQL"),
    ("greatest(10, 9, 2, 4, 3)", 10),
    ("hex(17)", "11"),
    ("hex('Spark SQL')", "537061726B2053514C"),
    ("hour(TIMESTAMP'2009-07-30 12:58:59')", 12),
    ("if(1 < 2, 'a', 'b')", "a"),
    ("iff(1 < 2, 'a', 'b')", "a"),
    ("initcap('sPark sql')", "Spark Sql"),
    ("isnan(CAST('NaN' AS DOUBLE))", True),
    ("get_json_object('{\"a\":\"b\"}', '$.a')", "b"),
    ("last_day(DATE'2009-01-12')", date(2009, 1, 31)),
    ("least(10, 9, 2, 4, 3)", 2),
    ("left('Spark SQL', 3)", "Spa"),
    ("length('Spark SQL ')", 10),
    ("levenshtein('kitten', 'sitting')", 3),
    ("ln(1)", 0.0),
    ("log(10, 100)", 2.0),
    ("log10(10)", 1.0),
    ("log2(2)", 1.0),
    ("lower('SparkSql')", "sparksql"),
    ("md5('Spark')", "8cde774d6f7333752ed72cacddb05126"),
    ("map(1.0, '2', 3.0, '4')", [(Decimal("1.0"), "2"), (Decimal("3.0"), "4")]),
    ("map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", [(1, "a"), (2, "b")]),
    ("map_keys(map(1, 'a', 2, 'b'))", [1, 2]),
    ("map_values(map(1, 'a', 2, 'b'))", ["a", "b"]),
    ("map_from_arrays(array(1, 3), array('2', '4'))", [(1, "2"), (3, "4")]),
    ("minute(TIMESTAMP'2009-07-30 12:58:59')", 58),
    ("month(DATE'2016-07-30')", 7),
    ("nullif(2, 2)", None),
    ("nvl2(NULL, 2, 1)", 1),
    ("nvl(NULL, array('2'))", ["2"]),
    ("true OR NULL", True),
    ("lpad('hi', 5, 'ab')", "abahi"),
    ("rpad('hi', 5, 'ab')", "hiaba"),
    ("lpad('hi', 1, '??')", "h"),
    ("pow(2, 3)", 8.0),
    ("power(2, 3)", 8.0),
    ("quarter(DATE'2016-08-31')", 3),
    ("radians(180)", 3.141592653589793),
    ("regexp_count('Steven Jones and Stephen Smith are the best players', 'Ste(v|ph)en')", 2),
    ("regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", "100"),
    ("regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)", ["100", "300"]),
    ("regexp_instr('Steven Jones', 'Jones')", 8),
    ("'abc' RLIKE 'a.c'", True),
    ("regexp_like('abc', 'b')", True),
    ("regexp_replace('100-200', '(\\\\d+)', 'num')", "num-num"),
    ("repeat('123', 2)", "123123"),
    ("replace('ABCabc', 'abc', 'DEF')", "ABCDEF"),
    ("reverse('Spark SQL')", "LQS krapS"),
    ("right('Spark SQL', 3)", "SQL"),
    ("round(2.5, 0)", Decimal("3")),
    ("round(25, -1)", 30),
    ("sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"),
    ("sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"),
    ("try_divide(3, 2)", 1.5),
    ("second(TIMESTAMP'2009-07-30 12:58:59')", 59),
    ("sign(40)", 1.0),
    ("sin(0)", 0.0),
    ("sinh(0)", 0.0),
    ("split('oneAtwoBthreeC', '[ABC]')", ["one", "two", "three", ""]),
    ("sqrt(4)", 2.0),
    ("startswith('SparkSQL', 'Spark')", True),
    ("position('bar' IN 'foobarbar')", 4),
    ("struct(1, 2).col1", 1),
    ("named_struct('a', 1).a", 1),
    ("substring('Spark SQL', 5)", "k SQL"),
    ("substr('Spark SQL', -3)", "SQL"),
    ("substring('Spark SQL' FROM 5 FOR 1)", "k"),
    ("tan(0)", 0.0),
    ("tanh(0)", 0.0),
    ("timestamp('2020-12-31 13:57:36')", datetime(2020, 12, 31, 13, 57, 36, tzinfo=UTC)),
    ("translate('AaBbCc', 'abc', '123')", "A1B2C3"),
    ("trim('    SparkSQL   ')", "SparkSQL"),
    ("trim(BOTH 'SL' FROM 'SSparkSQLS')", "parkSQ"),
    ("trim(LEADING 'SL' FROM 'SSparkSQLS')", "parkSQLS"),
    ("trunc(DATE'2019-08-04', 'week')", date(2019, 7, 29)),
    ("unhex('537061726B2053514C')", b"Spark SQL"),
    ("unix_date(DATE'1970-01-02')", 1),
    ("unix_micros(TIMESTAMP'1970-01-01 00:00:01')", 1000000),
    ("unix_millis(TIMESTAMP'1970-01-01 00:00:01')", 1000),
    ("unix_seconds(TIMESTAMP'1970-01-01 00:00:01')", 1),
    ("upper('SparkSql')", "SPARKSQL"),
    ("weekofyear(DATE'2008-02-20')", 8),
    ("width_bucket(5.3, 0.2, 10.6, 5)", 3),
    ("year(DATE'2016-07-30')", 2016),
    ("ascii('222')", 50),
    ("bit_length('Spark SQL')", 72),
    ("octet_length('Spark SQL')", 9),
    ("from_json('{\"a\":1, \"b\":0.8}', 'a INT, b DOUBLE')", {"a": 1, "b": 0.8}),
    ("to_json(array(1, 2))", "[1,2]"),
    ("to_json(map('a', 1))", '{"a":1}'),
    ("aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", 6),
    ("reduce(array(1, 2, 3), 0, (acc, x) -> acc + x)", 6),
    ("array_compact(array(1, 2, 3, NULL))", [1, 2, 3]),
    ("array_join(array('hello', 'world'), ' ')", "hello world"),
    ("array_join(array('hello', NULL, 'world'), ' ')", "hello world"),
    ("array_repeat('123', 2)", ["123", "123"]),
    ("array_size(array('b', 'd', 'c', 'a'))", 4),
    ("base64('Spark SQL')", "U3BhcmsgU1FM"),
    ("bigint('5')", 5),
    ("bround(2.5, 0)", Decimal("2")),
    ("cardinality(array('b', 'd', 'c', 'a'))", 4),
    ("char_length('Spark SQL ')", 10),
    ("character_length('Spark SQL ')", 10),
    ("charindex('bar', 'abcbarbar')", 4),
    ("charindex('bar', 'abcbarbar', 5)", 7),
    ("date_diff(DAY, DATE'2021-01-01', DATE'2021-01-03')", 2),
    ("timestampdiff(MONTH, TIMESTAMP'2021-02-28 12:00:00', TIMESTAMP'2021-03-28 12:00:00')", 1),
    ("timestampadd(HOUR, 1, TIMESTAMP'2022-02-28 00:00:00')", datetime(2022, 2, 28, 1, 0, tzinfo=UTC)),
    ("date_format(DATE'2016-04-08', 'y')", "2016"),
    ("date_part('YEAR', TIMESTAMP'2019-08-12 01:00:00.123456')", 2019),
    ("datepart('doy', DATE'2019-08-12')", 224),
    ("dayname(DATE'2024-11-01')", "Fri"),
    ("monthname(DATE'2024-11-01')", "Nov"),
    ("e()", 2.718281828459045),
    ("element_at(array(1, 2, 3), 2)", 2),
    ("try_element_at(array(1, 2, 3), 5)", None),
    ("equal_null(NULL, NULL)", True),
    ("exists(array(1, 2, 3), x -> x % 2 = 0)", True),
    ("forall(array(1, 2, 3), x -> x % 2 = 0)", False),
    ("from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1970-01-01 00:00:00"),
    ("get(array(1, 2, 3), 0)", 1),
    ("get(array(1, 2, 3), -1)", None),
    ("instr('SparkSQL', 'SQL')", 6),
    ("locate('bar', 'foobarbar', 5)", 7),
    ("isnotnull(1)", True),
    ("isnull(1)", False),
    ("lcase('SparkSql')", "sparksql"),
    ("ucase('SparkSql')", "SPARKSQL"),
    ("len('Spark SQL ')", 10),
    ("ltrim('    SparkSQL   ')", "SparkSQL   "),
    ("rtrim('    SparkSQL   ')", "    SparkSQL"),
    ("map_concat(map(1, 'a'), map(2, 'b'))", [(1, "a"), (2, "b")]),
    ("map_contains_key(map(1, 'a'), 1)", True),
    ("months_between('1997-02-28 10:30:00', '1996-10-30')", 3.94959677),
    ("nanvl(CAST('NaN' AS DOUBLE), 123)", 123.0),
    ("negative(1)", -1),
    ("positive(1)", 1),
    ("nullifzero(0)", None),
    ("zeroifnull(NULL)", 0),
    ("pmod(10, 3)", 1),
    ("pmod(-10, 3)", 2),
    ("sequence(1, 5)", [1, 2, 3, 4, 5]),
    ("sequence(5, 1, -2)", [5, 3, 1]),
    (
        "sequence(DATE'2018-01-01', DATE'2018-03-01', INTERVAL 1 MONTH)",
        [date(2018, 1, 1), date(2018, 2, 1), date(2018, 3, 1)],
    ),
    ("user()", "analyst@example.com"),
    ("shiftleft(2, 1)", 4),
    ("shiftright(4, 1)", 2),
    ("space(2)", "  "),
    ("timestamp_micros(1230219000123123)", datetime(2008, 12, 25, 15, 30, 0, 123123, tzinfo=UTC)),
    ("timestamp_millis(1230219000123)", datetime(2008, 12, 25, 15, 30, 0, 123000, tzinfo=UTC)),
    ("timestamp_seconds(1230219000)", datetime(2008, 12, 25, 15, 30, tzinfo=UTC)),
    ("to_date('2016-12-31', 'yyyy-MM-dd')", date(2016, 12, 31)),
    ("to_timestamp('2016-12-31', 'yyyy-MM-dd')", datetime(2016, 12, 31, 0, 0, tzinfo=UTC)),
    ("to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')", 1460073600),
    ("try_to_timestamp('foo')", None),
    ("try_to_date('foo')", None),
    ("unix_timestamp('2016-04-08', 'yyyy-MM-dd')", 1460073600),
    ("weekday(DATE'2009-07-30')", 3),
    ("array(1, 2, 3)", [1, 2, 3]),
    ("array_append(array('b', 'd', 'c'), 'a')", ["b", "d", "c", "a"]),
    ("array_prepend(array('b', 'd'), 'a')", ["a", "b", "d"]),
    ("array_contains(array(1, 2, 3), 2)", True),
    ("array_contains(array(1, NULL), 2)", None),
    ("array_distinct(array(1, 2, 3, NULL, 3))", [1, 2, 3, None]),
    ("array_except(array(1, 2, 2, 3), array(1, 3, 3, 5))", [2]),
    ("array_intersect(array(1, 2, 3), array(1, 3, 3, 5))", [1, 3]),
    ("array_union(array(1, 2, 2, 3), array(1, 3, 5))", [1, 2, 3, 5]),
    ("array_max(array(1, 20, NULL, 3))", 20),
    ("array_min(array(1, 20, NULL, 3))", 1),
    ("array_position(array(3, 2, 1, 4, 1), 1)", 3),
    ("array_position(array(3, 2), 7)", 0),
    ("array_remove(array(1, 2, 3, NULL, 3, 2), 3)", [1, 2, None, 2]),
    ("array_remove(array(1, NULL), 1)", [None]),
    ("array_sort(array(5, 6, 1))", [1, 5, 6]),
    ("array_sort(array('b', NULL, 'a'))", ["a", "b", None]),
    ("sort_array(array('b', 'd', NULL, 'c', 'a'))", [None, "a", "b", "c", "d"]),
    ("sort_array(array(1, NULL, 2), false)", [2, 1, None]),
    ("slice(array(1, 2, 3, 4), 2, 2)", [2, 3]),
    ("slice(array(1, 2, 3, 4), -2, 2)", [3, 4]),
    ("flatten(array(array(1, 2), array(3, 4)))", [1, 2, 3, 4]),
    ("concat(array(1, 2, 3), array(4, 5), array(6))", [1, 2, 3, 4, 5, 6]),
    ("transform(array(1, 2, 3), x -> x + 1)", [2, 3, 4]),
    ("transform(array(1, 2, 3), (x, i) -> x + i)", [1, 3, 5]),
    ("filter(array(1, 2, 3), x -> x % 2 = 1)", [1, 3]),
    ("version() IS NOT NULL", True),
    ("current_metastore() IS NOT NULL", True),
    ("is_account_group_member('analysts')", True),
    ("is_member('nobody')", False),
    ("curdate() = current_date()", True),
    ("now() <= current_timestamp()", True),
    ("date_format(TIMESTAMP'2024-03-10 05:06:07.089', 'EEEE d MMM yy hh:mm a')", "Sunday 10 Mar 24 05:06 AM"),
    ("isnan(1D)", False),
    ("1 BETWEEN 0 AND 2", True),
    ("3 & 5", 1),
    ("3 | 5", 7),
    ("3 ^ 5", 6),
    ("~0", -1),
    ("CASE 1 WHEN 1 THEN 'a' END", "a"),
    ("1 IN (1, 2)", True),
    ("nvl(NULL, 2)", 2),
    ("parse_json('{\"a\": 1}')", '{"a":1}'),
    ("'{\"a\": 1}':a", "1"),
    ("initcap('a-b c')", "A-b C"),
    ("to_timestamp('2016-12-31 00:12:00')", datetime(2016, 12, 31, 0, 12, tzinfo=UTC)),
    ("array_union(array(1, 2), array(1, NULL, NULL))", [1, 2, None]),
    ("array_except(array(1, NULL, 2, 3), array(1, 3, 3, 5))", [None, 2]),
    ("filter(array(1, 2, 3), (x, i) -> i > 0)", [2, 3]),
    ("every(true) OVER ()", True),
    ("some(true) OVER ()", True),
]
QUERIES: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("SELECT posexplode(array(5)) AS (p, v)", [(0, 5)]),
    ("SELECT * FROM VALUES (1, 'q', 10) t(k, n, v) PIVOT (sum(v) FOR n IN ('q' AS w))", [(1, 10)]),
    ("SELECT last_value(a) RESPECT NULLS OVER (ORDER BY b) AS v FROM VALUES (1, 1) t(a, b)", [(1,)]),
    ("SELECT any_value(c) FROM VALUES (10), (10) t(c)", [(10,)]),
    ("SELECT approx_count_distinct(c) FROM VALUES (1), (1), (2), (2), (3) t(c)", [(3,)]),
    ("SELECT array_agg(c) FROM VALUES (1), (2), (1) t(c)", [([1, 2, 1],)]),
    ("SELECT collect_list(c) FROM VALUES (1), (NULL), (1) t(c)", [([1, 1],)]),
    ("SELECT sort_array(collect_set(c)) FROM VALUES (1), (2), (NULL), (1) t(c)", [([1, 2],)]),
    ("SELECT avg(c) FROM VALUES (1), (2), (NULL) t(c)", [(1.5,)]),
    ("SELECT bit_and(c), bit_or(c), bit_xor(c) FROM VALUES (3), (5) t(c)", [(1, 7, 6)]),
    ("SELECT corr(a, b) FROM VALUES (3, 2), (3, 3), (6, 4) t(a, b)", [(0.8660254037844387,)]),
    (
        "SELECT count(*), count(c), count(DISTINCT c), count_if(c > 1) FROM VALUES (1), (2), (2), (NULL) t(c)",
        [(4, 3, 2, 2)],
    ),
    (
        "SELECT covar_pop(a, b), covar_samp(a, b) FROM VALUES (1, 1), (2, 2), (3, 3) t(a, b)",
        [(0.6666666666666666, 1.0)],
    ),
    ("SELECT first(c), last(c) FROM VALUES (10), (5), (20) t(c)", [(10, 20)]),
    ("SELECT listagg(c, '-') FROM VALUES ('a'), ('b'), ('c') t(c)", [("a-b-c",)]),
    ("SELECT string_agg(c, ', ') FROM VALUES ('a'), (NULL), ('b') t(c)", [("a, b",)]),
    ("SELECT max(c), min(c) FROM VALUES (10), (NULL), (50) t(c)", [(50, 10)]),
    ("SELECT median(c) FROM VALUES (1), (2), (3), (4) t(c)", [(2.5,)]),
    ("SELECT mode(c) FROM VALUES (0), (10), (10) t(c)", [(10,)]),
    ("SELECT percentile(c, 0.3) FROM VALUES (0), (10) t(c)", [(3.0,)]),
    ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c) FROM VALUES (0), (1), (2), (10) t(c)", [(1.5,)]),
    (
        "SELECT percentile_approx(c, 0.5, 100), approx_percentile(c, 0.5) FROM VALUES (0), (6), (7), (9), (10) t(c)",
        [(7, 7)],
    ),
    ("SELECT sum(c) FROM VALUES (5), (10), (15) t(c)", [(30,)]),
    (
        "SELECT a, cume_dist() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), ntile(2) OVER (ORDER BY a), row_number() OVER (ORDER BY a) FROM VALUES (1), (2) t(a) ORDER BY a",
        [(1, 0.5, 0.0, 1, 1, 1, 1), (2, 1.0, 1.0, 2, 2, 2, 2)],
    ),
    (
        "SELECT a, lag(a) OVER (ORDER BY a), lead(a, 1, 0) OVER (ORDER BY a), nth_value(a, 2) OVER (ORDER BY a), first_value(a) OVER (ORDER BY a), last_value(a) OVER (ORDER BY a) FROM VALUES (1), (2) t(a) ORDER BY a",
        [(1, None, 2, None, 1, 1), (2, 1, 0, 2, 1, 2)],
    ),
    ("SELECT explode(array(10, 20))", [(10,), (20,)]),
    ("SELECT posexplode(array(10, 20))", [(0, 10), (1, 20)]),
    ("SELECT * FROM explode(array(1, 2))", [(1,), (2,)]),
    ("SELECT * FROM range(2)", [(0,), (1,)]),
    (
        "SELECT k, grouping(k), grouping_id(k), count(*) FROM VALUES ('a'), ('b') t(k) GROUP BY ROLLUP (k) ORDER BY k",
        [(None, 1, 1, 2), ("a", 0, 0, 1), ("b", 0, 0, 1)],
    ),
    ("SELECT p.a FROM VALUES (named_struct('a', 1)) t(p)", [(1,)]),
    ("SELECT max(c) FILTER (WHERE c < 3) FROM VALUES (1), (2), (3) t(c)", [(2,)]),
    ("SELECT array_agg(DISTINCT c) FROM VALUES (1) t(c)", [([1],)]),
    ("SELECT sum(DISTINCT c) FROM VALUES (1), (1) t(c)", [(1,)]),
    ("SELECT bool_and(c), bool_or(c) FROM VALUES (true), (NULL), (false) t(c)", [(False, True)]),
    (
        "SELECT stddev(c) AS a, stddev_samp(c) AS b, stddev_pop(c) AS c FROM VALUES (1), (2), (3) t(c)",
        [(1.0, 1.0, 0.816496580927726)],
    ),
    (
        "SELECT variance(c) AS a, var_samp(c) AS b, var_pop(c) AS c FROM VALUES (1), (2), (3) t(c)",
        [(1.0, 1.0, 0.6666666666666666)],
    ),
    (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r ORDER BY n",
        [(1,), (2,), (3,)],
    ),
    (
        "SELECT a, sum(b) AS s FROM VALUES ('x', 1), ('x', 2), ('y', 4) t(a, b) GROUP BY CUBE (a) ORDER BY a",
        [(None, 7), ("x", 3), ("y", 4)],
    ),
    (
        "SELECT a, sum(b) AS s FROM VALUES ('x', 1), ('x', 2), ('y', 4) t(a, b) GROUP BY GROUPING SETS ((a), ()) HAVING sum(b) > 3 ORDER BY a",
        [(None, 7), ("y", 4)],
    ),
    ("SELECT * FROM (SELECT 1 AS a INTERSECT SELECT 1) x", [(1,)]),
    ("SELECT 1 AS a EXCEPT SELECT 2", [(1,)]),
    ("SELECT * FROM VALUES (1, 'q', 10), (1, 'r', 20) t(k, n, v) PIVOT (sum(v) FOR n IN ('q', 'r'))", [(1, 10, 20)]),
    ("SELECT id, e FROM range(1) LATERAL VIEW explode(array(7, 8)) t AS e ORDER BY e", [(0, 7), (0, 8)]),
    ("SELECT a FROM VALUES (1), (2) t(a) WHERE a = ANY (SELECT 2)", [(2,)]),
    ("SELECT a FROM VALUES ('ab'), ('cd') t(a) WHERE a LIKE ANY ('a%', 'x%')", [("ab",)]),
    ("SELECT a FROM VALUES ('ab'), ('cd') t(a) WHERE a LIKE ALL ('a%', '%b')", [("ab",)]),
    ("SELECT 'AB' ILIKE 'a%' AND NOT 'a_b' LIKE 'a!_c' ESCAPE '!' AS v", [(True,)]),
    ("SELECT NOT (1 <> 2 OR 1 <= 0 OR NULL IS NULL) AS v", [(False,)]),
    ("SELECT 1 <=> NULL AS a, 7 DIV 2 AS b, 7 % 3 AS c, 'a' || 'b' AS d, -(3 - 4) AS e", [(False, 3, 1, "ab", 1)]),
    (
        "SELECT sum(a) OVER w AS s FROM VALUES (1), (2) t(a) WINDOW w AS (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) ORDER BY s",
        [(1,), (3,)],
    ),
    ("SELECT a FROM VALUES (1), (2), (3) t(a) QUALIFY row_number() OVER (ORDER BY a DESC) = 1", [(3,)]),
    (
        "SELECT last_value(a IGNORE NULLS) OVER (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS v FROM VALUES (1, 1), (NULL, 2) t(a, b)",
        [(1,), (1,)],
    ),
    ("SELECT DATE'2024-01-01' + INTERVAL 1 DAY AS v", [(date(2024, 1, 2),)]),
    ("SELECT CAST('x' AS STRING) AS a, try_cast('x' AS INT) AS b, true AS c, X'4a' AS d", [("x", None, True, b"J")]),
    ("SELECT array(1, 2, 3)[1] AS a, map('k', 5)['k'] AS b", [(2, 5)]),
    (
        "SELECT a.v FROM (SELECT 1 AS v) a JOIN (SELECT 1 AS v) b ON a.v = b.v CROSS JOIN (VALUES (9)) c(z) LIMIT 1 OFFSET 0",
        [(1,)],
    ),
    ("SELECT EXISTS (SELECT 1) AS a, 1 IN (SELECT 1) AS b, (SELECT 3) AS c", [(True, True, 3)]),
    ("SELECT DISTINCT a FROM VALUES (1), (1) t(a)", [(1,)]),
    ("SELECT * EXCEPT (b) FROM VALUES (1, 2) t(a, b)", [(1,)]),
    ("SELECT x.* FROM VALUES (1), (2) x(a), LATERAL (SELECT x.a + 1 AS c) y WHERE c = 3", [(2,)]),
    ("SELECT max(a) FROM VALUES (1), (2) t(a) GROUP BY ALL", [(2,)]),
]


def rounded(value: Any) -> Any:
    """Doubles to nine places, inside of rows and arrays too."""
    if isinstance(value, float):
        return round(value, 9)
    return type(value)(rounded(item) for item in value) if isinstance(value, list | tuple) else value


def same(got: Any, wanted: Any) -> bool:
    return type(got) is type(wanted) and bool(rounded(got) == rounded(wanted))


@pytest.mark.parametrize(("expression", "wanted"), VALUES)
def test_value(world: SqlWorld, expression: str, wanted: Any) -> None:
    got = world.value(expression)
    assert same(got, wanted), got


@pytest.mark.parametrize(("statement", "wanted"), QUERIES)
def test_rows(world: SqlWorld, statement: str, wanted: list[tuple[Any, ...]]) -> None:
    got = world.rows(statement)
    assert same(got, wanted), got


CHANGES = {"Insert", "Update", "Delete", "Merge", "When", "Whens", "Schema", "ColumnDef"}
"""Classes of statements that change tables; their tests are those of statements."""
MARKERS = {"Parameter", "Placeholder", "Pseudocolumn"}
"""Bound values, and ``rowid``, which is refused by name; tested with parameters and governance."""


def test_every_allowed_name_has_an_example() -> None:
    texts = [*(f"SELECT {expression}" for expression, _ in VALUES), *(statement for statement, _ in QUERIES)]
    seen = {type(node).__name__ for text in texts for node in dialect.parse(text).walk()}
    assert not vet.ALLOWED_NODES - seen - CHANGES - MARKERS
    assert not [name for name in vet.ALLOWED_NODES if not hasattr(exp, name)]
    written = {name.lower() for text in texts for name in re.findall(r"\w+(?=\()", text)}
    assert not vet.ALLOWED_ANONYMOUS - written


@pytest.mark.parametrize(
    "expression",
    [
        "kurtosis(1)",
        "skewness(1)",
        "percentile_disc(0.5) WITHIN GROUP (ORDER BY 1)",
        "array_sum(array(1))",
        "zip_with(array(1), array(2), (x, y) -> x + y)",
        "substring_index('a.b', '.', 1)",
        "uuid()",
        "rint(2.5)",
        "INTERVAL '1-2' YEAR TO MONTH",
    ],
)
def test_what_is_not_proven_is_refused(world: SqlWorld, expression: str) -> None:
    message = world.error(f"SELECT {expression}")
    assert "UNSUPPORTED" in message or "UNRESOLVED_ROUTINE" in message
