import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import {
  errorsOf,
  kept,
  logged,
  recordsOf as airbyteRecords,
} from "../protocols/airbyte/protocol.js";
import { CATALOG, file, source } from "./airbyte/support.js";
import {
  account,
  DEFAULTS,
  keyOf,
  lines,
  truth,
  type Account,
  type Row,
} from "./support/account.js";
import { lastState, messagesIn, recordsOf, type Message } from "./support/messages.js";
import { run } from "./support/program.js";

/** What a target or a destination is told of rows that are gone, from the server to the lines. */

const ON = { deleted_records: "guarded" };

async function tap(a: Account, settings: object, state?: unknown) {
  const path = join(a.cwd, "state.json");
  if (state !== undefined) writeFileSync(path, JSON.stringify(state));
  const args = ["--config", a.config(settings), ...(state === undefined ? [] : ["--state", path])];
  const { code, stdout, errors } = await run("tap-knowbe4", args, { cwd: a.cwd });
  return { code, messages: messagesIn(stdout), errors };
}

/** What a target that merges by key holds of rows that are there, without the mark. */
function there(stream: string, ...runs: readonly (readonly Message[])[]): readonly Row[] {
  const rows = runs.flatMap((messages) => recordsOf(messages, stream));
  const latest = new Map(rows.map((row) => [keyOf(stream)(row), row]));
  return [...latest.values()]
    .filter((row) => row["_sdc_deleted_at"] == null)
    .map(({ _sdc_deleted_at: _, ...row }) => row);
}

test("a Singer target that merges ends with the rows of the account, what has gone included", async () => {
  const a = await account({ users: 60 });
  const first = await tap(a, ON);
  const moved = a.simulator.account.moveUser();
  const deleted = a.simulator.account.deleteEnrollment();

  const second = await tap(
    a,
    { ...ON, reverify_days: 1, lookback_days: 3650 },
    lastState(first.messages),
  );

  expect([first.code, second.code]).toEqual([0, 0]);
  for (const stream of DEFAULTS) {
    const rows = there(stream, first.messages, second.messages);
    expect(lines(rows), stream).toEqual(lines(truth(a, stream)));
  }
  const gone = (stream: string) =>
    recordsOf(second.messages, stream).filter((row) => row["_sdc_deleted_at"] != null);
  expect(gone("group_members")).toEqual([
    expect.objectContaining({ group_id: moved?.["from_group_id"], user_id: moved?.["user_id"] }),
  ]);
  expect(gone("enrollments")).toEqual([
    expect.objectContaining({ enrollment_id: deleted?.["enrollment_id"], user: null }) as Row,
  ]);
  expect(deleted).toBeDefined();
  expect(gone("users")).toEqual([]);
});

test("unless it is set, nothing is told and no column is there", async () => {
  const a = await account({ users: 8, tests: 2 });

  const { messages } = await tap(a, {});

  expect(JSON.stringify(messages)).not.toContain("_sdc_deleted_at");
  expect(JSON.stringify(messages)).not.toContain('"keys":');
});

test("discover has the column where deletions can be told", async () => {
  const a = await account();
  const config = a.config(ON);

  const { stdout } = await run("tap-knowbe4", ["--config", config, "--discover"], { cwd: a.cwd });
  const { messages } = await source(["discover", "--config", config]);

  const { streams } = JSON.parse(stdout) as {
    streams: { stream: string; schema: { properties: object }; metadata: object[] }[];
  };
  const withIt = streams.filter((s) => "_sdc_deleted_at" in s.schema.properties);
  expect(withIt.map((s) => s.stream)).toEqual([
    ...["users", "groups", "group_members", "enrollments", "campaigns", "security_tests"],
    ...["security_test_recipients", "training_campaigns", "store_purchases", "policies"],
  ]);
  expect(withIt[0]?.metadata).toContainEqual({
    breadcrumb: ["properties", "_sdc_deleted_at"],
    metadata: { inclusion: "automatic" },
  });
  expect(discovered(messages)).toEqual(["enrollments", "security_test_recipients"]);
});

function discovered(messages: readonly object[]): readonly string[] {
  const [found] = messages as readonly { readonly catalog: { readonly streams: typeof CATALOG } }[];
  return (found?.catalog.streams ?? [])
    .filter((s) => "_ab_cdc_deleted_at" in s.json_schema.properties)
    .map((s) => s.name);
}

/** A configured catalog for enrollments; the platform's table has the column, or not. */
function enrollments(a: Account, has: boolean): string {
  const stream = CATALOG.find(({ name }) => name === "enrollments");
  if (stream === undefined) throw new Error("no enrollments");
  const { json_schema: schema } = stream;
  const mark = has ? { _ab_cdc_deleted_at: { type: ["string", "null"] } } : {};
  const json_schema = { ...schema, properties: { ...schema.properties, ...mark } };
  return file(a, "catalog.json", {
    streams: [
      {
        stream: { ...stream, json_schema },
        sync_mode: "incremental",
        destination_sync_mode: "append_dedup",
      },
    ],
  });
}

test("an Airbyte destination hears of a deleted enrollment", async () => {
  const a = await account({ users: 60 });
  const settings = { ...ON, lookback_days: 3650 };
  const catalog = enrollments(a, true);
  const args = ["read", "--config", a.config(settings), "--catalog", catalog];
  const first = await source(args);
  const deleted = a.simulator.account.deleteEnrollment();

  const state = file(a, "state.json", kept(first.messages));
  const second = await source([...args, "--state", state]);

  const gone = airbyteRecords(second.messages, "enrollments").filter(
    ({ data }) => data["_ab_cdc_deleted_at"] != null,
  );
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(gone.map(({ data }) => data["enrollment_id"])).toEqual([deleted?.["enrollment_id"]]);
});

test("a table without the column is told nothing, and the user is told why", async () => {
  const a = await account();
  const args = ["read", "--config", a.config(ON), "--catalog", enrollments(a, false)];

  const { code, messages, text } = await source(args);

  expect(code).toBe(0);
  expect(logged(messages, "WARN")).toEqual([
    "deleted_records: nothing is told of enrollments, as the catalog's schema has no _ab_cdc_deleted_at: refresh the schema",
  ]);
  expect(text).not.toContain('"_ab_cdc_deleted_at":');
});

test("more than can be believed ends with 6 and leaves the stream where it was", async () => {
  const a = await account();
  const first = await tap(a, ON);
  const state = lastState(first.messages);
  const { groups } = state.bookmarks;
  const fewer = { ...state.bookmarks, groups: { ...groups, keys: { "": "1~zz" } } };

  const second = await tap(a, ON, { ...state, bookmarks: fewer });

  expect(second.code).toBe(6);
  expect(second.errors.join("\n")).toMatch(
    /groups: 1,\d{3} of 1,295 rows did not come any more, and deleted_records believes at most 20 %/,
  );
  expect(recordsOf(second.messages, "groups").every((r) => r["_sdc_deleted_at"] === null)).toBe(
    true,
  );
  expect(lastState(second.messages).bookmarks["groups"]).toEqual(fewer.groups);
});

test("Airbyte hears of such a stream as INCOMPLETE, with the reason", async () => {
  const a = await account();
  const catalog = enrollments(a, true);
  const args = ["read", "--config", a.config({ ...ON, lookback_days: 3650 }), "--catalog", catalog];
  const first = await source(args);
  const [one] = kept(first.messages);
  const { stream_state: blob } = one!.stream;
  const bookmark = { ...(blob["bookmark"] as object), keys: { 1: "1~zz" } };
  const changed = { ...one, stream: { ...one!.stream, stream_state: { ...blob, bookmark } } };

  const second = await source([...args, "--state", file(a, "state.json", [changed])]);

  expect(second.code).toBe(6);
  expect(errorsOf(second.messages).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^enrollments: 1,2\d\d of 1,295 rows did not come any more/) as string,
  ]);
  expect(kept(second.messages)).toEqual([]);
});
