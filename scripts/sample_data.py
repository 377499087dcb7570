"""What the sample data is: three small tables, the functions that govern them, and who may read them.

Pure values and SQL text; ``setup_sample_data`` brings them into a workspace. The rows are drawn from a seeded
generator, so every run makes the same ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

REGIONS = ("EMEA", "AMER", "APAC")
OPEN_REGION = "EMEA"
"""The region whose orders everybody may see."""

SALES, RESTRICTED = "sales", "restricted"
SCHEMAS = {
    SALES: "Customers and orders of a small outdoor-equipment shop",
    RESTRICTED: "Data for managers only",
}

_SEED = 20_240_917
_PEOPLE = {
    "EMEA": (
        (
            "Germany",
            ("Hamburg", "Leipzig", "Stuttgart"),
            ("Anna", "Jonas", "Lena", "Felix"),
            ("Becker", "Vogel", "Krüger"),
        ),
        ("France", ("Lyon", "Nantes", "Lille"), ("Camille", "Hugo", "Inès", "Louis"), ("Moreau", "Girard", "Lambert")),
        ("Kenya", ("Nairobi", "Mombasa"), ("Wanjiru", "Otieno", "Achieng"), ("Kamau", "Odhiambo", "Njoroge")),
    ),
    "AMER": (
        (
            "United States",
            ("Denver", "Portland", "Austin"),
            ("Emma", "Noah", "Ava", "Liam"),
            ("Carter", "Nguyen", "Brooks"),
        ),
        ("Brazil", ("Curitiba", "Recife"), ("Beatriz", "Rafael", "Larissa"), ("Souza", "Cardoso", "Teixeira")),
    ),
    "APAC": (
        ("Japan", ("Osaka", "Sapporo"), ("Yuki", "Haruto", "Sakura"), ("Tanaka", "Kobayashi", "Mori")),
        ("Australia", ("Brisbane", "Perth"), ("Chloe", "Oliver", "Mia"), ("Walker", "O'Brien", "Singh")),
    ),
}
_PRODUCTS = {
    "ridge tent": Decimal("289.00"),
    "down sleeping bag": Decimal("179.50"),
    "trail backpack": Decimal("124.90"),
    "gas stove": Decimal("46.75"),
    "headlamp": Decimal("39.95"),
    "rain jacket": Decimal("149.00"),
    "trekking poles": Decimal("84.20"),
    "water filter": Decimal("54.30"),
    "merino socks": Decimal("18.90"),
    "climbing rope": Decimal("132.00"),
}
_INTERESTS = ("hiking", "climbing", "camping", "trail running", "paddling", "ski touring")
_STATUSES = ("delivered",) * 6 + ("shipped", "shipped", "processing", "returned", "cancelled")

Row = tuple[object, ...]


@dataclass(frozen=True)
class SampleColumn:
    """A column: its Databricks type and what it means."""

    name: str
    data_type: str
    comment: str
    nullable: bool = True


@dataclass(frozen=True)
class SampleTable:
    """A table of the sample data.

    Attributes:
        rows: at most 100.
        primary_key: the column of the declared primary key.
        masked: column name to the function (in the sales schema) that masks it.
        row_filter: the function that filters its rows and the column that it gets.
    """

    schema: str
    name: str
    comment: str
    columns: tuple[SampleColumn, ...]
    rows: tuple[Row, ...]
    primary_key: str
    masked: dict[str, str] = field(default_factory=dict)
    row_filter: tuple[str, str] | None = None


@dataclass(frozen=True)
class SampleFunction:
    """A SQL function of the sales schema: ``parameter`` is a string; ``body`` is the expression after RETURN."""

    name: str
    parameter: str
    return_type: str
    body: str
    comment: str


@dataclass(frozen=True)
class SampleGrant:
    """Privileges for one group on the catalog (``schema`` is None) or on one schema."""

    group: str
    schema: str | None
    privileges: tuple[str, ...]


def functions(managers: str) -> tuple[SampleFunction, ...]:
    """The mask and the row filter; members of the account group ``managers`` see everything."""
    is_manager = f"is_account_group_member({literal(managers)})"
    return (
        SampleFunction(
            "mask_email",
            "email",
            "STRING",
            f"CASE WHEN {is_manager} THEN email ELSE regexp_replace(email, '^[^@]+', '***') END",
            f"Hides the part of an e-mail address before the @ from everybody outside the group {managers}",
        ),
        SampleFunction(
            "only_own_region",
            "region",
            "BOOLEAN",
            f"{is_manager} OR region = {literal(OPEN_REGION)}",
            f"Shows rows of {OPEN_REGION} to everybody, of all regions to the group {managers}",
        ),
    )


def grants(analysts: str, managers: str) -> tuple[SampleGrant, ...]:
    """Analysts use the sales schema, managers both."""
    reading = ("USE SCHEMA", "SELECT", "EXECUTE")
    return (
        SampleGrant(analysts, None, ("USE CATALOG",)),
        SampleGrant(analysts, SALES, reading),
        SampleGrant(managers, None, ("USE CATALOG",)),
        SampleGrant(managers, SALES, reading),
        SampleGrant(managers, RESTRICTED, reading),
    )


def tables() -> tuple[SampleTable, ...]:
    """The three tables with their rows."""
    generator = random.Random(_SEED)  # noqa: S311 - sample data, not a secret
    customers = _customers(generator)
    orders = _orders(generator, customers)
    return (_customer_table(customers), _order_table(orders), _salary_table())


def _customers(generator: random.Random) -> tuple[Row, ...]:
    rows: list[Row] = []
    for number in range(1, 101):
        region = generator.choices(REGIONS, weights=(45, 35, 20))[0]
        country, cities, first_names, last_names = generator.choice(_PEOPLE[region])
        first, last = generator.choice(first_names), generator.choice(last_names)
        address = f"{first}.{last}{number}".lower().translate(str.maketrans("üéè", "uee", "'"))
        rows.append(
            (
                1000 + number,
                f"{first} {last}",
                f"{address}@example.com",
                region,
                country,
                generator.choice(cities),
                date(2021, 1, 4) + timedelta(days=generator.randrange(1200)),
                generator.random() < 0.85,
                sorted(generator.sample(_INTERESTS, generator.randint(1, 3))),
            )
        )
    return tuple(rows)


def _orders(generator: random.Random, customers: tuple[Row, ...]) -> tuple[Row, ...]:
    rows: list[Row] = []
    ordered_at = datetime(2024, 1, 2, 8, 15, tzinfo=UTC)
    for number in range(1, 101):
        ordered_at += timedelta(minutes=generator.randint(95, 4100), seconds=generator.randrange(60))
        customer = generator.choice(customers)
        items = generator.sample(sorted(_PRODUCTS), generator.randint(1, 4))
        gift = generator.random() < 0.12
        discount = generator.choice((Decimal("0.00"),) * 4 + (Decimal("0.05"), Decimal("0.10"), Decimal("0.15")))
        total = sum((_PRODUCTS[item] for item in items), Decimal(0)) * (1 - discount)
        status = generator.choice(_STATUSES)
        shipped = ordered_at.date() + timedelta(days=generator.randint(1, 4))
        sent = shipped if status in {"delivered", "shipped", "returned"} else None
        amount = total.quantize(Decimal("0.01"))
        rows.append(
            (50_000 + number, customer[0], customer[3], ordered_at, sent, status, items, amount, discount, gift)
        )
    return tuple(rows)


def _customer_table(rows: tuple[Row, ...]) -> SampleTable:
    return SampleTable(
        SALES,
        "customers",
        "Customers of the shop; e-mail addresses are masked for everybody but managers",
        (
            SampleColumn("customer_id", "BIGINT", "Number of the customer", nullable=False),
            SampleColumn("full_name", "STRING", "First and last name"),
            SampleColumn("email", "STRING", "E-mail address, masked for everybody but managers"),
            SampleColumn("region", "STRING", "Sales region: EMEA, AMER or APAC"),
            SampleColumn("country", "STRING", "Country of residence"),
            SampleColumn("city", "STRING", "City of residence"),
            SampleColumn("signup_date", "DATE", "Day on which the account was opened"),
            SampleColumn("newsletter", "BOOLEAN", "Whether the customer receives the newsletter"),
            SampleColumn("interests", "ARRAY<STRING>", "What the customer likes to do outdoors"),
        ),
        rows,
        "customer_id",
        masked={"email": "mask_email"},
    )


def _order_table(rows: tuple[Row, ...]) -> SampleTable:
    return SampleTable(
        SALES,
        "orders",
        "Orders of 2024; everybody sees the orders of one region, managers all of them",
        (
            SampleColumn("order_id", "BIGINT", "Number of the order", nullable=False),
            SampleColumn("customer_id", "BIGINT", "Customer who ordered"),
            SampleColumn("region", "STRING", "Sales region of the customer; rows are filtered by it"),
            SampleColumn("ordered_at", "TIMESTAMP", "When the order was placed"),
            SampleColumn("ship_date", "DATE", "Day of dispatch; null while the order has not left"),
            SampleColumn("status", "STRING", "delivered, shipped, processing, returned or cancelled"),
            SampleColumn("items", "ARRAY<STRING>", "Products in the order"),
            SampleColumn("amount", "DECIMAL(10,2)", "Total after discount, in euros"),
            SampleColumn("discount", "DECIMAL(3,2)", "Share of the price that was taken off, 0 to 1"),
            SampleColumn("is_gift", "BOOLEAN", "Whether it was wrapped as a gift"),
        ),
        rows,
        "order_id",
        row_filter=("only_own_region", "region"),
    )


def _salary_table() -> SampleTable:
    def salary(number: int, name: str, title: str, amount: str, since: date) -> Row:
        return (number, name, title, Decimal(amount), since)

    return SampleTable(
        RESTRICTED,
        "salaries",
        "Yearly salaries of the staff; for managers only",
        (
            SampleColumn("employee_id", "INT", "Number of the employee", nullable=False),
            SampleColumn("employee_name", "STRING", "First and last name"),
            SampleColumn("job_title", "STRING", "Position"),
            SampleColumn("annual_salary", "DECIMAL(10,2)", "Gross salary for a year, in euros"),
            SampleColumn("valid_from", "DATE", "Day from which the salary holds"),
        ),
        (
            salary(1, "Ingrid Solberg", "Managing director", "128000.00", date(2019, 4, 1)),
            salary(2, "Tomás Herrera", "Head of purchasing", "91500.00", date(2020, 9, 1)),
            salary(3, "Mei Lin Chen", "Data engineer", "78400.00", date(2022, 2, 1)),
            salary(4, "Patrick Adeyemi", "Store manager", "64250.00", date(2021, 6, 1)),
            salary(5, "Sofia Lindqvist", "Customer service", "47800.00", date(2023, 1, 1)),
            salary(6, "Marek Nowak", "Warehouse", "43100.00", date(2023, 11, 1)),
        ),
        "employee_id",
    )


def quoted(*parts: str) -> str:
    """A full name with every part back-quoted."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def literal(value: object) -> str:
    """A value as a Databricks SQL literal.

    Raises:
        TypeError: there is no literal for its type here.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP'{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z'"
    if isinstance(value, date):
        return f"DATE'{value:%Y-%m-%d}'"
    if isinstance(value, list):
        return f"array({', '.join(literal(item) for item in value)})"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    raise TypeError(f"no literal for {type(value).__name__}")
