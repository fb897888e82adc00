import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { iso } from "../../../src/core/clock.js";
import { openSnowflake } from "../../../src/loaders/snowflake/index.js";
import { snowflakeWarehouse } from "../../../src/loaders/snowflake/warehouse.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { fakeClock } from "../../support/clock.js";
import { folder, stream } from "../support.js";

/** Against an account of Snowflake itself, if there is one: everything in a schema of its own. */

const ENV = ["ACCOUNT", "USER", "KEY_FILE", "ROLE", "WAREHOUSE", "DATABASE"] as const;
const missing = ENV.filter((name) => process.env[`KB4_TEST_SNOWFLAKE_${name}`] === undefined);
const of = (name: (typeof ENV)[number]): string => process.env[`KB4_TEST_SNOWFLAKE_${name}`] ?? "";

const why =
  missing.length === 0 ? "" : ` (skipped: KB4_TEST_SNOWFLAKE_${missing[0] ?? ""} is not set)`;

test.skipIf(missing.length > 0)(
  `an account takes rows, leaves the same ones alone, and gives the state back${why}`,
  { timeout: 300_000 },
  async () => {
    const clock = fakeClock(Date.now());
    const options = {
      account: of("ACCOUNT"),
      user: of("USER"),
      role: of("ROLE"),
      warehouse: of("WAREHOUSE"),
      database: of("DATABASE"),
      schema: `KB4_TEST_${Date.now().toString(36).toUpperCase()}`,
      credentials: { way: "key", privateKey: readFileSync(of("KEY_FILE"), "utf8") },
      statementSeconds: 120,
    } as const;
    const warehouse = snowflakeWarehouse(options, { clock, warn: () => undefined });
    const ask = async (sql: string) => {
      await using session = await warehouse.open("write");
      return await session.query("looking", sql);
    };
    const place = `"${options.database.toUpperCase()}"."${options.schema}"`;
    onTestFinished(async () => {
      await ask(`DROP SCHEMA IF EXISTS ${place}`);
    });
    const spoolDir = join(await folder(), "spool");
    const things = stream("things", {
      id: "integer",
      name: "string",
      at: "timestamp",
      more: "json",
    });
    const row = {
      id: 2n ** 60n,
      name: "a\\'\"b",
      at: "2026-01-02T03:04:05.678Z",
      more: { a: [null] },
    };

    for (let run = 0; run < 2; run += 1) {
      clock.advance(60_000);
      await using loader = openSnowflake({
        ...options,
        ...{ spoolDir, clock, pipeline: "knowbe4", strangers: [], mode: "merge" },
        random: Math.random,
        emit: () => undefined,
        toolVersion: "0.0.0-test",
      });
      await loader.open(runInfo(), running());
      await loader.declare(things);
      const extractedAt = iso(clock.now());
      await loader.write(batch("things", [row], { checkpoint: checkpoint("things"), extractedAt }));
      await loader.end(ended("things"));
      await loader.flush();
      expect((await loader.readState()).bookmarks["things"]).toEqual(checkpoint("things").bookmark);
    }

    const [kept] = await ask(
      `SELECT TO_VARCHAR("ID") AS "id", "NAME" AS "name", TO_JSON("MORE") AS "more" FROM ${place}."THINGS"`,
    );
    expect(kept).toEqual({ id: String(2n ** 60n), name: row.name, more: '{"a":[null]}' });
    const loads = await ask(
      `SELECT "ROWS_WRITTEN" AS "n" FROM ${place}."_KB4_LOADS" ORDER BY "LOAD_ID"`,
    );
    expect(loads.map(({ n }) => Number(n))).toEqual([1, 0]);
  },
);
