"""The Databricks type of every expression of a statement, as far as it follows from the tree.

DuckDB tells types only once a statement is bound, which is too late to write exact decimal arithmetic, implicit casts
of text or the two kinds of intervals. This pass reads them off the governed tree, in which every physical column,
literal and cast carries its type: here names are followed to what they stand for, ``type_rules`` tells the rest. What
cannot be told stays unknown; a rewrite that needs the type must then refuse or guard.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from local_workspace.sql.type_rules import TYPE, common, known, of_expression

Columns = dict[str, str | None]


def annotate(tree: exp.Expr) -> list[str | None]:
    """Mark every expression of a governed tree with its type where it is certain.

    Returns:
        The types of the query's columns, None for each that is uncertain; an empty list when not even their number is.
    """
    return list((_Pass().relation(tree, _Scope()) or {}).values())


@dataclass(slots=True)
class _Scope:
    """What names mean: sources by alias (None: a source of unknown columns), CTEs by name, and the scope around."""

    sources: dict[str, Columns | None] = field(default_factory=dict)
    ctes: dict[str, Columns | None] = field(default_factory=dict)
    outer: _Scope | None = None
    own: Columns = field(default_factory=dict)

    def column(self, name: str, table: str) -> str | None:
        scope: _Scope | None = self
        while scope is not None:
            if table in scope.sources or (not table and scope._answers(name)):
                return scope._type(name, table)
            if not table and any(columns is None for columns in scope.sources.values()):
                return None
            scope = scope.outer
        return None

    def _answers(self, name: str) -> bool:
        return name in self.own or any(columns and name in columns for columns in self.sources.values())

    def _type(self, name: str, table: str) -> str | None:
        if table:
            return (self.sources[table] or {}).get(name)
        found = {columns[name] for columns in self.sources.values() if columns and name in columns}
        if name in self.own:
            found.add(self.own[name])
        unknown = any(columns is None for columns in self.sources.values())
        return next(iter(found)) if len(found) == 1 and not unknown else None


class _Pass:
    def relation(self, node: exp.Expr, outer: _Scope) -> Columns | None:
        scope = _Scope(outer=outer.outer, sources=outer.sources, ctes=dict(outer.ctes), own=outer.own)
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else ():
            recursive = bool(with_ and with_.args.get("recursive"))
            if recursive:
                scope.ctes[cte.alias.lower()] = None
            made = self.relation(cte.this, scope)
            scope.ctes[cte.alias.lower()] = None if recursive else _renamed(made, cte.args.get("alias"))
        if isinstance(node, exp.SetOperation):
            return self._union(node, scope)
        if isinstance(node, exp.Subquery):
            return self._subquery(node, scope)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.Values):
            for row in node.expressions:
                self.expression(row, scope)
            return self._values(node)
        if not isinstance(node, exp.Query):
            self.expression(node, scope)
        return None

    def _union(self, node: exp.SetOperation, scope: _Scope) -> Columns | None:
        left, right = self.relation(node.this, scope), self.relation(node.expression, scope)
        for key in ("order", "limit", "offset"):
            if node.args.get(key):
                self.expression(node.args[key], _Scope(ctes=scope.ctes, sources={"": None}))
        if left is None or right is None or len(left) != len(right):
            return None
        return {
            name: kind if kind == other else None
            for (name, kind), other in zip(left.items(), right.values(), strict=True)
        }

    def _subquery(self, node: exp.Subquery, scope: _Scope) -> Columns | None:
        made = self.relation(node.this, scope)
        for key in ("order", "limit", "offset"):
            if node.args.get(key):
                self.expression(node.args[key], _Scope(ctes=scope.ctes, sources={"": None}))
        return None if node.args.get("pivots") else _renamed(made, node.args.get("alias"))

    @staticmethod
    def _values(node: exp.Values) -> Columns | None:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        alias = node.args.get("alias")
        if not rows or len({len(row) for row in rows}) != 1 or not (alias and alias.columns):
            return None
        kinds = [common([known(row[place]) for row in rows]) for place in range(len(rows[0]))]
        if len(kinds) != len(alias.columns):
            return None
        return {column.name.lower(): kind for column, kind in zip(alias.columns, kinds, strict=True)}

    def _select(self, node: exp.Select, outer: _Scope) -> Columns | None:
        scope = _Scope(ctes=outer.ctes, outer=outer)
        from_ = node.args.get("from_")
        if from_:
            self._source(from_.this, scope)
        for join in node.args.get("joins") or ():
            self._source(join.this, scope)
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, scope)
        for join in node.args.get("joins") or ():
            if join.args.get("on"):
                self.expression(join.args["on"], scope)
        made = self._outputs(node, scope)
        scope.own = {name: kind for name, kind in (made or {}).items() if kind is not None}
        if made is None:
            scope.sources = {**scope.sources, "": None}
        for key in ("where", "group", "having", "qualify", "order", "limit", "offset", "distinct"):
            if node.args.get(key):
                self.expression(node.args[key], scope)
        for window in node.args.get("windows") or ():
            self.expression(window, scope)
        return made

    def _outputs(self, node: exp.Select, scope: _Scope) -> Columns | None:
        made: Columns = {}
        complete = True
        for item in node.expressions:
            self.expression(item, scope)
            star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
            if isinstance(star, exp.Star):
                expanded = self._star(item, star, scope)
                complete = complete and expanded is not None and not set(expanded) & set(made)
                made.update(expanded or {})
                continue
            name = item.alias_or_name.lower()
            complete = complete and bool(name) and name not in made and not isinstance(item, exp.Aliases)
            made[name] = known(item)
            # Later items may name earlier ones; a name with two possible types is uncertain.
            if isinstance(item, exp.Alias):
                scope.own[name] = known(item)
        return made if complete else None

    @staticmethod
    def _star(item: exp.Expr, star: exp.Star, scope: _Scope) -> Columns | None:
        if any(star.args.get(key) for key in ("except_", "except", "replace", "rename")):
            return None
        if isinstance(item, exp.Column) and item.table:
            columns = scope.sources.get(item.table.lower())
            return dict(columns) if columns is not None else None
        if len(scope.sources) != 1:
            return None
        columns = next(iter(scope.sources.values()))
        return dict(columns) if columns is not None else None

    def _source(self, node: exp.Expr, scope: _Scope) -> None:
        name = node.alias_or_name.lower()
        if isinstance(node, exp.Table):
            scope.sources[name] = self._table(node, scope)
        elif isinstance(node, exp.Lateral):
            self.expression(node.this, scope)
            alias = node.args.get("alias")
            scope.sources[name or f"?{len(scope.sources)}"] = (
                _lateral(node, alias) if isinstance(node.this, exp.Explode) else None
            )
        elif isinstance(node, exp.Subquery | exp.Values | exp.Select | exp.SetOperation):
            made = self.relation(node, scope if isinstance(node.parent, exp.Lateral) else _Scope(ctes=scope.ctes))
            scope.sources[name or f"?{len(scope.sources)}"] = made
        else:
            self.expression(node, scope)
            scope.sources[f"?{len(scope.sources)}"] = None
        if node.args.get("pivots"):
            scope.sources[name or f"?{len(scope.sources) - 1}"] = None
        for join in node.args.get("joins") or ():
            self._source(join.this, scope)
            if join.args.get("on"):
                self.expression(join.args["on"], scope)
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, scope)

    def _table(self, node: exp.Table, scope: _Scope) -> Columns | None:
        if not isinstance(node.this, exp.Identifier):
            self.expression(node.this, scope)
            if isinstance(node.this, exp.GenerateSeries) or node.this.name.lower() == "range":
                return _renamed({"id": "BIGINT"}, node.args.get("alias"))
            return None
        if node.args.get("pivots"):
            return None
        if not node.args.get("db"):
            return _renamed(scope.ctes.get(node.name.lower()), node.args.get("alias"))
        return {}  # a physical table: its columns carry their types themselves

    # Expressions

    def expression(self, node: exp.Expr, scope: _Scope) -> None:
        if isinstance(node, exp.Query | exp.Values):
            columns = self.relation(node, _Scope(ctes=scope.ctes, outer=scope))
            kinds = list((columns or {}).values())
            if len(kinds) == 1 and kinds[0]:
                node.meta[TYPE] = kinds[0]
            return
        inner = scope
        if isinstance(node, exp.Lambda):
            names: Columns = {name.name.lower(): None for name in node.expressions}
            inner = _Scope(sources={"?lambda": names}, ctes=scope.ctes, outer=scope)
        for value in node.args.values():
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, exp.Expr):
                    self.expression(child, inner)
        if TYPE not in node.meta:
            kind = self._kind(node, scope)
            if kind:
                node.meta[TYPE] = kind

    @staticmethod
    def _kind(node: exp.Expr, scope: _Scope) -> str | None:
        if isinstance(node, exp.Column):
            return scope.column(node.name.lower(), node.table.lower()) if not node.args.get("db") else None
        return of_expression(node)


def _renamed(columns: Columns | None, alias: exp.Expr | None) -> Columns | None:
    names = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if columns is None or not names:
        return columns
    if len(names) != len(columns) or len(set(names)) != len(names):
        return None
    return dict(zip(names, columns.values(), strict=True))


def _lateral(node: exp.Lateral, alias: exp.Expr | None) -> Columns | None:
    names = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    kind = known(node.this.this)
    if len(names) != 1:
        return None
    return {names[0]: kind[6:-1] if kind and kind.startswith("ARRAY<") else None}
