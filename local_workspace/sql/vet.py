"""Which Databricks SQL may reach DuckDB: lists of what is allowed; everything else is refused.

Refusing by default is what keeps DuckDB's own functions (files, settings, catalogs), its own syntax and every function
whose meaning differs from the platform's out of a statement. Names of tables are resolved elsewhere, and only in Unity
Catalog's metadata.
"""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql import errors, functions, macros, types

QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)

_NODES = """
Add Alias Aliases And Array Between Boolean Bracket Case Cast Coalesce Column ColumnDef Concat CTE Cube
DataType DataTypeParam Delete Desc Div Dot DPipe Distinct EQ Escape Except Exists Explode Filter From GT GTE
Group GroupingSets Having Identifier If ILike In Insert IntDiv Intersect Interval IntervalSpan Is Join
JSONExtract Kwarg Lambda Lateral LT LTE Like Limit Literal LogicalAnd LogicalOr Map MapFromEntries Merge Mod
Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered Parameter Paren Pivot Placeholder
PivotAlias PropertyEQ Qualify RegexpLike Rollup Schema Select Slice Star Struct Sub Subquery Table TableAlias
Tuple Union Unnest Update Values Var When Where Whens Window WindowSpec Windows With TryCast BitwiseAnd
BitwiseOr BitwiseXor BitwiseNot WithinGroup IgnoreNulls RespectNulls Any All SafeDivide Returning Pseudocolumn
VarMap StarMap ToMap JSONPath JSONPathRoot JSONPathKey JSONPathSubscript Grouping GroupingId HexString
DecodeCase SafeDivide Sqrt IsNull Rand SubstringIndex ILike National
"""

_FUNCTIONS = """
Abs Acos AddMonths And Anonymous AnyValue ApproxDistinct Array ArrayAgg ArrayAny ArrayConcat ArrayContains
ArrayDistinct ArrayExcept ArrayFilter ArrayIntersect ArrayMax ArrayMin ArrayOverlaps ArrayPosition
ArrayPrepend ArrayAppend ArrayRemove ArraySize ArraySlice ArraySum ArrayToString ArrayUnionAgg ArrayUniqueAgg
Ascii Asin Atan Atan2 Avg BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Case Cast Cbrt Ceil Chr Coalesce Concat
ConcatWs Contains Corr Cos Cosh Count CountIf CovarPop CovarSamp CumeDist CurrentCatalog CurrentDatabase
CurrentDate CurrentSchema CurrentTimestamp CurrentUser CurrentTimezone Date DateAdd DateDiff DateFromParts
DateSub DateTrunc Day DayOfMonth DayOfWeek DayOfYear Degrees DenseRank EndsWith Exists Exp Explode Extract
First FirstValue Floor FromBase64 GenerateSeries GetJSONObject Greatest GroupConcat Hex Hour If Ilike
JSONExtract JSONExtractScalar Lag Last LastDay LastValue Lead Least Left Length Levenshtein List Ln Log Log10
Log2 LogicalAnd LogicalOr Lower Map MapEntries MapFromArrays MapKeys MapValues MapFromEntries Max MD5 Min
MinBy Minute Month NthValue Ntile NullIf Nvl2 Or ParseJSON PercentRank Percentile PercentileCont
PercentileDisc Posexplode Pow Quantile ApproxQuantile Quarter Radians Rank RegexpExtract RegexpExtractAll
RegexpLike RegexpReplace Repeat Replace Reverse Right Round RowNumber RPad LPad Pad SHA SHA2 Second Sign Sin
Sinh Size SortArray Split StartsWith Stddev StddevPop StddevSamp StrPosition Struct Substring Sum Tan Tanh
TimestampAdd TimestampDiff TimestampTrunc TimeToBase64 Transform Translate Trim TryCast TsOrDsAdd TsOrDsDiff
TsOrDsToDate TsOrDsToTimestamp TsOrDsToDateStr Unhex Unicode UnixDate UnixSeconds UnixMillis UnixMicros Unnest
Upper Variance VariancePop Week WeekOfYear Year Initcap IsNan Xor Reduce ArrayReverse Flatten Mode Median
Kurtosis Skewness JSONMakeTimestamp Factorial Timestamp TimestampSub ToArray Date ArraySort BitLength
ByteLength Inline ExplodeOuter PosexplodeOuter Nullif IsInf Try DateFromUnixDate WidthBucket SafeDivide
ToTimestamp Rand RegexpCount RegexpInstr CountIf Chr StructExtract Trunc
"""

_ANONYMOUS = """
is_account_group_member is_member user session_user current_metastore version isnotnull pi rint cot csc sec
hypot nvl forall zip_with arrays_zip aggregate reduce ltrim rtrim btrim make_date ucase lcase uuid map_concat
"""

ALLOWED_NODES = frozenset(_NODES.split()) | frozenset(_FUNCTIONS.split())
ALLOWED_ANONYMOUS = frozenset(_ANONYMOUS.split()) | macros.NAMES | functions.NAMES
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
    if isinstance(node.parent, exp.Table) and node.arg_key == "this":
        return  # a table function: checked with its table
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
    [
        "with_",
        "expressions",
        "from_",
        "joins",
        "laterals",
        "where",
        "group",
        "having",
        "qualify",
        "windows",
        "distinct",
        "order",
        "limit",
        "offset",
        "kind",
        "hint",
        "operation_modifiers",
    ]
)


def _vet_select(node: exp.Select) -> None:
    for key, value in node.args.items():
        if value and key not in _SELECT_ARGUMENTS:
            raise errors.unsupported(f"The clause `{key}`")
    node.set("hint", None)
    if node.args.get("kind"):
        raise errors.unsupported("SELECT AS")
