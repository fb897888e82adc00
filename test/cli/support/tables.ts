import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { expect } from "vitest";

import { columnsOf, type Column } from "../../../src/core/columns.js";
import type { Json } from "../../../src/core/json.js";
import type { StreamName } from "../../../src/simulator/index.js";
import { DEFAULTS, defOf, keyOf, lines, truth, type Account, type Row } from "./account.js";

/** Does something with a database file, whose schema is `db.knowbe4`, and closes it. */
export async function withDatabase<T>(
  path: string,
  work: (connection: DuckDBConnection) => Promise<T>,
  access: "READ_ONLY" | "READ_WRITE" = "READ_ONLY",
): Promise<T> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    await connection.run(`ATTACH '${path}' AS db (${access})`);
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Rows of a query, as DuckDB writes them in JSON. */
export async function ask(
  path: string,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return withDatabase(path, async (connection) => {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJson();
  });
}

/** Rows of streams in a database, in the declared shape and one order. */
export async function tables(
  path: string,
  streams: readonly StreamName[] = DEFAULTS,
): Promise<Readonly<Record<string, readonly string[]>>> {
  return withDatabase(path, async (connection) => {
    const found: Record<string, readonly string[]> = {};
    for (const stream of streams) {
      const columns = columnsOf(defOf(stream));
      const list = columns.map((c) => `${textOf(c)} AS "${c.name}"`).join(", ");
      const reader = await connection.runAndReadAll(`SELECT ${list} FROM db.knowbe4.${stream}`);
      found[stream] = lines(reader.getRowObjects().map((row) => rowOf(row, columns)));
    }
    return found;
  });
}

/** Every table holds the account's rows, and nothing else. */
export async function expectTables(
  a: Account,
  path: string,
  streams: readonly StreamName[] = DEFAULTS,
): Promise<void> {
  const held = await tables(path, streams);
  for (const stream of streams) expect(held[stream], stream).toEqual(lines(truth(a, stream)));
}

/**
 * Every row of the account is in its table as it is now, and no key twice; rows that have gone at
 * the source may still be there.
 */
export async function expectHeld(a: Account, path: string): Promise<void> {
  const held = await tables(path);
  for (const stream of DEFAULTS) {
    const found = held[stream] ?? [];
    const keys = found.map((line) => keyOf(stream)(JSON.parse(line) as Row));
    expect(new Set(keys).size, `${stream} has a key twice`).toBe(keys.length);
    const wanted = new Set(lines(truth(a, stream)));
    expect(lines(truth(a, stream)), stream).toEqual(found.filter((line) => wanted.has(line)));
  }
}

/** Dates and times leave DuckDB as they are written in rows. */
function textOf({ name, type }: Column): string {
  if (type === "timestamp") {
    return `strftime("${name}" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`;
  }
  return type === "date" || type === "json" ? `"${name}"::VARCHAR` : `"${name}"`;
}

function rowOf(row: Readonly<Record<string, unknown>>, columns: readonly Column[]): Row {
  return Object.fromEntries(
    columns.map(({ name, type }): [string, Json] => {
      const value = row[name] as Json | bigint;
      if (typeof value === "bigint") return [name, Number(value)];
      return [name, type === "json" && typeof value === "string" ? parsed(value) : value];
    }),
  );
}

function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}
