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
Add Alias Aliases All Any Between BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Boolean Bracket CTE Column
ColumnDef Cube DPipe DataType DataTypeParam Delete Distinct Div Dot EQ Escape Except Filter From GT GTE Group
GroupingSets Having HexString ILike Identifier IgnoreNulls In Insert IntDiv Intersect Interval Is JSONPath
JSONPathKey JSONPathRoot JSONPathSubscript Join LT LTE Lambda Lateral Like Limit Literal Merge Mod Mul NEQ Neg
Not Null NullSafeEQ Offset Order Ordered Parameter Paren Pivot PivotAlias Placeholder PropertyEQ Pseudocolumn
Qualify RespectNulls Rollup Schema Select Star Sub Subquery Table TableAlias Tuple Union Update Values Var
When Whens Where Window WindowSpec With WithinGroup
"""

_FUNCTIONS = """
Abs Acos And Anonymous AnyValue ApproxDistinct ApproxQuantile Array ArrayAgg ArrayAppend ArrayFilter ArrayMax
ArrayMin ArrayPrepend ArraySlice ArraySort ArrayUniqueAgg Asin Atan Atan2 Avg BitwiseAndAgg BitwiseOrAgg
BitwiseXorAgg Case Cast Cbrt Ceil Chr Coalesce Concat ConcatWs Contains Corr Cos Cosh Count CountIf CovarPop
CovarSamp CumeDist CurrentCatalog CurrentDatabase CurrentDate CurrentSchema CurrentTimestamp CurrentTimezone
CurrentUser DecodeCase Degrees DenseRank Exists Exp Explode Extract Factorial First FirstValue Flatten Floor
Greatest GroupConcat Grouping GroupingId Hex If Initcap JSONExtract JSONExtractScalar Lag Last
LastValue Lead Least Levenshtein Lower MD5 Map MapFromEntries MapKeys Max Min Mode NthValue Ntile Nullif Nvl2
Or Pad ParseJSON PercentRank PercentileCont Posexplode Pow Quantile Radians Rank Reduce RegexpCount
RegexpExtract RegexpExtractAll RegexpInstr RegexpLike RegexpReplace Repeat Replace Reverse Round RowNumber SHA
SHA2 SafeDivide Sin Sinh Stddev StddevPop StddevSamp StrPosition Struct Substring Sum Tan Tanh Transform
Translate Trim TryCast Unhex Upper VarMap Variance VariancePop
"""

_ANONYMOUS = """
is_account_group_member is_member user current_metastore version isnotnull nvl forall aggregate reduce ltrim rtrim
map_concat make_date
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
