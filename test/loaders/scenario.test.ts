import { test, expect } from "vitest";

import { bigQueryDialect } from "../../src/loaders/bigquery/dialect.js";
import { duckDbDialect } from "../../src/loaders/duckdb/dialect.js";
import { snowflakeDialect } from "../../src/loaders/snowflake/dialect.js";
import { scenarioText, type Teller } from "./scenario.js";

/**
 * The same loads in every dialect. `test/peers/sql` reads these files: each is parsed by others'
 * parsers, and run in DuckDB, where all must leave the same tables.
 */

const bigquery = bigQueryDialect("test-project", "knowbe4");
const snowflake = snowflakeDialect("KNOWBE4", "KNOWBE4");
const TELLERS: readonly (readonly [string, Teller])[] = [
  ["duckdb", { dialect: duckDbDialect("knowbe4"), relation: (name) => name, nestedAsText: false }],
  [
    "bigquery",
    { dialect: bigquery, relation: (name) => bigquery.staging(name), nestedAsText: true },
  ],
  [
    "snowflake",
    { dialect: snowflake, relation: (name) => snowflake.staging(name), nestedAsText: false },
  ],
];

test.each(TELLERS)("%s says what its file says", async (name, teller) => {
  await expect(scenarioText(teller)).toMatchFileSnapshot(`../golden/loaders/scenario/${name}.sql`);
});
