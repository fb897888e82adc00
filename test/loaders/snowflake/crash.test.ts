import { setTimeout as pause } from "node:timers/promises";

import { expect, test } from "vitest";

import type { Trouble } from "../../support/snowflake/faults.js";
import { child, type Child } from "../children.js";
import { desk, type Desk } from "./support.js";

/**
 * The process is killed with SIGKILL where it hurts. Numbers are appended in commits of three, from
 * where the state stands: a number that is missing was lost, one that is there twice was not fenced off.
 * The server is in this process and stays.
 */

const TOKEN = "token-of-a-test";
const USERS = [{ name: "SERVICE", token: TOKEN, roles: ["LOADER_ROLE"] }];

/** Kills in each test of random moments; more of them with KILLS=200. */
const KILLS = Number(process.env["KILLS"] ?? 5);

/** Where a run is when it is killed, by the request that it waits for. */
const POINTS: readonly (readonly [string, RegExp, Trouble["kind"]])[] = [
  ["sealed", /login-request/, "hang"],
  ["making the staging table", /TEMPORARY TABLE/, "hang-after"],
  ["staging", / PUT /, "hang-after"],
  ["staged", / COPY /, "hang-after"],
  ["in the transaction, before the fence", / UPDATE .*_KB4_STATE/, "hang"],
  ["in the transaction, after the fence", / UPDATE .*_KB4_STATE/, "hang-after"],
  ["in the transaction, with the rows", / INSERT INTO .*"NUMBERS"/, "hang-after"],
  ["in the transaction, with all of it", / INSERT INTO .*_KB4_LOADS/, "hang-after"],
  ["before the commit", / COMMIT$/, "hang"],
  ["committed and not told", / COMMIT$/, "hang-after"],
];

test.for(POINTS)(
  "killed %s: rows and state agree, and nothing is missing or twice",
  { timeout: 60_000 },
  async ([, match, kind]) => {
    const at = await desk({ users: USERS });
    const counting = count(at);
    await counting.next();
    at.standin.forget();
    at.standin.fault({ match, trouble: { kind } as Trouble, times: 1 });
    while (!at.standin.requests.some((request) => match.test(request))) await pause(5);
    // What was asked for is done by the server, whoever waits for it.
    if (kind === "hang-after") await pause(150);
    await counting.kill();

    await expectWhole(at, counting);
    const again = count(at);
    await again.next();
    await again.kill();
    await expectWhole(at, again);
    await expectConverged(at);
  },
);

test("killed at any moment, again and again", { timeout: 60_000 + KILLS * 15_000 }, async () => {
  const at = await desk({ users: USERS });

  for (let kill = 0; kill < KILLS; kill += 1) {
    const counting = count(at);
    await counting.next();
    await pause(Math.random() * 400);
    await counting.kill();
    await expectWhole(at, counting);
  }

  await expectConverged(at);
});

function count(at: Desk): Child {
  return child(["count", `snowflake:${at.standin.url}#${at.spool}`]);
}

/** Nothing is missing, nothing is twice, the state says so, and what was told is there. */
async function expectWhole(at: Desk, { said }: Pick<Child, "said">): Promise<void> {
  const numbers = (await at.rows("numbers"))
    .map((row) => Number(row["n"]))
    .toSorted((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  const state = await at.rows("_kb4_state");
  const bookmark = state.find((row) => row["stream"] === "numbers")?.["state"];
  expect(bookmark).toMatchObject({ cursor: new Date(numbers.length * 1000).toISOString() });
  expect(numbers.length).toBeGreaterThanOrEqual(Math.max(0, ...said.map(Number)));
}

/** The next run commits what was sealed, and nothing waits any more. */
async function expectConverged(at: Desk): Promise<void> {
  const before = (await at.rows("numbers")).length;
  const waiting = await at.waiting();
  await at
    .loader({
      mode: "append",
      user: "service",
      credentials: { way: "token", token: TOKEN, type: "programmatic" },
    })
    .prepare();
  await expectWhole(at, { said: [before] });
  expect(await at.waiting()).toEqual([]);
  const loads = await at.rows("_kb4_loads");
  expect(loads.reduce((sum, load) => sum + Number(load["rows_written"]), 0)).toBe(
    (await at.rows("numbers")).length,
  );
  expect(waiting.length).toBeLessThanOrEqual(2);
}
