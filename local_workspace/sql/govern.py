"""Unity Catalog's rules put into a statement's tree, before DuckDB sees any of it.

Names resolve in the metastore only. Every table becomes a subquery that lists the visible columns, applies the row
filter and the masks, and reads a physical name that no statement can spell. Identity functions become literals. A
view's text runs with its owner's rights and the caller's identity; a function's body likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from sqlglot import exp

from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Principal
from local_workspace.sql import dialect, errors, identity, type_rules, types, vet
from local_workspace.unity_catalog.errors import UnityCatalogError
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import Column, Function, Table

MAX_VIEW_DEPTH = 30
MAX_EXPANSIONS = 500
"""Bodies of views and functions that one statement may hold: a function that calls itself twice would never end."""
MAX_NODES = 30_000
"""Nodes that the bodies of views and functions, with arguments put in, may add to one statement."""
INFORMATION_SCHEMA = "information_schema"
PHYSICAL = "physical"
"""Marks the target of a change, whose name is physical already."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where names resolve and whose rights count.

    Attributes:
        caller: who ``current_user()`` is, whatever views and functions are passed on the way.
        rights: whose privileges are checked: the caller's, or the owner's inside a view or function.
        zone: the session's time zone.
    """

    caller: Principal
    rights: Principal
    catalog: str
    schema: str
    zone: str = "Etc/UTC"
    depth: int = 0

    def within(self, owner: Principal, catalog: str, schema: str) -> Scope:
        """The scope of the text of a view or function that ``owner`` owns."""
        return replace(self, rights=owner, catalog=catalog, schema=schema, depth=self.depth + 1)


@dataclass(slots=True)
class Governed:
    """What governing collected.

    Attributes:
        columns: names that the caller may be told about, for suggestions in errors.
        physical: the physical tables that the statement reads or changes.
        views: information_schema views to register with the cursor: registered name to (catalog, view, as whom).
    """

    columns: dict[str, None] = field(default_factory=dict)
    physical: set[str] = field(default_factory=set)
    views: dict[str, tuple[str, str, Principal]] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    tables: list[exp.Table] = field(default_factory=list)
    calls: list[exp.Expr] = field(default_factory=list)


def principal_named(directory: Directory, name: str) -> Principal:
    """The principal behind an owner's name; a group, or a name nobody has, stands for itself."""
    known = directory.get(name)
    return known or Principal(id="", name=name, display_name=name, kind="user", groups=frozenset({name}))


class Governor:
    """Governs one statement. Not shared between threads."""

    def __init__(self, metastore: Metastore, directory: Directory, temporary: dict[str, Table] | None = None) -> None:
        self._metastore = metastore
        self._directory = directory
        self._temporary = temporary or {}
        self._expansions = 0
        self._nodes = 0
        self.governed = Governed()

    def query(self, tree: exp.Expr, scope: Scope) -> exp.Expr:
        """Govern a vetted query, DML source or expression in place and give it back.

        Raises:
            SqlError: a name does not resolve, a privilege is missing, or something is not allowed.
        """
        self._expansions += scope.depth > 0
        if scope.depth > MAX_VIEW_DEPTH or self._expansions > MAX_EXPANSIONS:
            raise errors.too_complex()
        holder = exp.Paren(this=tree)
        found = self.shorten(tree, scope)
        for table in found.tables:
            table.replace(self._relation(table, scope))
        for call in reversed(found.calls):
            call.replace(self._call(call, scope))
        made = holder.this
        made.pop()
        return cast("exp.Expr", made)

    # Tables and views ---------------------------------------------------------------------------------------------

    def full_parts(self, node: exp.Table, scope: Scope) -> tuple[str, str, str]:
        """The three-level name that a reference means."""
        catalog = node.catalog or scope.catalog
        return catalog.lower(), (node.db or scope.schema).lower(), node.name.lower()

    def resolve(self, node: exp.Table, scope: Scope, privilege: str = "SELECT") -> Table:
        """The table or view of a reference, with the privilege demanded.

        Raises:
            SqlError: it does not exist or may not be used.
        """
        parts = self.full_parts(node, scope)
        try:
            if privilege == "SELECT":
                return self._metastore.require_select(scope.rights, ".".join(parts))
            return self._metastore.require_modify(scope.rights, ".".join(parts))
        except UnityCatalogError as fault:
            raise errors.from_catalog(fault) from fault

    def _relation(self, node: exp.Table, scope: Scope) -> exp.Expr:
        if not isinstance(node.this, exp.Identifier):
            return node
        if not node.db and node.name.lower() in self._temporary:
            return self._attach(node, self._view(self._temporary[node.name.lower()], scope), ())
        catalog, schema, name = self.full_parts(node, scope)
        if schema == INFORMATION_SCHEMA:
            return self._information(node, catalog, name, scope)
        table = self.resolve(node, scope)
        self._remember(table, scope)
        if table.view_definition is not None:
            return self._attach(node, self._view(table, scope), table.columns)
        return self._attach(node, self.wrapped(table, scope), ())

    def _remember(self, table: Table, scope: Scope) -> None:
        if scope.depth == 0:
            self.governed.columns.update(dict.fromkeys(column.name for column in table.columns))

    def _information(self, node: exp.Table, catalog: str, view: str, scope: Scope) -> exp.Expr:
        name = f"information_{len(self.governed.views)}"
        self.governed.views[name] = (catalog, view, scope.rights)
        select = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.to_table(name)))
        return self._attach(node, select, ())

    def _view(self, view: Table, scope: Scope) -> exp.Expr:
        owner = principal_named(self._directory, view.owner)
        inner = scope.within(owner, view.catalog_name or scope.catalog, view.schema_name or scope.schema)
        tree = dialect.parse(view.view_definition or "")
        if not isinstance(tree, vet.QUERIES):
            raise errors.syntax(view.view_definition or "")
        vet.vet(tree, known_functions=self.function_names(inner))
        identity.name_columns(tree)
        return self.query(tree, inner)

    def wrapped(self, table: Table, scope: Scope) -> exp.Select:
        """A SELECT of a table's visible columns and rows for the scope's caller."""
        self.governed.physical.add(table.physical)
        source = exp.to_identifier("_t")
        kinds = {column.name.lower(): column.type_text for column in table.columns}

        def raw(name: str) -> exp.Expr:
            return type_rules.mark(
                exp.column(exp.to_identifier(name, quoted=True), source.copy()), kinds.get(name.lower(), "")
            )

        select = exp.Select(
            expressions=[
                exp.alias_(self._masked(column, raw, scope), exp.to_identifier(column.name, quoted=True))
                for column in table.columns
            ],
            from_=exp.From(this=physical_table(table, "_t")),
        )
        if table.row_filter:
            arguments = [raw(name) for name in table.row_filter.columns]
            condition = self._apply(table.row_filter.function, arguments, scope)
            if condition.find(exp.Select):
                # DuckDB joins a subquery and may then try the caller's own predicates on hidden rows first; an
                # OFFSET is a barrier that nothing is pushed below.
                select.set("offset", exp.Offset(expression=exp.Literal.number(0)))
            select.set("where", exp.Where(this=exp.Paren(this=condition)))
        return select

    def _masked(self, column: Column, raw: Callable[[str], exp.Expr], scope: Scope) -> exp.Expr:
        if not column.mask:
            return raw(column.name)
        arguments = [raw(column.name), *(raw(name) for name in column.mask.using)]
        value = self._apply(column.mask.function, arguments, scope)
        return types.plain(exp.Paren(this=value), column.type_text)

    def _attach(self, node: exp.Table, query: exp.Expr, columns: tuple[Column, ...]) -> exp.Expr:
        alias = node.args.get("alias")
        named = exp.TableAlias(
            this=alias.this if alias and alias.this else exp.to_identifier(node.name, quoted=True),
            columns=list(alias.columns)
            if alias and alias.columns
            else [exp.to_identifier(c.name, quoted=True) for c in columns],
        )
        kept = {key: node.args[key] for key in ("joins", "laterals", "pivots") if node.args.get(key)}
        return exp.Subquery(this=query, alias=named, **kept)

    def shorten(self, tree: exp.Expr, scope: Scope) -> _Found:
        """``catalog.schema.table.column`` and ``schema.table.column`` become ``table.column``."""
        found = _Found()
        _collect(tree, frozenset(), found)
        tables = {self.full_parts(node, scope) for node in found.tables if isinstance(node.this, exp.Identifier)}
        for column in tree.find_all(exp.Column):
            database, catalog = column.args.get("db"), column.args.get("catalog")
            if database is None:
                continue
            key = ((catalog.name if catalog else scope.catalog).lower(), database.name.lower(), column.table.lower())
            if key in tables:
                column.set("db", None)
                column.set("catalog", None)
        return found

    def qualify(self, tree: exp.Expr, scope: Scope) -> bool:
        """Write every table's full name into a query; whether any was shorter."""
        found = _Found()
        _collect(tree, frozenset(), found)
        short = [node for node in found.tables if isinstance(node.this, exp.Identifier) and not node.catalog]
        for node in short:
            catalog, schema, name = self.full_parts(node, scope)
            if not node.args.get("alias"):
                node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
            node.set("this", exp.to_identifier(name, quoted=True))
            node.set("db", exp.to_identifier(schema, quoted=True))
            node.set("catalog", exp.to_identifier(catalog, quoted=True))
        return bool(short)

    # Functions ----------------------------------------------------------------------------------------------------

    def function_names(self, scope: Scope) -> frozenset[str]:
        """Unqualified names of SQL functions in the scope's schema."""
        return frozenset(item.name.lower() for item in self._metastore.functions(scope.catalog, scope.schema))

    def _call(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        made = identity.literal(node, scope.caller, scope.catalog, scope.schema, scope.zone)
        if made is not None:
            return made
        parts = _function_parts(node)
        if parts is None:
            return node
        arguments = (node.expression if isinstance(node, exp.Dot) else node).expressions
        names = [*([scope.catalog, scope.schema][: 3 - len(parts)]), *parts]
        if len(parts) == 1 and parts[0].lower() in vet.ALLOWED_ANONYMOUS:
            return node
        try:
            self._metastore.require(scope.rights, "EXECUTE", "function", ".".join(names))
        except UnityCatalogError as fault:
            raise errors.from_catalog(fault) from fault
        return self._apply(".".join(names), list(arguments), scope)

    def _grow(self, body: exp.Expr, function: Function, arguments: list[exp.Expr]) -> None:
        """Count what putting the arguments in will add, before it is done.

        Raises:
            SqlError: FAILED_TO_PARSE_TOO_COMPLEX: a function that uses its argument twice doubles it at each level.
        """
        sizes = {
            item.name.lower(): _size(argument) for item, argument in zip(function.parameters, arguments, strict=True)
        }
        self._nodes += _size(body)
        self._nodes += sum(sizes.get(column.name.lower(), 0) for column in body.find_all(exp.Column))
        if self._nodes > MAX_NODES:
            raise errors.too_complex()

    def _apply(self, full_name: str, arguments: list[exp.Expr], scope: Scope) -> exp.Expr:
        """The body of a SQL function with the arguments put in."""
        function = self._metastore.function(*full_name.split(".", 2)) if full_name.count(".") == 2 else None
        if function is None:
            raise errors.routine_not_found(full_name.split("."))
        if len(arguments) != len(function.parameters):
            raise errors.wrong_arguments(function.full_name, len(function.parameters), len(arguments))
        owner = principal_named(self._directory, function.owner)
        inner = scope.within(owner, function.catalog_name, function.schema_name)
        body = self.query(function_body(function, self.function_names(inner)), inner)
        self._grow(body, function, arguments)
        made = substituted(body, function, arguments)
        return exp.Paren(this=types.plain(made, function.return_type))


def _size(node: exp.Expr) -> int:
    """Nodes of a tree; a long literal counts as many."""
    return sum(1 + len(part.name) // 64 if isinstance(part, exp.Literal) else 1 for part in node.walk())


def function_body(function: Function, known: frozenset[str]) -> exp.Expr:
    """The vetted tree of a function's body.

    Raises:
        SqlError: the body holds something that is not allowed.
    """
    body = dialect.parse_expression(function.body)
    vet.vet(body, known_functions=known)
    return body


def physical_table(table: Table, alias: str) -> exp.Table:
    """DuckDB's own reference to a table's rows."""
    database, schema, name = table.physical.split(".")
    made = exp.Table(
        this=exp.to_identifier(name, quoted=True),
        db=exp.to_identifier(schema, quoted=True),
        catalog=exp.to_identifier(database, quoted=True),
    )
    if alias:
        made.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return made


def substituted(body: exp.Expr, function: Function, arguments: list[exp.Expr]) -> exp.Expr:
    """A function's governed body with arguments, cast to the parameters' types, in the place of its parameters."""
    given = {
        item.name.lower(): (argument, item.type_text)
        for item, argument in zip(function.parameters, arguments, strict=True)
    }
    holder = exp.Paren(this=body)
    for column in list(holder.find_all(exp.Column)):
        if column.name.lower() in given and column.table.lower() in ("", function.name.lower()):
            argument, kind = given[column.name.lower()]
            column.replace(exp.Paren(this=types.plain(argument.copy(), kind)))
    made = holder.this
    made.pop()
    return cast("exp.Expr", exp.Paren(this=made))


def _function_parts(node: exp.Expr) -> list[str] | None:
    if isinstance(node, exp.Anonymous):
        return [node.name]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        names = [part.name for part in node.parts[:-1]]
        return [*names, node.expression.name]
    return None


def _collect(node: exp.Expr, names: frozenset[str], found: _Found) -> None:
    """Collect table references that no CTE answers, and calls, outermost first."""
    with_ = node.args.get("with_")
    if with_:
        for cte in with_.expressions:  # a CTE sees the earlier ones, and itself only when RECURSIVE
            name = cte.alias.lower()
            _collect(cte.this, names | {name} if with_.args.get("recursive") else names, found)
            names = names | {name}
    if node.meta.get(PHYSICAL):
        return
    if isinstance(node, exp.Table) and (node.args.get("db") or node.name.lower() not in names):
        found.tables.append(node)
    inside = (isinstance(node.parent, exp.Table) and node.arg_key == "this") or (
        isinstance(node.parent, exp.Dot) and node.arg_key == "expression"
    )
    if identity.is_call(node) and not inside:
        found.calls.append(node)
    for key, value in node.args.items():
        if key == "with_":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                _collect(child, names, found)
