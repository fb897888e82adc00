import { readdir } from "node:fs/promises";

import { describe, expect, test } from "vitest";

import type { Row } from "../../../src/core/record.js";
import type { BigQueryLoaderOptions } from "../../../src/loaders/bigquery/index.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { faultProxy, type FaultProxy, type Rule } from "../../support/fault-proxy.js";
import { failure, PEOPLE, stream } from "../support.js";
import { bigQueryDesk, ENDPOINT, PROJECT, SKIPPED, type BigQueryDesk } from "./support.js";

/** Whole loads into a server of others' making, through Google's client. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const NAMES = "SELECT id, name FROM {d}.people ORDER BY id";
const LOADS =
  "SELECT stream, mode, rows_staged, rows_written, rows_rejected FROM {d}._kb4_loads ORDER BY committed_at, stream";
const VERSION = "SELECT version FROM {d}._kb4_state WHERE stream = ''";

/** A desk whose loaders reach the server through a proxy. */
async function behindProxy(): Promise<BigQueryDesk & { readonly proxy: FaultProxy }> {
  const proxy = await faultProxy(ENDPOINT ?? "");
  return { ...(await bigQueryDesk(proxy.url)), proxy };
}

/** Jobs that were sent since: loads as `load`, statements as their first words. */
function jobsIn(proxy: FaultProxy, from: number): readonly string[] {
  return proxy.seen.slice(from).flatMap(({ line, body }) => {
    if (line.startsWith("POST /upload/")) return ["load"];
    if (!/^POST [^?]*\/jobs\?/.test(line)) return [];
    const query = /"query":"([^ "]+ ?[^ "\\]*)/.exec(body)?.[1] ?? "";
    return [query];
  });
}

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

describe.skipIf(ENDPOINT === undefined)(`BigQuery${SKIPPED}`, { timeout: 240_000 }, () => {
  test("merge leaves one row per key, and untouched what did not change", async () => {
    const { load, query, tables } = await bigQueryDesk();
    await load(PEOPLE, [ada, bob]);
    const rows = "SELECT id, name, _kb4_load_id AS load FROM {d}.people ORDER BY id";
    const [first] = await query(rows);

    await load(PEOPLE, [
      ada,
      { id: 2, name: "Robert" },
      { id: 3, name: "Cyd" },
      { id: 3, name: "C." },
    ]);

    const now = await query(rows);
    expect(now.map((row) => row["name"])).toEqual(["Ada", "Robert", "C."]);
    expect(now[0]).toEqual(first);
    expect(await tables()).toEqual(["_kb4_loads", "_kb4_rejects", "_kb4_state", "people"]);
    expect((await query(LOADS)).map((row) => row["rows_written"])).toEqual([2, 2]);
  });

  test("append keeps every version, replace only those of the last load", async () => {
    const appended = await bigQueryDesk();
    const replaced = await bigQueryDesk();
    for (const rows of [[ada, bob], [{ id: 1, name: "Ada L." }]]) {
      await appended.load(PEOPLE, rows, { mode: "append" });
      await replaced.load(PEOPLE, rows, { mode: "replace" });
    }

    expect(await appended.query(NAMES)).toHaveLength(3);
    expect(await replaced.query(NAMES)).toEqual([{ id: 1, name: "Ada L." }]);
  });

  test("a table costs at most four jobs when it is made, when it changes, and none when it does not", async () => {
    const { load, proxy } = await behindProxy();
    const costs: (readonly string[])[] = [];
    for (const rows of [[ada], [ada, bob], [bob, ada]]) {
      const from = proxy.seen.length;
      await load(PEOPLE, rows);
      costs.push(jobsIn(proxy, from));
    }

    // What a run asks before it reads: which tables there are (and makes its own), whose state.
    const opening = ["SELECT t.table_name", "SELECT DISTINCT", "SELECT stream,"];
    const [made, changed, same] = costs.map((jobs) =>
      jobs.slice(jobs.indexOf("SELECT stream,") + 1),
    );
    expect(costs[1]!.slice(0, 3)).toEqual(opening);
    expect(made).toEqual(["SELECT t.table_name", "CREATE TABLE", "load", "BEGIN TRANSACTION;"]);
    expect(changed).toEqual([
      "SELECT t.table_name",
      "load",
      "SELECT COUNT(*)",
      "BEGIN TRANSACTION;",
    ]);
    expect(same).toEqual(changed);
    const scripts = proxy.seen.filter(({ body }) => body.includes("BEGIN TRANSACTION"));
    expect(
      scripts.map(
        ({ body }) => body.includes("MERGE INTO `test-project`.`") && body.includes("`people`"),
      ),
    ).toEqual([true, true, false]);
  });

  test("columns are added and widened, and old values keep their look", async () => {
    const { load, query } = await bigQueryDesk();
    const odd = stream("odd", {
      id: "integer",
      a: "integer",
      b: "timestamp",
      c: "json",
      d: "date",
    });
    await load(odd, [
      { id: 1, a: 7, b: "2026-01-02T03:04:05.678Z", c: { k: 1 }, d: "2026-01-02" },
      { id: 2, a: 8, b: null, c: "text", d: null },
    ]);
    const wide = stream("odd", {
      id: "integer",
      a: "number",
      b: "string",
      c: "string",
      d: "string",
      e: "integer",
    });

    await load(wide, [{ id: 3, a: 0.5, b: "x", c: "y", d: "z", e: 9 }]);

    expect(
      await query("SELECT id, a, CONCAT('', b) AS b, c, d, e FROM {d}.odd ORDER BY id"),
    ).toMatchObject([
      { id: 1, a: 7, c: '{"k":1}', d: "2026-01-02", e: null },
      { id: 2, a: 8, b: null, c: "text", d: null, e: null },
      { id: 3, a: 0.5, b: "x", c: "y", d: "z", e: 9 },
    ]);
  });

  test("integers beyond 64 bits within JSON are rounded, as the page says", async () => {
    const { load, query } = await bigQueryDesk();

    await load(stream("odd", { id: "integer", v: "json" }), [
      { id: 2n ** 63n - 1n, v: [2n ** 53n + 1n] },
    ]);

    expect(await query("SELECT id, v FROM {d}.odd")).toEqual([
      { id: 2n ** 63n - 1n, v: [2n ** 53n + 1n] },
    ]);
  });

  describe("a fault of the network or of BigQuery", () => {
    const upload = { method: "POST", path: /^\/upload\// } as const;
    const script = { method: "POST", path: /\/jobs\?/, body: /BEGIN TRANSACTION/ } as const;
    const busy = { do: "refuse", status: 503, reason: "backendError" } as const;

    test.each<[string, Rule]>([
      ["the answer to an upload is lost", { ...upload, do: "lose" }],
      ["an upload breaks off", { ...upload, do: "drop" }],
      [
        "uploads are too many",
        { ...upload, do: "refuse", status: 403, reason: "rateLimitExceeded" },
      ],
      ["an upload is refused by a busy server", { ...upload, ...busy, times: 2 }],
      ["the answer to the commit is lost", { ...script, do: "lose" }],
      ["the commit never arrives", { ...script, do: "drop" }],
      ["the commit is refused by a busy server", { ...script, ...busy }],
    ])("%s: every row once", async (_, rule) => {
      const { load, query, proxy } = await behindProxy();
      await load(PEOPLE, [ada], { mode: "append" });
      proxy.rule(rule);

      await load(PEOPLE, [bob], { mode: "append" });

      expect(await query(NAMES)).toEqual([ada, bob]);
      expect(await query(VERSION)).toEqual([{ version: 2 }]);
    });

    test("a quota that is spent: one line, the tables as before, and the next run goes on", async () => {
      const { load, loader, query, proxy, spool } = await behindProxy();
      await load(PEOPLE, [ada]);
      const message = "Quota exceeded: Your table exceeded quota for imports per table";
      proxy.rule({ ...upload, do: "refuse", status: 403, reason: "quotaExceeded", message });

      const error = await failure(load(PEOPLE, [bob]));

      expect(error.message).toMatch(
        /staging rows of people failed: a quota of the project is spent$/,
      );
      expect(error.kind).toBe("destination");
      expect(await query(NAMES)).toEqual([ada]);
      await loader().prepare();
      expect(await query(NAMES)).toEqual([ada, bob]);
      const below = (await readdir(spool))[0]!;
      expect(
        (await readdir(`${spool}/${below}`)).filter((name) => /^[0-9a-z]{19}$/.test(name)),
      ).toEqual([]);
    });

    test("fewer rows than were sent: nothing is committed", async () => {
      const { load, query, proxy } = await behindProxy();
      await load(PEOPLE, [ada]);
      proxy.rule({
        method: "GET",
        path: /\/jobs\/kb4_[0-9a-z]{19}_1_a1/,
        times: 99,
        do: "change",
        into: (job) => ({
          ...job,
          statistics: { ...job["statistics"], load: { outputRows: "0" } },
        }),
      });

      const error = await failure(load(PEOPLE, [bob]));

      expect(error.message).toBe("people: 0 of 1 spooled rows arrived");
      expect(await query(NAMES)).toEqual([ada]);
    });
  });

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

  test("a run that was overtaken commits nothing", async () => {
    const { loader, load, query, spool } = await bigQueryDesk();
    await load(PEOPLE, [ada]);
    const slow = loader({ spoolDir: `${spool}.other` });
    await slow.open(runInfo(), running());
    await slow.declare(PEOPLE);
    await slow.write(
      batch("people", [{ id: 9, name: "late" }], { checkpoint: checkpoint("people") }),
    );
    await load(PEOPLE, [bob]);

    const error = await failure(slow.flush());

    expect(error.kind).toBe("locked");
    expect(await query(NAMES)).toEqual([ada, bob]);
  });

  test("rejected rows stand in _kb4_rejects with their load", async () => {
    const { loader, query } = await bigQueryDesk();
    const made = loader();
    await made.open(runInfo(), running());
    await made.declare(PEOPLE);
    const raw: Row = { name: "'; \u2028", list: [1] };
    const rejects = [{ reason: "id is missing", raw }];
    await made.write(batch("people", [ada], { rejects, checkpoint: checkpoint("people") }));
    await made.end(ended("people"));

    await made.flush();

    expect(await query("SELECT stream, reason, raw FROM {d}._kb4_rejects")).toEqual([
      { stream: "people", reason: "id is missing", raw },
    ]);
    expect(await query(LOADS)).toMatchObject([
      { rows_staged: 1, rows_written: 1, rows_rejected: 1 },
    ]);
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
