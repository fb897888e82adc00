import { setTimeout as pause } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import type { Rule } from "../../support/fault-proxy.js";
import { child, type Child } from "../children.js";
import { counted, killsOf } from "../kills.js";
import { behindProxy, ENDPOINT, SKIPPED, type BigQueryDesk } from "./support.js";

/**
 * The process is killed with SIGKILL where it hurts, again and again; the server goes on with what it
 * was asked for. Numbers are appended in commits of three, from where the state stands: one that is
 * missing was lost, one that is there twice was not fenced off. Each process begins with what the killed
 * one before has left.
 */

/** Where a run is when it is killed, by the request that it waits for. */
const POINTS: readonly (readonly [string, Rule | null])[] = [
  ["spooling", null],
  ["sealed", { method: "POST", path: /\/jobs/, body: /INFORMATION_SCHEMA/, do: "hang" }],
  ["making the staging table", { method: "POST", path: /\/tables/, do: "hang-after" }],
  ["before the rows arrive", { method: "POST", path: /^\/upload\//, do: "hang" }],
  ["staging", { method: "POST", path: /^\/upload\//, do: "hang-after" }],
  ["staged", { method: "POST", path: /\/jobs/, body: /BEGIN TRANSACTION/, do: "hang" }],
  ["committing", { method: "POST", path: /\/jobs/, body: /BEGIN TRANSACTION/, do: "hang-after" }],
  ["committed and not told", { method: "GET", path: /\/jobs\/kb4_\w+_commit_a/, do: "hang" }],
];

const { atEach, anywhere } = killsOf("bigquery", POINTS.length);
const patience = { timeout: 300_000 + 60_000 * Math.max(atEach * POINTS.length, anywhere) };

type Desk = Awaited<ReturnType<typeof behindProxy>>;

describe.skipIf(ENDPOINT === undefined)(`BigQuery, killed${SKIPPED}`, () => {
  // In one dataset after another it would take the server much longer.
  test(
    `where it hurts (${String(atEach)} times each): the next runs leave what an unkilled one leaves`,
    patience,
    async () => {
      const at = await behindProxy();

      for (let kill = 0; kill < atEach * POINTS.length; kill += 1) {
        const [name, rule] = POINTS[kill % POINTS.length]!;
        const counting = count(at, rule === null ? "spooling#1" : "");
        await counting.next();
        await (rule === null ? spooling(counting) : reached(at, rule));
        if (name === "committed and not told") await ended(at);
        await counting.kill();
        await expectWhole(at, counting, name);
      }

      await expectConverged(at);
    },
  );

  test(`at any moment (${String(anywhere)} times): the same`, patience, async () => {
    const at = await behindProxy();

    for (let kill = 0; kill < anywhere; kill += 1) {
      const counting = count(at);
      await counting.next();
      await pause(Math.random() * 2_000);
      await counting.kill();
      await expectWhole(at, counting, "anywhere");
    }

    await expectConverged(at);
  });
});

function count(at: Desk, how = ""): Child {
  return child(["count", `${at.proxy.url}#${at.dataset}#${at.spool}`, "append", how]);
}

async function spooling(counting: Child): Promise<void> {
  while (!counting.said.includes("spooling")) await pause(5);
}

/** Waits until the process waits for the answer to such a request. */
async function reached({ proxy }: Desk, rule: Rule): Promise<void> {
  const before = proxy.hanging;
  proxy.rule({ ...rule, times: 1 });
  while (proxy.hanging === before) await pause(5);
}

/** Waits until the script that was sent last has ended; nobody has told the process. */
async function ended({ client, proxy }: Desk): Promise<void> {
  const { line = "" } = proxy.seen.findLast((each) => each.line.startsWith("GET")) ?? {};
  const [, id = ""] = /\/jobs\/(\w+)/.exec(line) ?? [];
  for (;;) {
    const answer: readonly unknown[] = await client.job(id).getMetadata();
    if ((answer[0] as { status: { state: string } }).status.state === "DONE") return;
    await pause(20);
  }
}

/** Rows and state stand at the same number at any moment, and what was told is there. */
async function expectWhole(
  { query }: BigQueryDesk,
  { said }: Pick<Child, "said">,
  point: string,
): Promise<void> {
  const told = said.filter((each) => typeof each === "number");
  const [left] = await query(
    `SELECT COUNT(*) AS n, COUNT(DISTINCT n) AS apart, MAX(n) AS last, (
      SELECT UNIX_SECONDS(TIMESTAMP(JSON_VALUE(state, '$.cursor'))) FROM {d}._kb4_state WHERE stream = 'numbers'
    ) AS state FROM {d}.numbers`,
  );
  const last = Number(left?.["last"]);
  expect({ point, ...left }).toEqual({ point, n: last, apart: last, last, state: last });
  expect(last).toBeGreaterThanOrEqual(Math.max(...told));
}

/** The next run goes on; then the tables are those of a run that was not killed, and nothing waits. */
async function expectConverged(at: Desk): Promise<void> {
  const counting = count(at);
  const last = Number(await counting.next());
  await counting.kill();
  await at.loader({ mode: "append" }).prepare();

  const rows = await at.query("SELECT n, text FROM {d}.numbers ORDER BY n");
  expect(rows).toEqual(counted(rows.length));
  expect(rows.length).toBeGreaterThanOrEqual(last);
  await expectWhole(at, { said: [rows.length] }, "converged");
  const [ledger] = await at.query(
    "SELECT SUM(rows_written) AS n, COUNT(*) - COUNT(DISTINCT load_id) AS twice FROM {d}._kb4_loads",
  );
  expect(ledger).toEqual({ n: rows.length, twice: 0 });
}
