import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { iso, type Clock } from "../../../src/core/clock.js";
import { clientsOf } from "../../../src/loaders/bigquery/client.js";
import { openBigQuery } from "../../../src/loaders/bigquery/index.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { folder, stream } from "../support.js";

/** Against a project of Google's itself, if there is one: everything in a dataset of its own. */

const ENV = ["PROJECT", "KEY_FILE"] as const;
const missing = ENV.filter((name) => process.env[`KB4_TEST_BIGQUERY_${name}`] === undefined);
const of = (name: (typeof ENV)[number]): string => process.env[`KB4_TEST_BIGQUERY_${name}`] ?? "";

const why =
  missing.length === 0 ? "" : ` (skipped: KB4_TEST_BIGQUERY_${missing[0] ?? ""} is not set)`;

/** A far server takes its time. */
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => sleep(ms),
  after: () => () => undefined,
};

const things = stream(
  "things",
  { id: "integer", name: "string", at: "timestamp", day: "date", size: "number", more: "json" },
  { partition: "at" },
);
const row = {
  id: 2n ** 60n,
  name: "a\\'\"b",
  at: "2026-01-02T03:04:05.678Z",
  day: "2026-01-02",
  size: 0.1,
  more: { a: [null] },
};

test.skipIf(missing.length > 0)(
  `a project takes rows, leaves the same ones alone, tells what it bills, and gives the state back${why}`,
  { timeout: 600_000 },
  async () => {
    const dataset = `kb4_test_${Date.now().toString(36)}`;
    const location = process.env["KB4_TEST_BIGQUERY_LOCATION"] ?? "EU";
    const place = { project: of("PROJECT"), key_file: of("KEY_FILE"), dataset, location };
    const settings = { ...place, create_dataset: true };
    const client = await clientsOf(settings)(location);
    onTestFinished(async () => {
      await client.dataset(dataset).delete({ force: true });
    });
    const spoolDir = join(await folder(), "spool");

    for (let run = 0; run < 2; run += 1) {
      await using loader = openBigQuery({
        ...{ settings, spoolDir, clock, pipeline: "knowbe4", strangers: [], mode: "merge" },
        random: Math.random,
        emit: () => undefined,
        toolVersion: "0.0.0-test",
      });
      expect(await loader.check()).toEqual([]);
      await loader.open(runInfo(), running());
      await loader.declare(things);
      const extractedAt = iso(clock.now());
      await loader.write(batch("things", [row], { checkpoint: checkpoint("things"), extractedAt }));
      await loader.end(ended("things"));
      await loader.flush();
      expect((await loader.readState()).bookmarks["things"]).toEqual(checkpoint("things").bookmark);
      const [estimate] = await loader.estimate([things]);
      expect(estimate?.compare).toBeGreaterThan(0);
      expect(estimate?.merge).toBeGreaterThan(estimate?.compare ?? 0);
    }

    const [kept] = await client.query({
      query: `SELECT CAST(id AS STRING) AS id, name, TO_JSON_STRING(more) AS more, size, CAST(day AS STRING) AS day,
        FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E3SZ', at, 'UTC') AS at FROM \`${dataset}\`.things`,
    });
    expect(kept).toEqual([{ ...row, id: String(row.id), more: '{"a":[null]}' }]);
    const [loads] = await client.query({
      query: `SELECT rows_written AS n FROM \`${dataset}\`._kb4_loads ORDER BY load_id`,
    });
    expect((loads as { n: number }[]).map(({ n }) => n)).toEqual([1, 0]);
    const answer: readonly unknown[] = await client.dataset(dataset).table("things").getMetadata();
    expect(answer[0]).toMatchObject({
      timePartitioning: { type: "MONTH", field: "at" },
      clustering: { fields: ["id"] },
    });
  },
);
