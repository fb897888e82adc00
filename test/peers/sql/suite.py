"""Every statement of every dialect through parsers of others' making, and the scenarios through DuckDB.

Reads `test/golden/loaders`: a dialect is a file `<dialect>.sql` or `<dialect>-….sql`, and a
scenario in `scenario/<dialect>.sql` with the rows of `scenario/fixture.json`. Scenarios are
translated to DuckDB by sqlglot and run; all must leave the tables that DuckDB's own leaves.
"""

import json
import os
import re
import tempfile

import duckdb
import sqlfluff
import sqlglot
from sqlglot import exp

from report import Report

GOLDEN = os.path.join(os.environ["PEERS_ROOT"], "test", "golden", "loaders")
SCENARIOS = os.path.join(GOLDEN, "scenario")
TABLES = ("people", "pairs", "events", "titles", "titles_current", "_kb4_state", "_kb4_loads")


# Statements of BigQuery that sqlglot does not know; sqlfluff does. Source: BigQuery's reference of
# procedural language (IF, RAISE) and of ALTER TABLE RENAME COLUMN, of which it shows two in one.
UNKNOWN = re.compile(r"^(IF @@row_count .* END IF;|ALTER TABLE \S+ RENAME COLUMN .*, RENAME COLUMN .*)$")


def files():
    """Dialect and path of each file of SQL."""
    for folder in (GOLDEN, SCENARIOS):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".sql"):
                yield re.split(r"[-.]", name)[0], os.path.join(folder, name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def statements(text):
    """Statements of a file, one a line; comments are our own."""
    return [line for line in text.splitlines() if line and not line.startswith("--")]


def settings(statement):
    """One statement per parameter of a session: more than one is what sqlfluff does not know."""
    if not statement.startswith("ALTER SESSION SET "):
        return [statement]
    given = statement.removeprefix("ALTER SESSION SET ").removesuffix(";")
    return [f"ALTER SESSION SET {one};" for one in given.split(", ")]


def fluff_problems(dialect, text):
    """Statements that sqlfluff cannot read in this dialect."""
    for statement in (one for whole in statements(text) for one in settings(whole)):
        try:
            sqlfluff.parse(statement, dialect=dialect)
        except sqlfluff.api.simple.APIParsingError as error:
            yield f"{statement[:120]}: {str(error).splitlines()[-1][:160]}"


def glot_problems(dialect, text):
    """Statements that sqlglot cannot read, or does not know as one."""
    for statement in statements(text):
        if UNKNOWN.match(statement):
            continue
        try:
            for tree in sqlglot.parse(statement, read=dialect):
                if isinstance(tree, exp.Command):
                    yield f"not understood: {statement[:160]}"
        except sqlglot.errors.ParseError as error:
            yield f"{statement[:120]}: {str(error).splitlines()[0][:160]}"


def translated(dialect, statement):
    """A statement as DuckDB takes it."""
    if dialect == "duckdb":
        return statement
    tree = sqlglot.parse_one(statement, read=dialect)
    # What describes a column or a table is another matter than what stands in it.
    for properties in list(tree.find_all(exp.Properties, exp.ColumnDef)):
        if isinstance(properties, exp.Properties):
            properties.pop()
        else:
            kept = [c for c in properties.args.get("constraints", []) if not described(c)]
            properties.set("constraints", kept)
    # Text as JSON, whatever becomes of numbers that JSON there does not have.
    for call in list(tree.find_all(exp.ParseJSON)):
        call.replace(exp.cast(call.this.copy(), "JSON"))
    # DuckDB has a VARIANT of its own, which is written in another way.
    for kind in tree.find_all(exp.DataType):
        if kind.is_type("VARIANT"):
            kind.replace(exp.DataType.build("JSON"))
    return tree.sql(dialect="duckdb")


def described(constraint):
    return isinstance(constraint.kind, (exp.Properties, exp.CommentColumnConstraint))


class Warehouse:
    """A DuckDB in place of one of the warehouses, with its names."""

    def __init__(self, dialect, fixture):
        self.dialect = dialect
        self.fixture = fixture
        self.db = duckdb.connect(":memory:")
        self.db.execute("SET TimeZone = 'UTC'")
        self.catalog = {"duckdb": "kb4", "bigquery": "test-project"}.get(dialect, "KNOWBE4")
        self.schema = {"snowflake": "KNOWBE4"}.get(dialect, "knowbe4")
        self.db.execute(f'''ATTACH ':memory:' AS "{self.catalog}"''')
        self.db.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.catalog}"."{self.schema}"')
        self.db.execute(f'USE "{self.catalog}"."{self.schema}"')
        # Snowflake's null within a VARIANT, which DuckDB's JSON has too.
        self.db.execute("CREATE MACRO strip_null_value(x) AS CASE WHEN json_type(x) = 'NULL' THEN NULL ELSE x END")

    def run(self, statement):
        sql = translated(self.dialect, statement)
        try:
            self.db.execute(sql)
        except duckdb.Error as error:
            raise RuntimeError(f"{str(error).splitlines()[0]}: {sql[:300]}") from error

    def stage(self, told):
        relation = told["relation"]
        if self.dialect != "duckdb":
            relation = sqlglot.parse_one(f"SELECT * FROM {relation}", read=self.dialect)
            relation = relation.find(exp.Table).sql(dialect="duckdb")
        columns = ", ".join(f"'{n}': '{t}'" for n, t in told["columns"].items())
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            for row in self.fixture[told["rows"]]:
                file.write(json.dumps(row) + "\n")
            file.flush()
            self.db.execute(f"CREATE OR REPLACE TABLE {relation} AS SELECT * FROM read_json('{file.name}', format = 'newline_delimited', columns = {{{columns}}})")

    def tables(self):
        """Rows of every table, in an order of their own; names in lower case."""
        found = {}
        for table in TABLES:
            columns = sorted(
                (
                    name
                    for (name,) in self.db.execute(
                        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND lower(table_name) = ?",
                        [self.catalog, table],
                    ).fetchall()
                ),
                key=str.lower,
            )
            picked = ", ".join(f'CAST("{c}" AS VARCHAR)' for c in columns)
            rows = self.db.execute(f'SELECT {picked} FROM "{table}"').fetchall()
            names = [c.lower() for c in columns]
            found[table] = sorted((dict(zip(names, row)) for row in rows), key=str)
        return found


def outcome(dialect, fixture):
    """What a scenario leaves at each place where it is to be compared."""
    warehouse = Warehouse(dialect, fixture)
    left = {}
    for line in read(os.path.join(SCENARIOS, f"{dialect}.sql")).splitlines():
        if line.startswith("-- stage "):
            warehouse.stage(json.loads(line.removeprefix("-- stage ")))
        elif line.startswith("-- compare "):
            left[line.removeprefix("-- compare ")] = warehouse.tables()
        elif line:
            warehouse.run(line.removesuffix(";"))
    return left


def main():
    report = Report("sql")
    found = list(files())
    for dialect, path in found:
        name = os.path.relpath(path, GOLDEN)
        text = read(path)
        count = len(statements(text))
        # DuckDB's own statements are run by DuckDB in every test.
        if dialect == "duckdb":
            continue
        report.none(f"{name}: sqlfluff reads {count} statements", fluff_problems(dialect, text))
        report.none(f"{name}: sqlglot reads {count} statements", glot_problems(dialect, text))
    fixture = json.loads(read(os.path.join(SCENARIOS, "fixture.json")))
    dialects = sorted({os.path.splitext(n)[0] for n in os.listdir(SCENARIOS) if n.endswith(".sql")})
    expected = outcome("duckdb", fixture)
    rows = {table: len(kept) for table, kept in expected["load-2"].items()}
    wanted = {"people": 4, "pairs": 3, "events": 4, "titles": 6, "titles_current": 4, "_kb4_state": 3, "_kb4_loads": 2}
    report.equal("duckdb: rows after the second load", rows, wanted)
    for dialect in dialects:
        if dialect == "duckdb":
            continue
        with report.step(f"{dialect}: the scenario runs, translated to DuckDB"):
            actual = outcome(dialect, fixture)
        for place, tables in expected.items():
            for table, kept in tables.items():
                report.equal(f"{dialect}: {table} after {place}", actual[place][table], kept)
    report.check("there is more than DuckDB", len(dialects) > 1)
    report.close()


if __name__ == "__main__":
    main()
