import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampTZValue } from "@duckdb/node-api";

import { iso } from "../../../src/core/clock.js";
import type { Json } from "../../../src/core/json.js";
import type { Row } from "../../../src/core/record.js";
import { parseExactly } from "../../../src/protocols/singer/exact.js";
import type { Engine } from "./engine.js";
import { decoded, encoded } from "./translate.js";

/** All rows of a table that are committed, exactly; names in lower case. Empty if there is none. */
export async function rowsOf(
  engine: Engine,
  schema: string,
  table: string,
): Promise<readonly Row[]> {
  const relation = engine.catalog.schemas.get(schema)?.get(table);
  if (relation === undefined) return [];
  return engine.inspect(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT * FROM memory.${encoded(schema)}.${encoded(table)} ORDER BY ALL`,
    );
    const names = reader.columnNames().map((name) => decoded(name).toLowerCase());
    const isJson = reader.columnTypes().map((type) => type.alias === "JSON");
    return reader
      .getRows()
      .map((row) =>
        Object.fromEntries(row.map((value, i) => [names[i] ?? "", asJson(value, isJson[i])])),
      );
  });
}

/** A value as it stands in a row. */
function asJson(value: unknown, isJson: boolean | undefined): Json {
  if (value instanceof DuckDBTimestampTZValue) return iso(Number(value.micros / 1000n));
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBDecimalValue) {
    return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value;
  }
  if (typeof value === "bigint") return Number(value);
  if (isJson === true && typeof value === "string") {
    // A VARIANT's null is none of the column's: `IS NULL` is not true of it.
    if (value === "null") return "a null within a VARIANT";
    return parseExactly(value) as Json;
  }
  return value as Json;
}
