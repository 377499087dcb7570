"""Which Databricks SQL may reach DuckDB: lists of what is allowed; everything else is refused.

Refusing by default is what keeps DuckDB's own functions (files, settings, catalogs), its own syntax and every function
whose meaning differs from the platform's out of a statement. Names of tables are resolved elsewhere, and only in Unity
Catalog's metadata.
"""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql import errors, types

QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)

_NODES = """
Add Alias Aliases And Array Between Boolean Bracket Case Cast Coalesce Column ColumnDef Concat CTE Cube DataType
DataTypeParam Delete Desc Div Dot DPipe Distinct EQ Escape Except Exists Explode Filter From GT GTE Group GroupingSets
Having Identifier If ILike In Insert IntDiv Intersect Interval IntervalSpan Is Join JSONExtract Kwarg Lambda Lateral LT
LTE Like Limit Literal LogicalAnd LogicalOr Map MapFromEntries Merge Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ
Offset Or Order Ordered Parameter Paren Pivot Placeholder PivotAlias PropertyEQ Qualify RegexpLike Rollup Schema Select
Slice Star Struct Sub Subquery Table TableAlias Tuple Union Unnest Update Values Var When Where Whens Window WindowSpec
Windows With TryCast BitwiseAnd BitwiseOr BitwiseXor BitwiseNot WithinGroup IgnoreNulls RespectNulls Any All SafeDivide
Returning Pseudocolumn PropertyEQ AtTimeZone
"""

_FUNCTIONS = """
Abs Acos AddMonths And Anonymous AnyValue ApproxDistinct Array ArrayAgg ArrayAny ArrayConcat ArrayContains ArrayDistinct
ArrayExcept ArrayFilter ArrayIntersect ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayAppend ArrayRemove
ArraySize ArraySlice ArraySum ArrayToString ArrayUnionAgg ArrayUniqueAgg Ascii Asin Atan Atan2 Avg BitwiseAndAgg
BitwiseOrAgg BitwiseXorAgg Case Cast Cbrt Ceil Chr Coalesce Concat ConcatWs Contains Corr Cos Cosh Count CountIf CovarPop
CovarSamp CumeDist CurrentCatalog CurrentDatabase CurrentDate CurrentSchema CurrentTimestamp CurrentUser CurrentTimezone
Date DateAdd DateDiff DateFromParts DateSub DateTrunc Day DayOfMonth DayOfWeek DayOfYear Degrees DenseRank EndsWith Exists
Exp Explode Extract First FirstValue Floor FromBase64 FromTimeZone GenerateSeries GetJSONObject Greatest GroupConcat
Hex Hour If Ilike JSONExtract JSONExtractScalar Lag Last LastDay LastValue Lead Least Left Length Levenshtein List Ln Log
Log10 Log2 LogicalAnd LogicalOr Lower Map MapEntries MapFromArrays MapKeys MapValues MapFromEntries Max MaxBy MD5 Min MinBy
Minute Month MonthsBetween NthValue Ntile NullIf Nvl2 Or ParseJSON PercentRank Percentile PercentileCont PercentileDisc
Posexplode Pow Quantile ApproxQuantile Quarter Radians Rank RegexpExtract RegexpExtractAll RegexpLike RegexpReplace
Repeat Replace Reverse Right Round RowNumber RPad LPad Pad SHA SHA2 Second Sign Sin Sinh Size SortArray Split
StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate StrToTime StrToUnix Struct Substring Sum Tan Tanh
TimestampAdd TimestampDiff TimestampTrunc TimeToStr TimeToUnix TimeStrToTime ToBase64 ToChar Transform Translate Trim
TryCast TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToTimestamp TsOrDsToDateStr Typeof Unhex Unicode UnixDate UnixSeconds
UnixMillis UnixMicros UnixToTime UnixToStr Unnest Upper Uuid Variance VariancePop Week WeekOfYear Year Initcap IsNan
Xor Reduce ArrayReverse Flatten Mode Median Kurtosis Skewness JSONFormat TimestampFromParts MakeTimestamp
Factorial Collate FormatDateString UnixToTimeStr Timestamp TimestampSub ToArray Date ArraySort Conversion BitLength
ByteLength Inline ExplodeOuter PosexplodeOuter Nullif IsInf ApproxTopK Try Format Overlay DateFromUnixDate
WidthBucket SafeDivide ToTimestamp Rand RegexpCount RegexpInstr CountIf Chr JSONArrayAgg StructExtract Trunc
"""

_ANONYMOUS = """
datediff date_diff timestampdiff date_format sequence exists from_json split is_account_group_member is_member user
session_user current_metastore version unix_timestamp try_divide try_add try_subtract try_multiply negative positive
bround isnotnull isnull nullif nvl ifnull zeroifnull nullifzero pmod e pi rint signum cot csc sec log1p expm1 hypot
try_element_at element_at get array_repeat array_join array_compact forall map_contains_key map_concat cardinality
aggregate reduce zip_with arrays_zip transform filter octet_length bit_length char_length character_length charindex
locate instr substring_index space ltrim rtrim btrim to_date to_timestamp to_timestamp_ntz to_timestamp_ltz try_to_timestamp
try_to_date timestamp_seconds timestamp_millis timestamp_micros make_date make_timestamp weekday dayname monthname
date_part datepart weekofyear equal_null width_bucket to_json get_json_object try_avg try_sum some every any
bool_and bool_or percentile_approx approx_percentile count_if named_struct nanvl log2 ucase lcase sha sha1
typeof len dateadd date_add shiftleft shiftright startswith endswith position mode median regr_count
"""

ALLOWED_NODES = frozenset(_NODES.split()) | frozenset(_FUNCTIONS.split())
ALLOWED_ANONYMOUS = frozenset(_ANONYMOUS.split())
TABLE_FUNCTIONS = frozenset({"range", "explode", "posexplode"})
_TABLE_ARGUMENTS = frozenset({"this", "db", "catalog", "alias", "joins", "laterals", "pivots"})
MAX_DEPTH = 900


def vet(tree: exp.Expr, *, known_functions: frozenset[str] = frozenset()) -> None:
    """Refuse a tree that holds anything outside the lists.

    Args:
        tree: a parsed statement or expression; comments are removed from it.
        known_functions: names of the caller's SQL functions, which are checked where they are put in.

    Raises:
        SqlError: UNSUPPORTED_FEATURE or UNRESOLVED_ROUTINE.
    """
    for node in tree.walk():
        node.comments = None
        _vet_node(node, known_functions)


def _vet_node(node: exp.Expr, known_functions: frozenset[str]) -> None:
    if isinstance(node, exp.Anonymous):
        _vet_anonymous(node, known_functions)
        return
    if type(node).__name__ not in ALLOWED_NODES:
        kind = node.sql_name() if isinstance(node, exp.Func) else type(node).__name__
        raise errors.unsupported(f"`{kind}`")
    if isinstance(node, exp.Table):
        _vet_table(node)
    elif isinstance(node, exp.DataType):
        types.check(node)
    elif isinstance(node, exp.Select):
        _vet_select(node)


def _vet_anonymous(node: exp.Anonymous, known_functions: frozenset[str]) -> None:
    if not isinstance(node.this, str):
        raise errors.unsupported("A computed function name")
    name = node.this.lower()
    if isinstance(node.parent, exp.Dot) and node.arg_key == "expression":
        return  # a qualified name: resolved in Unity Catalog's metadata only
    if name not in ALLOWED_ANONYMOUS and name not in known_functions:
        raise errors.routine_not_found([node.this])


def _vet_table(node: exp.Table) -> None:
    for key, value in node.args.items():
        if value and key not in _TABLE_ARGUMENTS:
            raise errors.unsupported("This form of a table reference")
    inner = node.this
    if isinstance(inner, exp.Identifier):
        return
    name = inner.name.lower() if isinstance(inner, exp.Anonymous) else type(inner).__name__.lower()
    if node.args.get("db") or name not in TABLE_FUNCTIONS | {"generateseries", "explodeouter"}:
        raise errors.unsupported(f"The table function `{name}`")


_SELECT_ARGUMENTS = frozenset(
    "with_ expressions from_ joins laterals where group having qualify windows distinct order limit offset kind hint operation_modifiers".split()
)


def _vet_select(node: exp.Select) -> None:
    for key, value in node.args.items():
        if value and key not in _SELECT_ARGUMENTS:
            raise errors.unsupported(f"The clause `{key}`")
    node.set("hint", None)
    if node.args.get("kind"):
        raise errors.unsupported("SELECT AS")
