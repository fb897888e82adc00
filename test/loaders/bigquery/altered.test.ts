import { describe, expect, test } from "vitest";

import type { BigQueryLoaderOptions } from "../../../src/loaders/bigquery/index.js";
import { batch, checkpoint, runInfo, running } from "../../protocols/singer/support.js";
import { failure, PEOPLE, stream } from "../support.js";
import { behindProxy, bigQueryDesk, ENDPOINT, PROJECT, SKIPPED } from "./support.js";

/** Tables that a person changed, and datasets that are not as the settings say. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const NAMES = "SELECT id, name FROM {d}.people ORDER BY id";
const VERSION = "SELECT version FROM {d}._kb4_state WHERE stream = ''";

const settings = (
  dataset: string,
  more: Partial<BigQueryLoaderOptions["settings"]> = {},
): Partial<BigQueryLoaderOptions> => ({
  settings: {
    project: PROJECT,
    dataset,
    create_dataset: true,
    api_endpoint: ENDPOINT,
    ...more,
  },
});

describe.skipIf(ENDPOINT === undefined)(`BigQuery, altered${SKIPPED}`, { timeout: 240_000 }, () => {
  describe("what a person did", () => {
    test.each([
      [
        "a view in a table's place",
        "people: a view stands where the table should be",
        [
          "CREATE TABLE {d}.old AS SELECT * FROM {d}.people",
          "DROP TABLE {d}.people",
          "CREATE VIEW {d}.people AS SELECT * FROM {d}.old",
        ],
      ],
      [
        "another type",
        "people.name: its type was changed to BYTES",
        ["ALTER TABLE {d}.people DROP COLUMN name", "ALTER TABLE {d}.people ADD COLUMN name BYTES"],
      ],
      [
        "a column of the loader's taken out",
        "people: the loader's column _kb4_row_hash is missing",
        ["ALTER TABLE {d}.people DROP COLUMN _kb4_row_hash"],
      ],
    ])("%s: one line, and other tables do not move", async (_, line, statements) => {
      const { load, query, client, dataset, loader } = await bigQueryDesk();
      const teams = stream("teams", { id: "integer", title: "string" });
      await load(PEOPLE, [ada]);
      await load(teams, [{ id: 1, title: "Red" }]);
      for (const sql of statements) await client.query({ query: sql.replaceAll("{d}", dataset) });
      const made = loader();
      await made.open(runInfo(), running());
      for (const declared of [PEOPLE, teams]) await made.declare(declared);
      await made.write(
        batch("teams", [{ id: 2, title: "Blue" }], { checkpoint: checkpoint("teams") }),
      );
      await made.write(batch("people", [bob], { checkpoint: checkpoint("people") }));

      const error = await failure(made.flush());

      expect(error.message).toBe(line);
      expect(error.kind).toBe("destination");
      expect(await query("SELECT title FROM {d}.teams")).toEqual([{ title: "Red" }]);
      expect(await query(VERSION)).toEqual([{ version: 2 }]);
    });

    test("a column that was dropped comes back", async () => {
      const { load, query, client, dataset } = await bigQueryDesk();
      await load(PEOPLE, [ada]);
      await client.query({ query: `ALTER TABLE ${dataset}.people DROP COLUMN name` });

      await load(PEOPLE, [ada, bob]);

      expect(await query(NAMES)).toEqual([ada, bob]);
    });
  });

  describe("check", () => {
    test("makes nothing, and says that all is well", async () => {
      const { loader, tables, load } = await bigQueryDesk();
      expect(await loader().check()).toEqual([]);
      await expect(tables()).rejects.toThrow(/not found/i);

      await load(PEOPLE, [ada]);

      expect(await loader().check()).toEqual([]);
    });

    test("says how to make a dataset that may not be made", async () => {
      const { loader, dataset } = await bigQueryDesk();
      const options = settings(dataset, { create_dataset: false, location: "EU" });

      const missing = await loader(options).check();
      const error = await failure(loader(options).prepare());

      const command = `bq mk --dataset --location=EU ${PROJECT}:${dataset}`;
      expect(missing).toEqual([
        {
          what: "the dataset does not exist",
          fix: `${command}, or set destination.create_dataset`,
        },
      ]);
      expect(error.hint).toContain(command);
    });

    test("says every role that is missing at once", async () => {
      const { loader, load, proxy } = await behindProxy();
      await load(PEOPLE, [ada]);
      const refusal = {
        method: "POST",
        path: /\/jobs\?/,
        do: "refuse",
        status: 403,
        reason: "accessDenied",
      } as const;
      proxy.rule({
        ...refusal,
        body: /SELECT 1/,
        message: "User does not have bigquery.jobs.create permission in project test-project.",
      });
      proxy.rule({
        ...refusal,
        body: /CREATE TABLE/,
        message: "Permission bigquery.tables.create denied on dataset x",
      });

      const missing = await loader().check();

      expect(missing.map(({ what }) => what)).toEqual([
        "running statements is not allowed: bigquery.jobs.create",
        "making tables is not allowed: bigquery.tables.create",
      ]);
      expect(missing.map(({ fix }) => fix.split(" on ")[0])).toEqual([
        "give roles/bigquery.jobUser",
        "give roles/bigquery.dataEditor",
      ]);
    });
  });

  test("a dataset in another location: one line that says where it is", async () => {
    const { loader, load, dataset } = await bigQueryDesk();
    await load(PEOPLE, [ada]);

    const error = await failure(loader(settings(dataset, { location: "asia-east1" })).prepare());

    expect(error.message).toMatch(/: the dataset is in \w+, not in asia-east1$/);
    expect(error.hint).toMatch(/^set destination.location to \w+, or leave it out$/);
  });

  test("a project that is not there: one line", async () => {
    const { loader, dataset, proxy } = await behindProxy();
    const message = "Not found: Project no-such-project";
    proxy.rule({
      method: "GET",
      path: /\/datasets\//,
      do: "refuse",
      status: 404,
      reason: "notFound",
      message,
    });

    const error = await failure(loader().prepare());

    expect(error.message).toBe(
      `destination ${PROJECT}.${dataset}: looking for the dataset failed: project no-such-project does not exist`,
    );
  });
});
