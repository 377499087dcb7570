"""Unity Catalog's REST API of the local workspace, driven through the official SDK by several accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service.catalog import PermissionsChange, Privilege

from local_workspace import http
from local_workspace.faults import Faults
from local_workspace.identity import routes as identity_routes
from local_workspace.identity.directory import DEPLOYER, Directory
from local_workspace.identity.model import Principal
from local_workspace.identity.tokens import Tokens
from local_workspace.server import LoopbackServer
from local_workspace.store import Store
from local_workspace.unity_catalog import routes
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import Column, ColumnMask, Parameter, RowFilter, Table

ANALYST, MANAGER, NEWCOMER = "analyst@example.com", "manager@example.com", "newcomer@example.com"


class Served:
    """The REST API on a free port, over a store in a folder."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "workspace.sqlite")
        self.store.open()
        self.directory = Directory(self.store)
        self.directory.start()
        self.tokens = Tokens(self.store, self.directory, 3600)
        self.tokens.start()
        self.metastore = Metastore(self.store)
        self.metastore.start()
        faults = Faults()
        app = http.create_app(faults, "1234567890")
        app.register_blueprint(identity_routes.blueprint(self.directory, self.tokens, faults, "1234567890"))
        app.register_blueprint(routes.blueprint(self.metastore, self.directory))
        self.server = LoopbackServer("test", app, 0)
        self.server.start()

    def stop(self) -> None:
        self.server.stop()
        self.store.close()

    def principal(self, name: str) -> Principal:
        found = self.directory.get(name) or self.directory.service_principal(name)
        assert found is not None
        return found

    def client(self, name: str, scopes: tuple[str, ...] = ("all-apis",)) -> WorkspaceClient:
        token = self.tokens.issue(self.principal(name), scopes).token
        host = f"http://127.0.0.1:{self.server.port}"
        return WorkspaceClient(
            config=Config(host=host, token=token, auth_type="pat", http_timeout_seconds=10, retry_timeout_seconds=5)
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A catalog ``shop``: schema ``sales`` for analysts, ``restricted`` for managers, and a model in ``sales``."""
    running = Served(tmp_path_factory.mktemp("unity_catalog"))
    admin = running.client(DEPLOYER)
    admin.catalogs.create("Shop", comment="A shop")
    for name in ("sales", "restricted"):
        admin.schemas.create(name, "shop", comment=f"The {name}")
    _seed_tables(running.metastore, running.principal(DEPLOYER))
    grant(admin, "catalog", "shop", "analysts", [Privilege.USE_CATALOG])
    grant(admin, "schema", "shop.sales", "analysts", [Privilege.USE_SCHEMA, Privilege.SELECT, Privilege.EXECUTE])
    grant(admin, "schema", "shop.restricted", "managers", [Privilege.ALL_PRIVILEGES])
    try:
        yield running
    finally:
        running.stop()


def _seed_tables(metastore: Metastore, owner: Principal) -> None:
    """Tables are made by SQL on the platform; here straight in the metastore, so that this test needs no engine."""
    text = (Parameter("value", "string"),)
    metastore.create_function(owner, "shop.sales.hide", parameters=text, return_type="string", body="'***'")
    metastore.create_function(owner, "shop.sales.own", parameters=text, return_type="boolean", body="value = 'EMEA'")
    columns = (
        Column("order_id", "bigint", nullable=False, comment="Number"),
        Column("region", "string"),
        Column("email", "string", mask=ColumnMask("shop.sales.hide")),
        Column("amount", "decimal(10,2)"),
        Column("items", "array<struct<name:string,price:decimal(8,2)>>"),
    )
    orders = Table(
        "shop",
        "sales",
        "Orders",
        "",
        columns,
        row_filter=RowFilter("shop.sales.own", ("region",)),
        primary_key=("order_id",),
    )
    metastore.put_table(owner, orders)
    view = Table(
        "shop",
        "sales",
        "totals",
        "",
        (Column("n", "bigint"),),
        "VIEW",
        view_definition="SELECT count(*) AS n FROM orders",
    )
    metastore.put_table(owner, view)
    metastore.put_table(owner, Table("shop", "restricted", "salaries", "", (Column("amount", "double"),)))


def grant(client: WorkspaceClient, kind: str, name: str, principal: str, privileges: list[Privilege]) -> None:
    client.grants.update(kind, name, changes=[PermissionsChange(principal=principal, add=privileges)])


@pytest.fixture
def act_as(served: Served) -> Callable[[str], WorkspaceClient]:
    return served.client


def said(error: DatabricksError) -> str:
    """The service's own sentence; the SDK appends its configuration to a 403."""
    return str(error).partition(" Config: ")[0]


# What each account sees ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "catalogs", "schemas"),
    [
        (ANALYST, {"shop"}, {"sales"}),
        (MANAGER, {"shop"}, {"sales", "restricted"}),
        (DEPLOYER, {"shop"}, {"default", "sales", "restricted"}),
    ],
)
def test_lists_hold_what_the_account_may_use(
    act_as: Callable[[str], WorkspaceClient], who: str, catalogs: set[str], schemas: set[str]
) -> None:
    client = act_as(who)
    assert {found.name for found in client.catalogs.list()} >= catalogs
    assert {found.name for found in client.schemas.list("shop")} == schemas
    assert {found.name for found in client.tables.list("shop", "sales")} == {"orders", "totals"}


def test_a_newcomer_sees_nothing_and_is_told_which_privilege_is_missing(
    act_as: Callable[[str], WorkspaceClient],
) -> None:
    client = act_as(NEWCOMER)
    assert not [found for found in client.catalogs.list() if found.name == "shop"]
    for call in (
        lambda: client.catalogs.get("shop"),
        lambda: list(client.schemas.list("shop")),
        lambda: list(client.tables.list("shop", "sales")),
        lambda: client.tables.get("shop.sales.orders"),
        lambda: client.tables.get("shop.sales.nothing_there"),
        lambda: client.registered_models.get("shop.sales.nothing_there"),
        lambda: client.grants.get("catalog", "shop"),
    ):
        with pytest.raises(PermissionDenied) as caught:
            call()
        assert said(caught.value) == "User does not have USE CATALOG on Catalog 'shop'."
        assert caught.value.error_code == "PERMISSION_DENIED"


def test_missing_privileges_are_reported_in_the_order_in_which_they_are_checked(
    served: Served, act_as: Callable[[str], WorkspaceClient]
) -> None:
    client, admin = act_as(ANALYST), act_as(DEPLOYER)
    for name in ("shop.restricted.salaries", "shop.restricted.nothing_there"):
        with pytest.raises(PermissionDenied, match=r"^User does not have USE SCHEMA on Schema 'shop\.restricted'\."):
            client.tables.get(name)
    grant(admin, "schema", "shop.restricted", ANALYST, [Privilege.USE_SCHEMA])
    try:
        with pytest.raises(
            PermissionDenied, match=r"^User does not have SELECT on Table 'shop\.restricted\.salaries'\."
        ):
            client.tables.get("shop.restricted.salaries")
        with pytest.raises(NotFound) as caught:
            client.tables.get("shop.restricted.nothing_there")
        assert caught.value.error_code == "TABLE_DOES_NOT_EXIST"
        assert str(caught.value) == "Table 'shop.restricted.nothing_there' does not exist."
        assert list(client.tables.list("shop", "restricted")) == []
    finally:
        change = PermissionsChange(principal=ANALYST, remove=[Privilege.USE_SCHEMA])
        admin.grants.update("schema", "shop.restricted", changes=[change])
    with pytest.raises(PermissionDenied):
        list(client.tables.list("shop", "restricted"))


@pytest.mark.parametrize(
    ("get", "name", "code", "message"),
    [
        ("catalogs", "nope", "CATALOG_DOES_NOT_EXIST", "Catalog 'nope' does not exist."),
        ("schemas", "shop.nope", "SCHEMA_DOES_NOT_EXIST", "Schema 'shop.nope' does not exist."),
        ("tables", "shop.nope.t", "SCHEMA_DOES_NOT_EXIST", "Schema 'shop.nope' does not exist."),
        ("functions", "shop.sales.nope", "FUNCTION_DOES_NOT_EXIST", "Function 'shop.sales.nope' does not exist."),
    ],
)
def test_what_does_not_exist_is_404(
    act_as: Callable[[str], WorkspaceClient], get: str, name: str, code: str, message: str
) -> None:
    with pytest.raises(NotFound) as caught:
        getattr(act_as(DEPLOYER), get).get(name)
    assert (caught.value.error_code, str(caught.value)) == (code, message)


# Objects -------------------------------------------------------------------------------------------------------------


def test_a_table_shows_types_mask_filter_and_key(act_as: Callable[[str], WorkspaceClient]) -> None:
    table = act_as(ANALYST).tables.get("SHOP.Sales.ORDERS")
    assert (table.full_name, table.table_type.value, table.data_source_format.value) == (
        "shop.sales.orders",
        "MANAGED",
        "DELTA",
    )
    assert table.row_filter.function_name == "shop.sales.own"
    assert table.row_filter.input_column_names == ["region"]
    assert table.table_constraints[0].primary_key_constraint.child_columns == ["order_id"]
    by_name = {column.name: column for column in table.columns}
    assert [column.position for column in table.columns] == [0, 1, 2, 3, 4]
    assert by_name["email"].mask.function_name == "shop.sales.hide"
    assert by_name["region"].mask is None
    assert (by_name["order_id"].type_name.value, by_name["order_id"].nullable) == ("LONG", False)
    assert (by_name["amount"].type_precision, by_name["amount"].type_scale) == (10, 2)
    element = json.loads(by_name["items"].type_json)["type"]["elementType"]
    assert [(field["name"], field["type"]) for field in element["fields"]] == [
        ("name", "string"),
        ("price", "decimal(8,2)"),
    ]
    view = act_as(ANALYST).tables.get("shop.sales.totals")
    assert (view.table_type.value, view.view_definition) == ("VIEW", "SELECT count(*) AS n FROM orders")


def test_lists_leave_out_what_they_are_asked_to_and_constraints(act_as: Callable[[str], WorkspaceClient]) -> None:
    client = act_as(ANALYST)
    full = {table.name: table for table in client.tables.list("shop", "sales")}
    assert full["orders"].columns
    assert not full["orders"].table_constraints
    slim = client.tables.list("shop", "sales", omit_columns=True, omit_username=True, omit_properties=True)
    for table in slim:
        assert not table.columns
        assert table.owner is None
        assert table.properties is None


def test_exists_summaries_and_functions(act_as: Callable[[str], WorkspaceClient]) -> None:
    client = act_as(ANALYST)
    assert client.tables.exists("shop.sales.orders").table_exists
    assert not client.tables.exists("shop.sales.nothing_there").table_exists
    with pytest.raises(PermissionDenied):
        client.tables.exists("shop.restricted.salaries")
    names = [found.full_name for found in client.tables.list_summaries("shop")]
    assert names == ["shop.sales.orders", "shop.sales.totals"]
    assert [found.full_name for found in client.tables.list_summaries("shop", table_name_pattern="t%ls")] == [
        "shop.sales.totals"
    ]
    assert [found.name for found in client.functions.list("shop", "sales")] == ["hide", "own"]
    assert client.functions.get("shop.sales.own").routine_definition is None
    shown = act_as(DEPLOYER).functions.get("shop.sales.own")
    assert shown.routine_definition == "value = 'EMEA'"
    assert shown.input_params.parameters[0].type_text == "string"


def test_schemas_are_made_changed_renamed_and_dropped(act_as: Callable[[str], WorkspaceClient]) -> None:
    admin = act_as(DEPLOYER)
    made = admin.schemas.create("Scratch", "shop", comment="for now", properties={"a": "1"})
    assert (made.full_name, made.comment, made.properties) == ("shop.scratch", "for now", {"a": "1"})
    with pytest.raises(ResourceConflict) as caught:
        admin.schemas.create("SCRATCH", "shop")
    assert caught.value.error_code == "SCHEMA_ALREADY_EXISTS"
    admin.registered_models.create(catalog_name="shop", schema_name="scratch", name="m")
    grant(admin, "schema", "shop.scratch", "analysts", [Privilege.USE_SCHEMA])
    changed = admin.schemas.update("shop.scratch", comment="later", owner="managers", new_name="kept")
    assert (changed.full_name, changed.comment, changed.owner) == ("shop.kept", "later", "managers")
    assert admin.registered_models.get("shop.kept.m").full_name == "shop.kept.m"
    assert [found.name for found in act_as(ANALYST).schemas.list("shop")] == ["kept", "sales"]
    with pytest.raises(NotFound):
        admin.schemas.get("shop.scratch")
    with pytest.raises(PermissionDenied):
        act_as(ANALYST).schemas.delete("shop.kept", force=True)
    with pytest.raises(BadRequest, match="not empty"):
        act_as(MANAGER).schemas.delete("shop.kept")
    act_as(MANAGER).schemas.delete("shop.kept", force=True)
    with pytest.raises(NotFound):
        admin.registered_models.get("shop.kept.m")


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a/b", "x" * 256])
def test_impossible_names_are_refused(act_as: Callable[[str], WorkspaceClient], name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        act_as(DEPLOYER).schemas.create(name, "shop")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_creating_needs_the_privilege(act_as: Callable[[str], WorkspaceClient]) -> None:
    client, admin = act_as(ANALYST), act_as(DEPLOYER)
    with pytest.raises(PermissionDenied, match=r"CREATE CATALOG on Metastore"):
        client.catalogs.create("mine")
    with pytest.raises(PermissionDenied, match=r"CREATE SCHEMA on Catalog 'shop'"):
        client.schemas.create("mine", "shop")
    grant(admin, "catalog", "shop", ANALYST, [Privilege.CREATE_SCHEMA])
    mine = client.schemas.create("mine", "shop")
    assert mine.owner == ANALYST
    # An owner may do everything with it, and hand it on.
    grant(client, "schema", "shop.mine", NEWCOMER, [Privilege.USE_SCHEMA])
    client.registered_models.create(catalog_name="shop", schema_name="mine", name="m")
    client.schemas.delete("shop.mine", force=True)
    change = PermissionsChange(principal=ANALYST, remove=[Privilege.CREATE_SCHEMA])
    admin.grants.update("catalog", "shop", changes=[change])


# Paging --------------------------------------------------------------------------------------------------------------


def test_long_lists_come_in_pages(served: Served, act_as: Callable[[str], WorkspaceClient]) -> None:
    admin = act_as(DEPLOYER)
    admin.catalogs.create("many")
    for number in range(230):
        served.metastore.create_schema(served.principal(DEPLOYER), "many", f"s{number:03}")
    expected = ["default", *(f"s{number:03}" for number in range(230))]
    for size in (None, 0, 7, 1000):
        assert [found.name for found in admin.schemas.list("many", max_results=size)] == expected, size

    def raw(**query: Any) -> dict[str, Any]:
        answer = admin.api_client.do("GET", "/api/2.1/unity-catalog/schemas", query={"catalog_name": "many", **query})
        assert isinstance(answer, dict)
        return answer

    assert len(raw()["schemas"]) == 231
    assert "next_page_token" not in raw()
    assert len(raw(max_results=0)["schemas"]) == 100
    assert len(raw(max_results=7)["schemas"]) == 7
    for bad in ({"max_results": -1}, {"max_results": 7, "page_token": "nonsense!"}):
        with pytest.raises(BadRequest):
            raw(**bad)
    admin.catalogs.delete("many", force=True)


def test_a_list_without_its_parent_is_refused(act_as: Callable[[str], WorkspaceClient]) -> None:
    with pytest.raises(BadRequest, match="catalog_name"):
        act_as(DEPLOYER).api_client.do("GET", "/api/2.1/unity-catalog/schemas")


def test_browse_shows_that_objects_exist_and_no_more(act_as: Callable[[str], WorkspaceClient]) -> None:
    admin, newcomer = act_as(DEPLOYER), act_as(NEWCOMER)
    grant(admin, "catalog", "shop", "account users", [Privilege.BROWSE])
    try:
        assert "shop" not in {found.name for found in newcomer.catalogs.list()}
        assert "shop" in {found.name for found in newcomer.catalogs.list(include_browse=True)}
        found = {table.name: table for table in newcomer.tables.list("shop", "sales", include_browse=True)}
        assert found["orders"].browse_only
        assert not found["orders"].columns
        assert found["orders"].row_filter is None
        assert newcomer.tables.get("shop.sales.orders", include_browse=True).browse_only
        assert not act_as(ANALYST).tables.get("shop.sales.orders", include_browse=True).browse_only
        with pytest.raises(PermissionDenied):
            newcomer.tables.get("shop.sales.orders")
    finally:
        change = PermissionsChange(principal="account users", remove=[Privilege.BROWSE])
        admin.grants.update("catalog", "shop", changes=[change])


# Grants --------------------------------------------------------------------------------------------------------------


def test_effective_permissions_say_where_they_come_from(act_as: Callable[[str], WorkspaceClient]) -> None:
    listed = act_as(DEPLOYER).grants.get_effective("table", "shop.sales.orders")
    held = {
        (assignment.principal, privilege.privilege.value, privilege.inherited_from_name)
        for assignment in listed.privilege_assignments
        for privilege in assignment.privileges
    }
    assert ("analysts", "SELECT", "shop.sales") in held
    assert ("analysts", "USE_CATALOG", "shop") in held
    assert not [each for each in held if each[0] == "managers"]
    direct = act_as(DEPLOYER).grants.get("table", "shop.sales.orders")
    assert not direct.privilege_assignments


def test_others_see_only_the_grants_that_concern_them(act_as: Callable[[str], WorkspaceClient]) -> None:
    admin, analyst = act_as(DEPLOYER), act_as(ANALYST)
    grant(admin, "schema", "shop.sales", NEWCOMER, [Privilege.MODIFY])
    try:
        all_of_them = {each.principal for each in admin.grants.get("schema", "shop.sales").privilege_assignments}
        assert all_of_them == {"analysts", NEWCOMER}
        assert [each.principal for each in analyst.grants.get("schema", "shop.sales").privilege_assignments] == [
            "analysts"
        ]
        one = admin.grants.get("schema", "shop.sales", principal=NEWCOMER).privilege_assignments
        assert [(each.principal, each.privileges) for each in one] == [(NEWCOMER, [Privilege.MODIFY])]
    finally:
        change = PermissionsChange(principal=NEWCOMER, remove=[Privilege.ALL_PRIVILEGES])
        after = admin.grants.update("schema", "shop.sales", changes=[change])
    assert {each.principal for each in after.privilege_assignments} == {"analysts"}


def test_grants_are_refused_whole_when_one_part_is_wrong(act_as: Callable[[str], WorkspaceClient]) -> None:
    admin = act_as(DEPLOYER)
    before = admin.grants.get("schema", "shop.sales").as_dict()
    good = PermissionsChange(principal="managers", add=[Privilege.SELECT])
    for bad, error in (
        (PermissionsChange(principal="nobody@example.com", add=[Privilege.SELECT]), NotFound),
        (PermissionsChange(principal="managers", add=[Privilege.CREATE_CATALOG]), BadRequest),
    ):
        with pytest.raises(error):
            admin.grants.update("schema", "shop.sales", changes=[good, bad])
        assert admin.grants.get("schema", "shop.sales").as_dict() == before
    with pytest.raises(PermissionDenied, match="MANAGE"):
        grant(act_as(ANALYST), "schema", "shop.sales", ANALYST, [Privilege.MODIFY])


# Models --------------------------------------------------------------------------------------------------------------


def test_models_versions_and_aliases(served: Served, act_as: Callable[[str], WorkspaceClient]) -> None:
    admin, analyst = act_as(DEPLOYER), act_as(ANALYST)
    admin.registered_models.create(
        catalog_name="shop", schema_name="sales", name="Forecast", comment="Sales of next week"
    )
    owner = served.principal(DEPLOYER)
    for number in (1, 2):
        served.metastore.create_model_version(owner, "shop.sales.forecast", source="here", comment=f"No. {number}")
    assert [found.full_name for found in analyst.registered_models.list()] == ["shop.sales.forecast"]
    in_schema = analyst.registered_models.list(catalog_name="shop", schema_name="sales")
    assert [found.name for found in in_schema] == ["forecast"]
    assert [found.version for found in analyst.model_versions.list("shop.sales.forecast")] == [2, 1]
    admin.registered_models.set_alias("shop.sales.forecast", "champion", 2)
    assert analyst.model_versions.get_by_alias("shop.sales.forecast", "champion").comment == "No. 2"
    shown = analyst.registered_models.get("shop.sales.forecast", include_aliases=True)
    assert [(alias.alias_name, alias.version_num) for alias in shown.aliases] == [("champion", 2)]
    with pytest.raises(NotFound):
        admin.registered_models.set_alias("shop.sales.forecast", "challenger", 9)
    with pytest.raises(PermissionDenied):
        analyst.registered_models.set_alias("shop.sales.forecast", "champion", 1)
    admin.model_versions.delete("shop.sales.forecast", 2)
    assert served.metastore.create_model_version(owner, "shop.sales.forecast").version == 3
    with pytest.raises(NotFound):
        analyst.model_versions.get_by_alias("shop.sales.forecast", "champion")
    with pytest.raises(PermissionDenied):
        act_as(NEWCOMER).registered_models.get("shop.sales.forecast")
    admin.registered_models.delete("shop.sales.forecast")
    with pytest.raises(NotFound):
        admin.registered_models.get("shop.sales.forecast")


# The edges -----------------------------------------------------------------------------------------------------------


def test_an_apps_user_token_reads_what_its_scopes_allow(served: Served) -> None:
    client = served.client(ANALYST, ("catalog.catalogs:read", "catalog.tables:read"))
    assert [found.name for found in client.catalogs.list()] == ["shop"]
    assert client.tables.get("shop.sales.orders").name == "orders"
    for refused in (
        lambda: list(client.schemas.list("shop")),
        lambda: client.catalogs.create("x"),
        lambda: client.schemas.delete("shop.sales"),
    ):
        with pytest.raises(PermissionDenied, match="Provided OAuth token does not have required scopes: unity-catalog"):
            refused()


def test_what_is_not_implemented_says_so(act_as: Callable[[str], WorkspaceClient]) -> None:
    admin = act_as(DEPLOYER)
    for call in (
        lambda: list(admin.volumes.list("shop", "sales")),
        lambda: admin.catalogs.create("x", storage_root="s3://somewhere"),
        lambda: list(admin.external_locations.list()),
    ):
        with pytest.raises(DatabricksError) as caught:
            call()
        assert caught.value.error_code == "NOT_IMPLEMENTED"


def test_the_metastore_is_described(served: Served, act_as: Callable[[str], WorkspaceClient]) -> None:
    client = act_as(ANALYST)
    assignment = client.metastores.current()
    assert assignment.metastore_id == served.metastore.metastore_id
    assert client.metastores.summary().metastore_id == assignment.metastore_id


def test_everything_is_there_after_a_restart(served: Served) -> None:
    again = Metastore(served.store)
    again.start()
    analyst = served.principal(ANALYST)
    assert again.metastore_id == served.metastore.metastore_id
    assert again.visible_tables(analyst, "shop", "sales") == served.metastore.visible_tables(analyst, "shop", "sales")
    assert again.grants("schema", "shop.sales") == served.metastore.grants("schema", "shop.sales")
