import { setTimeout as pause } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { RECOVERY } from "../../../src/core/errors.js";
import { batch, checkpoint } from "../../protocols/singer/support.js";
import type { Trouble } from "../../support/snowflake/faults.js";
import { failure, PEOPLE, stream } from "../support.js";
import { desk, type Desk } from "./support.js";

/** What goes wrong between us and Snowflake, or there. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };

const patience = { timeout: 60_000 };

const said = (code: string, sqlState: string, message: string): Trouble => ({
  kind: "error",
  code,
  sqlState,
  message,
});

const everything = async ({ rows }: Desk) => ({
  people: await rows("people"),
  state: await rows("_kb4_state"),
  loads: await rows("_kb4_loads"),
});

describe("gets through", () => {
  test.for([
    ["503", { kind: "http", status: 503 }],
    ["429", { kind: "http", status: 429 }],
    ["a connection that breaks before the statement ran", { kind: "reset-before" }],
    ["a connection that breaks after it ran", { kind: "reset-after" }],
    ["an answer that is cut in half", { kind: "cut" }],
    ["a session token that has expired", said("390112", "08001", "Session token expired")],
  ] as const)("%s, at any statement of the transaction", patience, async ([, trouble]) => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    for (const match of [/ MERGE INTO .*"PEOPLE"/, / COMMIT$/]) {
      at.standin.fault({ match, trouble, times: 1 });
    }

    await at.load(PEOPLE, [ada, bob]);

    expect(await at.rows("people")).toMatchObject([ada, bob]);
    expect(await at.rows("_kb4_loads")).toHaveLength(2);
    // It was asked for once more, and done once.
    expect(at.standin.requests.filter((r) => r.endsWith(" COMMIT"))).toHaveLength(3);
    const runs = at.standin.statements.filter(({ sql }) => sql === "COMMIT");
    expect(runs).toHaveLength(2);
  });

  test("a commit whose answer never comes, by asking", patience, async () => {
    const at = await desk();
    const loader = await at.opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    at.standin.forget();
    at.standin.fault({ match: / COMMIT$/, trouble: { kind: "reset-after" } });
    at.standin.fault({ match: /^\/session $/, trouble: { kind: "hang" }, times: 1 });
    const asked = (what: RegExp) => until(() => at.standin.requests.some((r) => what.test(r)));

    const flushing = loader.flush();
    await asked(/ COMMIT$/);
    at.clock.fireTimers();
    await asked(/^\/session $/);
    at.clock.fireTimers();

    expect(await flushing).toHaveLength(1);
    expect(await at.rows("people")).toMatchObject([ada]);
    expect(await at.rows("_kb4_loads")).toHaveLength(1);
  });
});

test("commits in the next run what was refused in this one", async () => {
  const at = await desk();
  at.standin.fault({
    match: / MERGE INTO .*"PEOPLE"/,
    trouble: said("000604", "57014", "canceled"),
  });
  await failure(at.load(PEOPLE, [ada]));
  at.standin.heal();
  expect(await at.waiting()).toHaveLength(1);

  await at.loader().prepare();

  expect(await at.rows("people")).toMatchObject([ada]);
  expect(await at.waiting()).toEqual([]);
});

describe("leaves every table as it was and says in one line", () => {
  const CASES: readonly (readonly [string, RegExp, Trouble, RegExp, RegExp])[] = [
    [
      "that the session is over for good",
      / COMMIT$/,
      said("390111", "08001", "Session no longer exists."),
      /committing failed: the session ended$/,
      /next run commits/,
    ],
    [
      "that files cannot be put",
      / PUT /,
      { kind: "no-upload" },
      /uploading a file failed: Snowflake says ENOTDIR$/,
      /wait in the spool/,
    ],
    [
      "that a stage is gone",
      / PUT /,
      said(
        "002003",
        "42S02",
        "SQL compilation error:\nStage 'X' does not exist or not authorized.",
      ),
      /uploading a file failed: something is missing or not permitted: Stage 'X' does not exist or not authorized$/,
      /knowbe4 check/,
    ],
    [
      "that a privilege is missing",
      / COPY /,
      said(
        "003001",
        "42501",
        "SQL access control error:\nInsufficient privileges to operate on table 'X'.",
      ),
      /reading the spooled rows of people failed: not permitted: Insufficient privileges to operate on table 'X'$/,
      /knowbe4 check/,
    ],
    [
      "that the warehouse cannot be resumed",
      / MERGE INTO .*"PEOPLE"/,
      said(
        "090073",
        "22000",
        "Warehouse 'WH' cannot be resumed because resource monitor 'M' has exceeded its quota.",
      ),
      /merging into people failed: the warehouse is suspended and cannot be resumed$/,
      /resource monitor/,
    ],
    [
      "that somebody holds a table",
      / UPDATE .*_KB4_STATE/,
      said("000625", "57014", "Statement 'x' has locked table 'y'"),
      /moving the state failed: another transaction holds the table$/,
      /next run commits/,
    ],
    [
      "that a row is too large",
      / COPY /,
      said(
        "100069",
        "22P02",
        "Error parsing JSON: document is too large, max size 16777216 bytes: Ada",
      ),
      /reading the spooled rows of people failed: a row or a text is larger than Snowflake takes$/,
      /leave the column out/,
    ],
    [
      "that a value does not fit",
      / COPY /,
      said("100038", "22018", "Numeric value 'Ada' is not recognized"),
      /reading the spooled rows of people failed: a value does not fit its column$/,
      /nothing of this load/,
    ],
    [
      "what it does not know, by its number",
      / MERGE INTO .*"PEOPLE"/,
      said("001003", "42000", "SQL compilation error:\nsyntax error near 'Ada'"),
      /merging into people failed: Snowflake says 001003$/,
      /next run commits/,
    ],
  ];

  test.for(CASES)("%s", patience, async ([, match, trouble, message, hint]) => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    const before = await everything(at);
    at.standin.fault({ match, trouble });

    const error = await failure(at.load(PEOPLE, [ada, bob]));

    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^destination snowflake test KB4\.KNOWBE4: /);
    expect(error.message).not.toMatch(/Ada|\n/);
    expect(error.hint).toMatch(hint);
    expect(RECOVERY[error.kind].exitCode).toBe(7);
    expect(await everything(at)).toEqual(before);
    expect(await at.waiting()).toHaveLength(1);
  });

  test("that a statement does not end, and cancels it", patience, async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    const before = await everything(at);
    at.standin.fault({ match: / MERGE INTO .*"PEOPLE"/, trouble: { kind: "endless" } });

    const loading = failure(at.load(PEOPLE, [ada, bob]));
    await until(() => at.standin.requests.some((r) => r.endsWith("/result ")));
    at.clock.fireTimers();
    const error = await loading;

    expect(error.message).toMatch(/merging into people failed: no answer within 930 s$/);
    expect(error.hint).toContain("destination.statement_timeout");
    expect(await everything(at)).toEqual(before);
    expect(at.standin.requests.some((r) => r.includes("abort-request"))).toBe(true);
  });

  test("that a row is larger than Snowflake takes, of itself", patience, async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    const before = await everything(at);

    const error = await failure(at.load(PEOPLE, [{ id: 2, name: "x".repeat(17 * 1024 * 1024) }]));

    expect(error.message).toMatch(/people failed: a row or a text is larger than Snowflake takes$/);
    expect(await everything(at)).toEqual(before);
  });
});

test("says which value does not fit by its table only", async () => {
  const at = await desk();

  const error = await failure(at.load(stream("people", { id: "integer" }), [{ id: "Ada" }]));

  expect(error.message).toMatch(/rows of people failed: a value does not fit its column$/);
  expect(JSON.stringify([error.message, error.hint, error.context])).not.toContain("Ada");
});

test("ends the transaction of a run that died, so that the next one gets through", async () => {
  const at = await desk();
  await at.load(PEOPLE, [ada]);
  const { engine } = at.standin;
  const who = {
    user: "LOADER",
    role: "LOADER_ROLE",
    warehouse: "WH",
    database: null,
    schema: null,
  };
  const dead = await engine.login(who);
  await engine.execute(dead, "BEGIN TRANSACTION");
  await engine.execute(dead, 'UPDATE "KB4"."KNOWBE4"."_KB4_STATE" SET "VERSION" = 99');

  await at.load(PEOPLE, [bob]);

  expect(await at.rows("people")).toMatchObject([ada, bob]);
});

test("uploads a large file in several pieces at once and counts all of it", async () => {
  const at = await desk();
  const loader = await at.opened({ cutting: { partBytes: 4_000, parallel: 3 } });
  await loader.declare(PEOPLE);
  const many = Array.from({ length: 200 }, (_, i) => ({ id: i, name: "é🦊".repeat(i % 40) }));

  await loader.write(batch("people", many, { checkpoint: checkpoint("people") }));
  await loader.flush();

  const puts = at.standin.statements.filter(({ sql }) => sql.startsWith("PUT"));
  expect(puts.length).toBeGreaterThan(5);
  const rows = await at.rows("people");
  expect(
    rows.map(({ id, name }) => ({ id, name })).toSorted((a, b) => Number(a.id) - Number(b.id)),
  ).toEqual(many);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}
