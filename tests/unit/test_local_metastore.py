"""The local workspace's metastore: privileges, visibility, governed writes, information_schema."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_workspace.identity.model import Principal
from local_workspace.store import Collection, Store
from local_workspace.unity_catalog.metastore import (
    SYSTEM,
    AlreadyExists,
    InvalidRequest,
    Metastore,
    NotEmpty,
    NotFound,
    PermissionDenied,
    PrincipalNotFound,
)
from local_workspace.unity_catalog.model import Column, ColumnMask, Parameter, RowFilter, Table
from local_workspace.unity_catalog.types import type_json, type_name, type_precision


def person(name: str, *groups: str) -> Principal:
    return Principal(name, f"{name}@example.com", name, "user", frozenset(groups))


OWNER, ANALYST, STRANGER = person("owner"), person("analyst", "analysts"), person("stranger")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "workspace.sqlite")
    made.open()
    return made


@pytest.fixture
def metastore(store: Store) -> Metastore:
    """``c.s.t`` with a mask and a filter, its functions in ``c.s``; everything belongs to OWNER."""
    made = Metastore(store)
    made.start()
    made.create_catalog(SYSTEM, "c")
    made.set_owner(SYSTEM, "catalog", "c", OWNER.name)
    made.create_schema(OWNER, "c", "s")
    text = (Parameter("x", "string"),)
    made.create_function(OWNER, "c.s.hide", parameters=text, return_type="string", body="'*'")
    made.create_function(OWNER, "c.s.own", parameters=text, return_type="boolean", body="x = 'a'")
    made.put_table(OWNER, table_of("t"))
    return made


def table_of(name: str, physical: str = "store.main.t1", schema: str = "s") -> Table:
    columns = (
        Column("id", "bigint", nullable=False),
        Column("Region", "string"),
        Column("email", "string", mask=ColumnMask("c.s.hide", ("Region",))),
    )
    row_filter = RowFilter("c.s.own", ("Region",))
    return Table("c", schema, name, "", columns, physical=physical, row_filter=row_filter, primary_key=("id",))


def read_path(metastore: Metastore, who: str, *also: str) -> None:
    metastore.grant(OWNER, "catalog", "c", who, ["USE CATALOG"])
    metastore.grant(OWNER, "schema", "c.s", who, ["USE SCHEMA"])
    for privilege in also:
        metastore.grant(OWNER, "table", "c.s.t", who, [privilege])


# Privileges ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    use_catalog=st.sampled_from(["", "catalog"]),
    use_schema=st.sampled_from(["", "catalog", "schema"]),
    select=st.sampled_from(["", "catalog", "schema", "table"]),
    grantee=st.sampled_from(["analysts", ANALYST.name, "account users", "managers"]),
    spelling=st.sampled_from([str.lower, str.upper, lambda text: text.replace(" ", "_")]),
)
def test_reading_takes_all_three_privileges_wherever_they_are_granted(
    tmp_path_factory: pytest.TempPathFactory,
    use_catalog: str,
    use_schema: str,
    select: str,
    grantee: str,
    spelling: Callable[[str], str],
) -> None:
    file = Store(tmp_path_factory.mktemp("m") / "workspace.sqlite")
    file.open()
    metastore = Metastore(file)
    metastore.start()
    metastore.create_catalog(SYSTEM, "c")
    metastore.create_schema(SYSTEM, "c", "s")
    metastore.put_table(SYSTEM, Table("c", "s", "t", "", (Column("id", "int"),)))
    names = {"catalog": "c", "schema": "c.s", "table": "c.s.t"}
    for level, privilege in ((use_catalog, "use catalog"), (use_schema, "use schema"), (select, "select")):
        if level:
            metastore.grant(SYSTEM, level, names[level], grantee, [spelling(privilege)])
    reached = grantee != "managers"
    expected = reached and bool(use_catalog) and bool(use_schema) and bool(select)
    assert bool(metastore.visible_tables(ANALYST, "C", "S")) == expected
    if expected:
        assert metastore.require_select(ANALYST, "C.S.T").name == "t"
    else:
        missing = "USE CATALOG" if not (reached and use_catalog) else "USE SCHEMA" if not use_schema else "SELECT"
        with pytest.raises(PermissionDenied, match=f"^User does not have {missing} on "):
            metastore.require_select(ANALYST, "c.s.t")
    file.close()


def test_all_privileges_cover_everything_but_managing(metastore: Metastore) -> None:
    metastore.grant(OWNER, "catalog", "c", "analysts", ["ALL PRIVILEGES"])
    assert metastore.require_modify(ANALYST, "c.s.t")
    metastore.create_schema(ANALYST, "c", "new")
    assert not metastore.holds(ANALYST, "MANAGE", "table", "c.s.t")
    with pytest.raises(PermissionDenied, match="MANAGE on Table"):
        metastore.drop_table(ANALYST, "c.s.t")
    with pytest.raises(PermissionDenied, match="MANAGE on Schema"):
        metastore.grant(ANALYST, "schema", "c.s", STRANGER.name, ["SELECT"])
    metastore.revoke(OWNER, "catalog", "c", "analysts", ["ALL_PRIVILEGES"])
    assert metastore.grants("catalog", "c") == []
    assert metastore.visible_catalogs(ANALYST) == []


def test_owning_a_container_lets_manage_but_not_read_what_others_put_there(metastore: Metastore) -> None:
    metastore.set_owner(OWNER, "table", "c.s.t", ANALYST.name)
    assert not metastore.holds(OWNER, "SELECT", "table", "c.s.t")
    assert metastore.holds(OWNER, "MANAGE", "table", "c.s.t")
    metastore.grant(OWNER, "table", "c.s.t", OWNER.name, ["SELECT"])
    assert metastore.require_select(OWNER, "c.s.t")
    with pytest.raises(PermissionDenied, match="USE CATALOG"):
        metastore.require_select(ANALYST, "c.s.t")


def test_an_owner_may_be_a_group(metastore: Metastore) -> None:
    metastore.set_owner(OWNER, "schema", "c.s", "analysts")
    metastore.grant(OWNER, "catalog", "c", "analysts", ["USE CATALOG"])
    assert [schema.name for schema in metastore.visible_schemas(ANALYST, "c")] == ["s"]
    assert metastore.visible_schemas(STRANGER, "c") == []


def test_missing_objects_are_told_only_to_those_who_could_see_them(metastore: Metastore) -> None:
    with pytest.raises(PermissionDenied):
        metastore.require_select(STRANGER, "c.s.nothing")
    read_path(metastore, STRANGER.name)
    with pytest.raises(NotFound, match=r"^Table 'c\.s\.nothing' does not exist\.$"):
        metastore.require_select(STRANGER, "C.S.Nothing")
    with pytest.raises(PermissionDenied, match="SELECT on Table"):
        metastore.require_select(STRANGER, "c.s.t")


def test_grants_name_known_principals_and_applicable_privileges(metastore: Metastore) -> None:
    metastore.recognise(lambda name: name == ANALYST.name)
    metastore.grant(OWNER, "table", "c.s.t", ANALYST.name, ["SELECT"])
    metastore.grant(OWNER, "table", "c.s.t", "account users", ["SELECT"])
    with pytest.raises(PrincipalNotFound):
        metastore.grant(OWNER, "table", "c.s.t", "nobody", ["SELECT"])
    with pytest.raises(PrincipalNotFound):
        metastore.set_owner(OWNER, "table", "c.s.t", "nobody")
    with pytest.raises(InvalidRequest, match="CREATE SCHEMA is not applicable"):
        metastore.grant(OWNER, "table", "c.s.t", ANALYST.name, ["CREATE SCHEMA"])


# Writes --------------------------------------------------------------------------------------------------------------


def test_who_may_only_modify_cannot_unmask_a_column(metastore: Metastore) -> None:
    read_path(metastore, ANALYST.name, "SELECT", "MODIFY")
    table = metastore.require_modify(ANALYST, "c.s.t")
    identity, region, email = table.columns
    added = metastore.alter_columns(ANALYST, "c.s.t", [*table.columns, Column("note", "string")])
    assert [column.name for column in added.columns] == ["id", "Region", "email", "note"]
    for columns in (
        [identity, region, Column("email", "string")],
        [identity, region, Column("mail", "string", mask=email.mask)],
        [identity, region],
    ):
        with pytest.raises(PermissionDenied, match="MANAGE"):
            metastore.alter_columns(ANALYST, "c.s.t", columns)
    with pytest.raises(PermissionDenied, match="MANAGE"):
        metastore.set_mask(ANALYST, "c.s.t", "email", None)
    with pytest.raises(PermissionDenied, match="MANAGE"):
        metastore.set_row_filter(ANALYST, "c.s.t", None)
    assert [column.name for column in metastore.alter_columns(OWNER, "c.s.t", [identity, region]).columns] == [
        "id",
        "Region",
    ]


def test_a_mask_takes_execute_on_an_existing_function_and_existing_columns(metastore: Metastore) -> None:
    read_path(metastore, ANALYST.name, "MANAGE")
    with pytest.raises(PermissionDenied, match="EXECUTE"):
        metastore.set_mask(ANALYST, "c.s.t", "Region", ColumnMask("c.s.hide"))
    metastore.grant(OWNER, "function", "c.s.hide", ANALYST.name, ["EXECUTE"])
    assert metastore.set_mask(ANALYST, "c.s.t", "region", ColumnMask("C.S.Hide")).columns[1].mask == ColumnMask(
        "c.s.hide"
    )
    with pytest.raises(NotFound):
        metastore.set_mask(OWNER, "c.s.t", "region", ColumnMask("c.s.nothing"))
    for change in (
        lambda: metastore.set_mask(OWNER, "c.s.t", "nothing", None),
        lambda: metastore.set_mask(OWNER, "c.s.t", "region", ColumnMask("c.s.hide", ("nothing",))),
        lambda: metastore.set_row_filter(OWNER, "c.s.t", RowFilter("c.s.own", ("nothing",))),
        lambda: metastore.set_primary_key(OWNER, "c.s.t", ["nothing"]),
        lambda: metastore.alter_columns(OWNER, "c.s.t", [Column("a", "int"), Column("A", "int")]),
    ):
        with pytest.raises(InvalidRequest):
            change()


def test_replacing_keeps_owner_grants_id_filter_and_masks(metastore: Metastore) -> None:
    read_path(metastore, ANALYST.name, "SELECT")
    released: list[str] = []
    metastore.on_table_dropped(lambda table: released.append(table.physical))
    before = metastore.require_select(ANALYST, "c.s.t")
    plain = Table("c", "s", "T", "", (Column("Region", "string"), Column("email", "string")), physical="store.main.t2")
    with pytest.raises(AlreadyExists):
        metastore.put_table(OWNER, plain)
    metastore.grant(OWNER, "schema", "c.s", ANALYST.name, ["CREATE TABLE"])
    with pytest.raises(PermissionDenied, match="MANAGE"):
        metastore.put_table(ANALYST, plain, replace_existing=True)
    after = metastore.put_table(OWNER, plain, replace_existing=True)
    assert (after.table_id, after.owner, after.created_at) == (before.table_id, before.owner, before.created_at)
    assert after.row_filter == before.row_filter
    assert after.columns[1].mask == before.columns[2].mask
    assert metastore.require_select(ANALYST, "c.s.t") == after
    assert released == ["store.main.t1"]


def test_dropping_frees_grants_and_storage_of_everything_below(metastore: Metastore, store: Store) -> None:
    read_path(metastore, ANALYST.name, "SELECT")
    metastore.create_model(OWNER, "c.s.m")
    released: list[str] = []
    metastore.on_table_dropped(lambda table: released.append(table.full_name))
    with pytest.raises(NotEmpty):
        metastore.drop_schema(OWNER, "c.s")
    metastore.drop_schema(OWNER, "c.s", cascade=True)
    assert released == ["c.s.t"]
    metastore.create_schema(OWNER, "c", "s")
    made = metastore.put_table(OWNER, Table("c", "s", "t", "", (Column("id", "int"),)))
    assert metastore.grants("schema", "c.s") == metastore.grants("table", "c.s.t") == []
    assert metastore.models("c", "s") == []
    again = Metastore(store)
    again.start()
    assert again.tables("c", "s") == [made]


def test_a_change_that_breaks_off_leaves_nothing_half_done(
    metastore: Metastore, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_path(metastore, ANALYST.name, "SELECT")
    released: list[Table] = []
    metastore.on_table_dropped(released.append)
    before = metastore.tables("c", "s"), metastore.functions("c", "s"), metastore.grants("table", "c.s.t")
    writes = itertools.count()
    delete = Collection.delete

    def breaks(collection: Collection, key: str) -> bool:
        if next(writes) == 4:
            raise OSError("disk full")
        return delete(collection, key)

    monkeypatch.setattr(Collection, "delete", breaks)
    for change in (
        lambda: metastore.drop_schema(OWNER, "c.s", cascade=True),
        lambda: metastore.rename(OWNER, "schema", "c.s", "renamed"),
    ):
        writes = itertools.count()
        with pytest.raises(OSError, match="disk full"):
            change()
        again = Metastore(store)
        again.start()
        for known in (metastore, again):
            assert (known.tables("c", "s"), known.functions("c", "s"), known.grants("table", "c.s.t")) == before
            assert known.schema("c", "renamed") is None
    assert released == []
    monkeypatch.undo()
    metastore.drop_schema(OWNER, "c.s", cascade=True)
    assert [table.full_name for table in released] == ["c.s.t"]


def test_many_threads_write_and_read_at_once(metastore: Metastore, store: Store) -> None:
    def work(number: int) -> None:
        for count in range(12):
            name = f"w{number}_{count}"
            metastore.create_schema(OWNER, "c", name)
            metastore.grant(OWNER, "schema", f"c.{name}", "analysts", ["USE SCHEMA"])
            assert name in {schema.name for schema in metastore.visible_schemas(OWNER, "c")}
            metastore.grant(OWNER, "schema", "c.s", f"group{number}_{count}", ["SELECT"])
            if count % 3 == 0:
                metastore.drop_schema(OWNER, f"c.{name}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    again = Metastore(store)
    again.start()
    for known in (metastore, again):
        assert len(known.schemas("c")) == 1 + 8 * 8
        assert len(known.grants("schema", "c.s")) == 8 * 12


def test_renaming_a_schema_takes_along_what_refers_to_it(metastore: Metastore, store: Store) -> None:
    read_path(metastore, ANALYST.name, "SELECT")
    metastore.create_schema(OWNER, "c", "other")
    metastore.put_table(OWNER, table_of("elsewhere", "store.main.t9", "other"))
    metastore.rename(OWNER, "schema", "c.s", "Renamed")
    for known in (metastore, Metastore(store)):
        known.start()
        table = known.require_select(ANALYST, "c.renamed.t")
        assert table.row_filter == RowFilter("c.renamed.own", ("Region",))
        assert table.columns[2].mask == ColumnMask("c.renamed.hide", ("Region",))
        elsewhere = known.table("c", "other", "elsewhere")
        assert elsewhere is not None
        assert elsewhere.row_filter == RowFilter("c.renamed.own", ("Region",))
        assert known.schema("c", "s") is None
        assert known.functions("c", "s") == []
    with pytest.raises(AlreadyExists):
        metastore.rename(OWNER, "schema", "c.renamed", "other")


def test_a_table_moves_only_within_its_catalog_and_where_one_may_create(metastore: Metastore) -> None:
    metastore.create_schema(OWNER, "c", "other")
    assert metastore.rename(OWNER, "table", "c.s.t", "c.other.u").full_name == "c.other.u"
    for bad in ("d.other.u", "other.u", "a b"):
        with pytest.raises(InvalidRequest):
            metastore.rename(OWNER, "table", "c.other.u", bad)
    metastore.grant(OWNER, "catalog", "c", ANALYST.name, ["USE CATALOG", "USE SCHEMA", "MANAGE"])
    with pytest.raises(PermissionDenied, match="CREATE TABLE"):
        metastore.rename(ANALYST, "table", "c.other.u", "c.s.u")


# information_schema --------------------------------------------------------------------------------------------------


def rows_of(metastore: Metastore, who: Principal, view: str) -> list[dict[str, object]]:
    columns, rows = metastore.information_schema(who, "C", view.upper())
    assert all(len(row) == len(columns) for row in rows)
    return [dict(zip((column.name for column in columns), row, strict=True)) for row in rows]


def test_information_schema_describes_what_the_principal_sees(metastore: Metastore) -> None:
    read_path(metastore, ANALYST.name, "SELECT")
    metastore.create_schema(OWNER, "c", "hidden")
    metastore.put_table(OWNER, Table("c", "hidden", "secret", "", (Column("id", "int"),)))
    assert [row["table_name"] for row in rows_of(metastore, ANALYST, "tables")] == ["t"]
    assert [row["table_name"] for row in rows_of(metastore, OWNER, "tables")] == ["secret", "t"]
    assert [row["schema_name"] for row in rows_of(metastore, ANALYST, "schemata")] == [
        "information_schema",
        "s",
    ]
    assert [row["column_name"] for row in rows_of(metastore, ANALYST, "columns")] == ["id", "Region", "email"]
    (row_filter,) = rows_of(metastore, ANALYST, "row_filters")
    assert (row_filter["filter_name"], row_filter["target_columns"]) == ("c.s.own", "Region")
    (mask,) = rows_of(metastore, ANALYST, "column_masks")
    assert (mask["column_name"], mask["mask_name"], mask["using_columns"]) == ("email", "c.s.hide", "Region")
    (key,) = rows_of(metastore, ANALYST, "key_column_usage")
    assert (key["column_name"], key["ordinal_position"]) == ("id", 1)
    assert {row["privilege_type"] for row in rows_of(metastore, ANALYST, "table_privileges")} >= {"SELECT"}
    assert rows_of(metastore, ANALYST, "routines") == []
    assert {row["routine_definition"] for row in rows_of(metastore, OWNER, "routines")} == {"'*'", "x = 'a'"}


def test_every_view_has_rows_as_wide_as_its_columns_and_needs_use_catalog(metastore: Metastore) -> None:
    for view in Metastore.INFORMATION_SCHEMA_VIEWS:
        rows_of(metastore, OWNER, view)
        with pytest.raises(PermissionDenied):
            metastore.information_schema(STRANGER, "c", view)
    with pytest.raises(NotFound):
        metastore.information_schema(OWNER, "c", "nothing")
    with pytest.raises(NotFound):
        metastore.information_schema(OWNER, "nothing", "tables")


# Types ---------------------------------------------------------------------------------------------------------------


def test_types_are_named_as_the_rest_api_names_them() -> None:
    assert [type_name(text) for text in ("bigint", "DECIMAL(10, 2)", "map<string,int>", "geometry")] == [
        "LONG",
        "DECIMAL",
        "MAP",
        "USER_DEFINED_TYPE",
    ]
    assert [type_precision(text) for text in ("decimal(10,2)", "decimal(7)", "decimal", "int")] == [
        (10, 2),
        (7, 0),
        (10, 0),
        (0, 0),
    ]
    nested = "map<string,struct<a:array<decimal(4,1)>,b:bigint>>"
    assert '"keyType": "string"' in type_json("m", nested, nullable=True, comment=None)
    assert '"elementType": "decimal(4,1)"' in type_json("m", nested, nullable=True, comment=None)
    assert '"type": "long"' in type_json("m", nested, nullable=True, comment=None)


def test_names_are_checked(metastore: Metastore) -> None:
    for bad, place in itertools.product(("", "a b", "a/b", "x" * 256), ("catalog", "schema")):
        with pytest.raises(InvalidRequest):
            metastore.create_catalog(SYSTEM, bad) if place == "catalog" else metastore.create_schema(OWNER, "c", bad)
    with pytest.raises(AlreadyExists):
        metastore.create_schema(OWNER, "c", "Information_Schema")
