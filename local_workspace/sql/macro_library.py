"""The library of macros: functions with the platform's meaning, in DuckDB's SQL. ``macros`` says how they are called.

Macros are expanded when a statement is bound, and ``typeof`` of a column is a constant then: a branch for another type
costs nothing when the statement runs. There are two copies: schema ``utc`` for sessions in UTC, where a timestamp's wall
clock is plain arithmetic, and schema ``zoned`` for all other time zones, where DuckDB's ICU library does it (slower).
"""

# ruff: noqa: E501, ISC004 - a macro is easier to read when its SQL is broken where the SQL breaks
from __future__ import annotations

LIBRARY = "lib"
UTC, ZONED = "utc", "zoned"

_TZ = "'TIMESTAMP WITH TIME ZONE'"
_MALFORMED = (
    "because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed "
    "input and return NULL instead. SQLSTATE: 22018"
)


def _invalid(kind: str) -> str:
    return f"error('[CAST_INVALID_INPUT] The value ''' || s || ''' of the type \"STRING\" cannot be cast to \"{kind}\" {_MALFORMED}')"


_REFUSED = (
    "error('[UNSUPPORTED_FEATURE.LOCAL_WORKSPACE] The feature is not supported: this operation on a type that is only known when the "
    "statement runs is not available in the local workspace; an explicit CAST helps. SQLSTATE: 0A000')"
)
_BY_ZERO = "error('[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. SQLSTATE: 22012')"

CLOCK = {
    UTC: (
        "local_time(x) AS make_timestamp(epoch_us(x))",
        "instant(x) AS make_timestamptz(epoch_us(CAST(x AS TIMESTAMP)))",
    ),
    ZONED: ("local_time(x) AS CAST(x AS TIMESTAMP)", "instant(x) AS CAST(CAST(x AS TIMESTAMP) AS TIMESTAMPTZ)"),
}

_DATE = r"^[0-9]{4}(-[0-9]{1,2}){0,2}$"
_STAMP = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}(:[0-9]{1,2}){0,2}(\.[0-9]*)?( ?(Z|UTC|[+-][0-9]{1,2}:?[0-9]{0,2}))?$"
_INTEGER = "^[+-]?[0-9]+$"

_CASTS = (
    # Text of dates and times: the platform takes 2024, 2024-3 and 2024-03-01 11 as well.
    "day_text(s) AS rpad(left(trim(s), 4), 4, '0') || '-' || lpad(coalesce(nullif(split_part(split_part(split_part(trim(s), 'T', 1), ' ', 1)"
    ", '-', 2), ''), '1'), 2, '0') || '-' || lpad(coalesce(nullif(split_part(split_part(split_part(trim(s), 'T', 1), ' ', 1), '-', 3), ''), '1'), 2, '0')",
    "clock_text(s) AS CASE WHEN regexp_matches(s, '^[0-9]{1,2}$') THEN s || ':00:00' WHEN regexp_matches(s, '^[0-9]{1,2}:[0-9]{1,2}$') "
    "THEN s || ':00' ELSE s END",
    r"zone_text(s) AS CASE WHEN s = '' THEN '' WHEN s IN ('Z', 'UTC') THEN '+00' WHEN regexp_matches(s, '^[+-][0-9]{4}$') "
    "THEN left(s, 3) || ':' || right(s, 2) ELSE s END",
    "stamp_text(s) AS {S}.day_text(s) || ' ' || {S}.clock_text(regexp_extract(trim(s), '[ T]([0-9:.]+)', 1)) || "
    "{S}.zone_text(regexp_extract(trim(s), '[0-9] ?(Z|UTC|[+-][0-9:]+)$', 1))",
    f"try_date_text(s) AS CASE WHEN regexp_matches(trim(s), '{_DATE}') OR regexp_matches(trim(s), '^[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}[ T]') "
    "THEN TRY_CAST({S}.day_text(s) AS DATE) END",
    f"date_text(s) AS CASE WHEN s IS NULL THEN NULL WHEN {{S}}.try_date_text(s) IS NOT NULL THEN {{S}}.try_date_text(s) ELSE {_invalid('DATE')} END",
    f"try_stamp_text(s) AS CASE WHEN regexp_matches(trim(s), '{_DATE}') THEN TRY_CAST({{S}}.day_text(s) || ' 00:00:00' AS TIMESTAMPTZ) "
    f"WHEN regexp_matches(trim(s), '{_STAMP}') THEN TRY_CAST({{S}}.stamp_text(s) AS TIMESTAMPTZ) ELSE TRY_CAST(s AS TIMESTAMPTZ) END",
    f"text_to_stamp(s) AS CASE WHEN s IS NULL THEN NULL WHEN {{S}}.try_stamp_text(s) IS NOT NULL THEN {{S}}.try_stamp_text(s) "
    f"ELSE {_invalid('TIMESTAMP')} END",
    # Overloads, so that only the branch of the argument's type is bound: text costs milliseconds to bind, columns nothing.
    "wall(x TIMESTAMPTZ) AS {S}.local_time(x), (x TIMESTAMP) AS x, (x DATE) AS CAST(x AS TIMESTAMP), "
    "(x VARCHAR) AS {S}.local_time({S}.text_to_stamp(x))",
    "cast_date(x DATE) AS x, (x TIMESTAMPTZ) AS CAST({S}.local_time(x) AS DATE), (x TIMESTAMP) AS CAST(x AS DATE), (x VARCHAR) AS {S}.date_text(x)",
    "try_date(x DATE) AS x, (x TIMESTAMPTZ) AS CAST({S}.local_time(x) AS DATE), (x TIMESTAMP) AS CAST(x AS DATE), (x VARCHAR) AS "
    "{S}.try_date_text(x)",
    "cast_timestamp(x TIMESTAMPTZ) AS x, (x TIMESTAMP) AS {S}.instant(x), (x DATE) AS {S}.instant(CAST(x AS TIMESTAMP)), (x BIGINT) AS "
    "make_timestamptz(x * 1000000), (x DOUBLE) AS make_timestamptz(CAST(x * 1000000 AS BIGINT)), (x VARCHAR) AS {S}.text_to_stamp(x)",
    "try_timestamp(x TIMESTAMPTZ) AS x, (x TIMESTAMP) AS {S}.instant(x), (x DATE) AS {S}.instant(CAST(x AS TIMESTAMP)), (x BIGINT) AS "
    "make_timestamptz(x * 1000000), (x VARCHAR) AS {S}.try_stamp_text(x)",
    # Numbers: text must be an integer, fractions are cut off.
    f"int_text(s) AS CASE WHEN s IS NULL THEN NULL WHEN regexp_matches(trim(s), '{_INTEGER}') THEN CAST(trim(s) AS BIGINT) "
    f"ELSE {_invalid('BIGINT')} END",
    "truncated_number(x) AS CAST(trunc(x) AS BIGINT)",
    "cast_integer(x BIGINT) AS x, (x VARCHAR) AS {S}.int_text(x), (x DOUBLE) AS {S}.truncated_number(x), (x DECIMAL(38,18)) AS "
    "{S}.truncated_number(x), (x TIMESTAMPTZ) AS CAST(floor(epoch(x)) AS BIGINT), (x BOOLEAN) AS CAST(x AS BIGINT), (x HUGEINT) AS CAST(x AS BIGINT)",
    f"try_int_text(s) AS CASE WHEN regexp_matches(trim(s), '{_INTEGER}') THEN TRY_CAST(trim(s) AS BIGINT) END",
    "try_integer(x BIGINT) AS x, (x VARCHAR) AS {S}.try_int_text(x), (x DOUBLE) AS TRY_CAST(trunc(x) AS BIGINT), (x DECIMAL(38,18)) AS "
    "TRY_CAST(trunc(x) AS BIGINT), (x BOOLEAN) AS CAST(x AS BIGINT), (x HUGEINT) AS TRY_CAST(x AS BIGINT)",
    # Text of values: doubles as Java writes them, timestamps by the wall clock.
    "mantissa(d) AS left(d, 1) || '.' || CASE WHEN length(d) > 1 THEN substring(d, 2) ELSE '0' END",
    "digits_text(t, x) AS CASE WHEN contains(t, 'e') THEN CASE WHEN contains(split_part(t, 'e', 1), '.') THEN split_part(t, 'e', 1) "
    "ELSE split_part(t, 'e', 1) || '.0' END || 'E' || CAST(CAST(split_part(t, 'e', 2) AS INTEGER) AS VARCHAR) "
    "WHEN x >= 1e7 THEN {S}.mantissa(coalesce(nullif(rtrim(replace(t, '.', ''), '0'), ''), '0')) || 'E' || CAST(strpos(t, '.') - 2 AS VARCHAR) "
    "WHEN x > 0 AND x < 1e-3 THEN {S}.mantissa(ltrim(replace(t, '.', ''), '0')) || 'E-' || "
    "CAST(length(substring(t, 3)) - length(ltrim(substring(t, 3), '0')) + 1 AS VARCHAR) ELSE t END",
    "double_text(x) AS CASE WHEN x IS NULL THEN NULL WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE "
    "'-Infinity' END WHEN x < 0 THEN '-' || {S}.digits_text(CAST(-x AS VARCHAR), -x) ELSE {S}.digits_text(CAST(x AS VARCHAR), x) END",
    "stamp_to_text(t) AS regexp_replace(regexp_replace(strftime(t, '%Y-%m-%d %H:%M:%S.%f'), '0+$', ''), '\\.$', '')",
    f"cast_string(x) AS CASE WHEN typeof(x) = 'DOUBLE' THEN {{S}}.double_text(TRY_CAST(x AS DOUBLE)) WHEN typeof(x) = 'FLOAT' THEN "
    f"{{S}}.double_text(TRY_CAST(x AS FLOAT)) WHEN typeof(x) IN ({_TZ}, 'TIMESTAMP') THEN {{S}}.stamp_to_text(CASE WHEN typeof(x) = {_TZ} "
    "THEN {S}.local_time(TRY_CAST(x AS TIMESTAMPTZ)) ELSE TRY_CAST(x AS TIMESTAMP) END) WHEN typeof(x) = 'BLOB' THEN decode(TRY_CAST(x AS BLOB)) "
    "WHEN starts_with(typeof(x), 'STRUCT') OR starts_with(typeof(x), 'MAP') OR ends_with(typeof(x), '[]') THEN error('[UNSUPPORTED_FEATURE."
    "LOCAL_WORKSPACE] The feature is not supported: a cast of nested values to STRING is not available in the local workspace. SQLSTATE: 0A000') "
    "ELSE CAST(x AS VARCHAR) END",
    "cast_binary(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN encode(TRY_CAST(x AS VARCHAR)) ELSE TRY_CAST(x AS BLOB) END",
)

_TIMES = (
    *(
        f"{name}(x) AS CAST({name}(x) AS INTEGER)"
        for name in ("year", "month", "day", "quarter", "hour", "minute", "second")
    ),
    "dayofmonth(x) AS CAST(day(x) AS INTEGER)",
    "dayofyear(x) AS CAST(dayofyear(x) AS INTEGER)",
    "weekofyear(x) AS CAST(weekofyear(x) AS INTEGER)",
    "dayofweek(x) AS CAST(dayofweek(x) + 1 AS INTEGER)",
    "weekday(x) AS CAST(isodow(x) - 1 AS INTEGER)",
    "dayname(x) AS strftime(x, '%a')",
    "monthname(x) AS strftime(x, '%b')",
    "last_day(x) AS last_day(x)",
    "add_months(x, n) AS CAST(x + to_months(CAST(n AS INTEGER)) AS DATE)",
    "date_add(x, n) AS x + CAST(n AS INTEGER)",
    "date_sub(x, n) AS x - CAST(n AS INTEGER)",
    "days_between(later, earlier) AS CAST(later - earlier AS INTEGER)",
    "full_units(unit, a, b) AS date_sub(unit, a, b)",
    "truncated(unit, x) AS {S}.instant(date_trunc(unit, x))",
    "truncated_date(unit, x) AS CAST(date_trunc(unit, x) AS DATE)",
    "moved(x, step) AS {S}.instant(x + step)",
    "formatted(x, pattern) AS strftime(x, pattern)",
    "from_unixtime(x) AS strftime({S}.local_time(make_timestamptz(CAST(x AS BIGINT) * 1000000)), '%Y-%m-%d %H:%M:%S')",
    "unix_timestamp() AS CAST(floor(epoch(now())) AS BIGINT), (x) AS CAST(floor(epoch(x)) AS BIGINT)",
    "unix_seconds(x) AS CAST(floor(epoch(x)) AS BIGINT)",
    "unix_millis(x) AS CAST(floor(epoch_us(x) / 1000.0) AS BIGINT)",
    "unix_micros(x) AS epoch_us(x)",
    "unix_date(x) AS CAST(x - DATE '1970-01-01' AS INTEGER)",
    "date_from_unix_date(n) AS DATE '1970-01-01' + CAST(n AS INTEGER)",
    "timestamp_seconds(x) AS make_timestamptz(CAST(CAST(x AS DECIMAL(30,6)) * 1000000 AS BIGINT))",
    "timestamp_millis(x) AS make_timestamptz(CAST(x AS BIGINT) * 1000)",
    "timestamp_micros(x) AS make_timestamptz(CAST(x AS BIGINT))",
    "today() AS CAST({S}.local_time(now()) AS DATE)",
    "day_second(x) AS 86400 * day(x) + epoch(x) - epoch(date_trunc('day', x))",
    "at_month_end(x) AS day(x) = day(last_day(CAST(x AS DATE)))",
    "months_between(a, b) AS round(CAST((year(a) - year(b)) * 12 + month(a) - month(b) AS DOUBLE) + "
    "CASE WHEN day(a) = day(b) OR ({S}.at_month_end(a) AND {S}.at_month_end(b)) THEN 0 "
    "ELSE ({S}.day_second(a) - {S}.day_second(b)) / 2678400.0 END, 8)",
    "plus_days(x DATE, step INTERVAL) AS CAST(x + step AS DATE), (x TIMESTAMP, step INTERVAL) AS x + step, "
    "(x TIMESTAMPTZ, step INTERVAL) AS x + step, (x INTERVAL, step INTERVAL) AS x + step",
    "plus_time(x DATE, step INTERVAL) AS {S}.instant(x + step), (x TIMESTAMP, step INTERVAL) AS x + step, "
    "(x TIMESTAMPTZ, step INTERVAL) AS x + step, (x INTERVAL, step INTERVAL) AS x + step",
)

_NUMBERS = (
    "ln(x) AS CASE WHEN CAST(x AS DOUBLE) <= 0 THEN NULL ELSE ln(CAST(x AS DOUBLE)) END",
    "log(x) AS CASE WHEN CAST(x AS DOUBLE) <= 0 THEN NULL ELSE ln(CAST(x AS DOUBLE)) END, (b, x) AS CASE WHEN CAST(x AS DOUBLE) <= 0 OR "
    "CAST(b AS DOUBLE) <= 0 THEN NULL ELSE ln(CAST(x AS DOUBLE)) / ln(CAST(b AS DOUBLE)) END",
    "log10(x) AS CASE WHEN CAST(x AS DOUBLE) <= 0 THEN NULL ELSE log10(CAST(x AS DOUBLE)) END",
    "log2(x) AS CASE WHEN CAST(x AS DOUBLE) <= 0 THEN NULL ELSE log2(CAST(x AS DOUBLE)) END",
    "sqrt(x) AS CASE WHEN CAST(x AS DOUBLE) < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(CAST(x AS DOUBLE)) END",
    "bround(x) AS round_even(x, 0), (x, d) AS round_even(x, d)",
    "whole(x) AS CASE WHEN isnan(x) THEN 0 WHEN x >= 9223372036854775807 THEN 9223372036854775807 WHEN x <= -9223372036854775808 "
    "THEN -9223372036854775808 ELSE CAST(x AS BIGINT) END",
    f"floor(x BIGINT) AS x, (x DECIMAL(38,18)) AS {_REFUSED}, (x DOUBLE) AS {{S}}.whole(floor(x))",
    f"ceil(x BIGINT) AS x, (x DECIMAL(38,18)) AS {_REFUSED}, (x DOUBLE) AS {{S}}.whole(ceil(x))",
    # A double is rounded by its shortest decimal text, as java.math.BigDecimal does: 1.005 to 2 places is 1.01. Far from a
    # tie plain arithmetic gives the same.
    "near_tie(y) AS abs(y) >= 1e9 OR abs(abs(y - trunc(y)) - 0.5) < 1e-5",
    "round_double(x, d) AS CASE WHEN d = 0 THEN round(x) WHEN {S}.near_tie(x * pow(10.0, d)) THEN coalesce(CAST(round(TRY_CAST("
    "CAST(x AS VARCHAR) AS DECIMAL(38,16)), CAST(d AS INTEGER)) AS DOUBLE), round(x, CAST(d AS INTEGER))) ELSE round(x, CAST(d AS INTEGER)) END",
    f"only_double(x) AS CASE WHEN typeof(x) NOT IN ('DOUBLE', 'FLOAT') THEN {_REFUSED} ELSE x END",
    # Guards of operations on values whose type is known only when the statement is bound.
    f"no_decimal(x) AS CASE WHEN starts_with(typeof(x), 'DECIMAL') THEN {_REFUSED} ELSE x END",
    f"no_integer(x) AS CASE WHEN contains(typeof(x), 'INT') THEN {_REFUSED} ELSE x END",
    f"minus(a, b) AS CASE WHEN typeof(a) = 'DATE' AND typeof(b) = 'DATE' THEN {_REFUSED} ELSE a - b END",
    "both(a, b, t, u) AS (starts_with(t, 'DECIMAL') OR starts_with(u, 'DECIMAL')) AND t NOT IN ('DOUBLE', 'FLOAT') AND u NOT IN "
    "('DOUBLE', 'FLOAT')",
    f"quotient(a, b) AS CASE WHEN {{S}}.both(a, b, typeof(a), typeof(b)) THEN {_REFUSED} ELSE a / b END",
    f"whole_quotient(a, b) AS CASE WHEN NOT (contains(typeof(a), 'INT') AND contains(typeof(b), 'INT')) THEN {_REFUSED} ELSE a // b END",
    f"whole_ratio(n, b) AS CASE WHEN b = 0 THEN {_BY_ZERO} ELSE CASE WHEN (n < 0) <> (b < 0) THEN -1 ELSE 1 END * (abs(n) // abs(b) + "
    "CASE WHEN abs(n) % abs(b) >= abs(b) - abs(n) % abs(b) THEN 1 ELSE 0 END) END",
    f"whole_part(n, b) AS CASE WHEN b = 0 THEN {_BY_ZERO} ELSE n // b END",
    "isnan(x) AS coalesce(isnan(CAST(x AS DOUBLE)), FALSE)",
    "pmod(a, b) AS ((a % b) + b) % b",
    "remainder(a, b) AS CASE WHEN b = 0 THEN error('[REMAINDER_BY_ZERO] Remainder by zero. Use `try_mod` to tolerate divisor being 0 and "
    "return NULL instead. SQLSTATE: 22012') ELSE a % b END",
    "nanvl(a, b) AS CASE WHEN isnan(CAST(a AS DOUBLE)) THEN CAST(b AS DOUBLE) ELSE CAST(a AS DOUBLE) END",
    "sign(x) AS CAST(sign(x) AS DOUBLE)",
    "width_bucket(v, lo, hi, n) AS CAST(CASE WHEN n <= 0 OR lo = hi OR isnan(CAST(v AS DOUBLE)) OR isnan(CAST(lo AS DOUBLE)) OR "
    "isnan(CAST(hi AS DOUBLE)) THEN NULL WHEN lo < hi THEN CASE WHEN v < lo THEN 0 WHEN v >= hi THEN n + 1 "
    "ELSE floor(n * (CAST(v AS DOUBLE) - lo) / (CAST(hi AS DOUBLE) - lo)) + 1 END ELSE CASE WHEN v > lo THEN 0 WHEN v <= hi THEN n + 1 ELSE "
    "floor(n * (CAST(lo AS DOUBLE) - v) / (CAST(lo AS DOUBLE) - hi)) + 1 END END AS BIGINT)",
    "e() AS exp(1.0)",
    "negative(x) AS -x",
    "positive(x) AS x",
    "isnull(x) AS x IS NULL",
    "isnotnull(x) AS x IS NOT NULL",
    "zeroifnull(x) AS coalesce(x, 0)",
    "nullifzero(x) AS nullif(x, 0)",
    "equal_null(a, b) AS a IS NOT DISTINCT FROM b",
    "shiftleft(x, n) AS x << n",
    "shiftright(x, n) AS x >> n",
)

_STRINGS = (
    "substring3(s, p, n) AS CASE WHEN n <= 0 THEN '' WHEN p > 0 THEN substring(s, p, n) WHEN p = 0 THEN substring(s, 1, n) ELSE "
    "substring(s, greatest(length(s) + p, 0) + 1, greatest(length(s) + p + CAST(n AS BIGINT), 0) - greatest(length(s) + p, 0)) END",
    "substring(s, p) AS {S}.substring3(s, p, 2147483647), (s, p, n) AS {S}.substring3(s, p, n)",
    "left(s, n) AS CASE WHEN n <= 0 THEN '' ELSE left(s, n) END",
    "right(s, n) AS CASE WHEN n <= 0 THEN '' ELSE right(s, n) END",
    "length(x) AS CAST(CASE WHEN typeof(x) = 'BLOB' THEN octet_length(TRY_CAST(x AS BLOB)) ELSE length(CAST(x AS VARCHAR)) END AS INTEGER)",
    "octet_length(x) AS CAST(CASE WHEN typeof(x) = 'BLOB' THEN octet_length(TRY_CAST(x AS BLOB)) ELSE strlen(CAST(x AS VARCHAR)) END AS INTEGER)",
    "bit_length(x) AS 8 * {S}.octet_length(x)",
    "locate(part, s) AS CAST(strpos(s, part) AS INTEGER), (part, s, p) AS CAST(CASE WHEN p < 1 OR strpos(substring(s, p), part) = 0 THEN 0 "
    "ELSE strpos(substring(s, p), part) + p - 1 END AS INTEGER)",
    "charindex(part, s) AS {S}.locate(part, s), (part, s, p) AS {S}.locate(part, s, p)",
    "instr(s, part) AS CAST(strpos(s, part) AS INTEGER)",
    "space(n) AS repeat(' ', n)",
    "base64(x) AS to_base64({S}.cast_binary(x))",
    "unbase64(s) AS from_base64(s)",
    "startswith(s, t) AS starts_with(s, t)",
    "endswith(s, t) AS ends_with(s, t)",
    "split(s, r) AS string_split_regex(s, r)",
    "ascii(s) AS CAST(CASE WHEN s = '' THEN 0 ELSE ascii(s) END AS INTEGER)",
)

_COLLECTIONS = (
    "item(a, i) AS CASE WHEN i < 0 OR i >= len(a) THEN error('[INVALID_ARRAY_INDEX] The index ' || i || ' is out of bounds. The array has ' || "
    "len(a) || ' elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead. SQLSTATE: 22003') "
    "ELSE a[i + 1] END",
    "element_at(a, i) AS CASE WHEN i = 0 OR abs(i) > len(a) THEN error('[INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index ' || i || ' is out of bounds. "
    "The array has ' || len(a) || ' elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead. "
    "SQLSTATE: 22003') ELSE a[i] END",
    "try_element_at(a, i) AS a[i]",
    "get(a, i) AS CASE WHEN i < 0 THEN NULL ELSE a[i + 1] END",
    "size(a) AS CAST(len(a) AS INTEGER)",
    "cardinality(a) AS CAST(len(a) AS INTEGER)",
    "array_size(a) AS CAST(len(a) AS INTEGER)",
    "array_repeat(x, n) AS list_transform(range(CAST(n AS BIGINT)), LAMBDA _i: x)",
    "array_compact(a) AS list_filter(a, LAMBDA _i: _i IS NOT NULL)",
    "array_join(a, s) AS array_to_string(a, s)",
    "array_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN TRUE WHEN "
    "len(list_filter(a, LAMBDA _i: _i IS NULL)) > 0 THEN NULL ELSE FALSE END",
    "array_distinct(a) AS list_filter(a, LAMBDA _e, _i: len(list_filter(a[1:_i - 1], LAMBDA _f: _f IS NOT DISTINCT FROM _e)) = 0)",
    "array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE CAST(coalesce(list_position(a, x), 0) AS BIGINT) END",
    "array_remove(a, x) AS CASE WHEN x IS NULL THEN NULL ELSE list_filter(a, LAMBDA _e: _e IS NULL OR _e <> x) END",
    "array_intersect(a, b) AS {S}.array_distinct(list_filter(a, LAMBDA _x: len(list_filter(b, LAMBDA _y: _y IS NOT DISTINCT FROM _x)) > 0))",
    "array_except(a, b) AS {S}.array_distinct(list_filter(a, LAMBDA _x: len(list_filter(b, LAMBDA _y: _y IS NOT DISTINCT FROM _x)) = 0))",
    "array_union(a, b) AS {S}.array_distinct(list_concat(a, b))",
    "map_values(m) AS map_values(m)",
    "map_contains_key(m, k) AS map_contains(m, k)",
    "sequence(a BIGINT, b BIGINT) AS CASE WHEN a <= b THEN generate_series(a, b) ELSE generate_series(a, b, -1) END, "
    "(a BIGINT, b BIGINT, s BIGINT) AS generate_series(a, b, s), (a DATE, b DATE, s INTERVAL) AS "
    "list_transform(generate_series(a, b, s), LAMBDA _d: CAST(_d AS DATE)), (a TIMESTAMPTZ, b TIMESTAMPTZ, s INTERVAL) AS generate_series(a, b, s)",
    "to_json(x) AS CASE WHEN contains(typeof(x), 'STRUCT(') THEN error('[UNSUPPORTED_FEATURE.LOCAL_WORKSPACE] The feature is not supported: "
    "to_json of a struct is not available in the local workspace. SQLSTATE: 0A000') ELSE CAST(to_json(x) AS VARCHAR) END",
)

MACROS = (*_CASTS, *_TIMES, *_NUMBERS, *_STRINGS, *_COLLECTIONS)
"""Name, parameters and body of each; ``{S}`` stands for the schema that they lie in."""
