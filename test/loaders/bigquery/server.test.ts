import { readdir } from "node:fs/promises";

import { describe, expect, test } from "vitest";

import type { Row } from "../../../src/core/record.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import type { FaultProxy, Rule } from "../../support/fault-proxy.js";
import { failure, PEOPLE, stream } from "../support.js";
import { behindProxy, bigQueryDesk, ENDPOINT, SKIPPED } from "./support.js";

/** Whole loads into a server of others' making, through Google's client. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const NAMES = "SELECT id, name FROM {d}.people ORDER BY id";
const LOADS =
  "SELECT stream, mode, rows_staged, rows_written, rows_rejected FROM {d}._kb4_loads ORDER BY committed_at, stream";
const VERSION = "SELECT version FROM {d}._kb4_state WHERE stream = ''";

/** Jobs that were sent since: loads as `load`, statements as their first words. */
function jobsIn(proxy: FaultProxy, from: number): readonly string[] {
  return proxy.seen.slice(from).flatMap(({ line, body }) => {
    if (line.startsWith("POST /upload/")) return ["load"];
    if (!/^POST [^?]*\/jobs\?/.test(line)) return [];
    const query = /"query":"([^ "]+ ?[^ "\\]*)/.exec(body)?.[1] ?? "";
    return [query];
  });
}

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

  test("a long table is partitioned by month, and a row whose month was corrected stays one", async () => {
    const { load, query, client, dataset } = await bigQueryDesk();
    const declared = stream(
      "tests",
      { id: "integer", at: "timestamp" },
      { whole: false, partition: "at" },
    );
    await load(declared, [
      { id: 1, at: "2026-01-31T23:59:59.000Z" },
      { id: 2, at: null },
    ]);

    await load(declared, [
      { id: 1, at: "2026-03-01T00:00:00.000Z" },
      { id: 2, at: null },
    ]);

    expect(await query("SELECT id, at FROM {d}.tests ORDER BY id")).toEqual([
      { id: 1, at: "2026-03-01T00:00:00.000Z" },
      { id: 2, at: null },
    ]);
    const answer: readonly unknown[] = await client.dataset(dataset).table("tests").getMetadata();
    expect(answer[0]).toMatchObject({
      timePartitioning: { type: "MONTH", field: "at" },
      clustering: { fields: ["id"] },
    });
  });

  test("a row that does not come any more is marked, and taken back when it does", async () => {
    const { loader, query } = await bigQueryDesk();
    const run = async (day: number, rows: readonly Row[]) => {
      await using made = loader({ maxVanishedRatio: 1 });
      const startedAt = `2026-06-0${String(day)}T00:00:00.000Z`;
      await made.open({ ...runInfo(), startedAt }, running());
      await made.declare(PEOPLE);
      const told = { checkpoint: checkpoint("people", day), scopes: [{ kind: "whole" }] } as const;
      await made.write(batch("people", rows, told));
      await made.end(ended("people"));
      await made.flush();
      return await query("SELECT id, _kb4_deleted_at AS gone FROM {d}.people ORDER BY id");
    };

    const [first, second, third] = [
      await run(1, [ada, bob]),
      await run(2, [ada]),
      await run(3, [ada, bob]),
    ];

    expect(first.map((row) => row["gone"])).toEqual([null, null]);
    expect(second.map((row) => row["gone"])).toEqual([null, "2026-06-02T00:00:00.000Z"]);
    expect(third.map((row) => row["gone"])).toEqual([null, null]);
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

    // What a run asks before it reads: which tables there are (and makes its own), whose state, and how
    // tables grew.
    const opening = ["SELECT t.table_name", "SELECT DISTINCT", "SELECT stream,", "SELECT stream"];
    const [made, changed, same] = costs.map((jobs) =>
      jobs.slice(jobs.indexOf("SELECT stream") + 1),
    );
    expect(costs[1]!.slice(0, 4)).toEqual(opening);
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

  test("integers of 64 bits stay exact, within JSON too", async () => {
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
        into: (job) => ({ ...job, statistics: { load: { outputRows: "0" } } }),
      });

      const error = await failure(load(PEOPLE, [bob]));

      expect(error.message).toBe("people: 0 of 1 spooled rows arrived");
      expect(await query(NAMES)).toEqual([ada]);
    });
  });

  test.each([
    ["a first run", []],
    ["a run", [ada]],
  ])("%s that was overtaken commits nothing", async (_, earlier) => {
    const { loader, load, query, spool } = await bigQueryDesk();
    if (earlier.length > 0) await load(PEOPLE, earlier);
    const slow = loader({ spoolDir: `${spool}.other` });
    await slow.open(runInfo(), running());
    await slow.declare(PEOPLE);
    await slow.write(
      batch("people", [{ id: 9, name: "late" }], { checkpoint: checkpoint("people") }),
    );
    await load(PEOPLE, [bob]);

    const error = await failure(slow.flush());

    expect(error.kind).toBe("locked");
    expect(await query(NAMES)).toEqual([...earlier, bob]);
  });

  test("a commit that breaks off at its last statement leaves all as it was, and the next run does it", async () => {
    const { client, dataset, loader, load, query } = await bigQueryDesk();
    await load(PEOPLE, [ada]);
    const everything = async () => [
      await query(NAMES),
      await query(LOADS),
      await query("SELECT stream, version, load_id FROM {d}._kb4_state ORDER BY stream"),
    ];
    const before = await everything();
    const made = loader();
    await made.open(runInfo(), running());
    await made.declare(PEOPLE);
    await made.write(batch("people", [bob], { checkpoint: checkpoint("people") }));
    const ledger = `ALTER TABLE ${dataset}._kb4_loads`;
    await client.query(`${ledger} RENAME COLUMN tool_version TO tool`);

    const error = await failure(made.flush());
    await made[Symbol.asyncDispose]();
    await client.query(`${ledger} RENAME COLUMN tool TO tool_version`);
    const after = await everything();
    await loader().prepare();

    expect(error.kind).toBe("destination");
    expect(after).toEqual(before);
    expect(await query(NAMES)).toEqual([ada, bob]);
    expect(await query(VERSION)).toEqual([{ version: 2 }]);
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
});
