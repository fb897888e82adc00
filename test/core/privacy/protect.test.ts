import { expect, test } from "vitest";

import { columnsOf } from "../../../src/core/columns.js";
import { keyedHash } from "../../../src/core/privacy/values.js";
import { compilePrivacy } from "../../../src/core/privacy/privacy.js";
import type { PrivacySettings } from "../../../src/core/privacy/rules.js";
import { STREAMS } from "../../../streams/index.js";
import { run, type RunOptions } from "../../support/run.js";
import { quotaSpent } from "../../support/source.js";

/** What becomes of rows, rejects and state on their way through a run. */

const KEY = "0123456789abcdef";
const hash = (value: string | number) => keyedHash(KEY)(value, undefined);

const privacy = (settings: Partial<PrivacySettings> = {}) =>
  compilePrivacy({ preset: "pseudonymous", key: KEY, rules: {}, ...settings }, STREAMS);

const ADA = {
  id: 4711,
  first_name: "Ada",
  email: "Ada@Example.org",
  groups: [7],
  status: "active",
};
const BO = {
  ...{ id: 4712, first_name: "Bo", email: "bo@example.org", manager_email: "ada@example.org" },
  ...{ groups: [7, 8], status: "active", aliases: ["b@example.org"], department: "R&D" },
};
const PST = { pst_id: 5, status: "Closed", clicked_count: 1 };
const RECIPIENT = {
  ...{ recipient_id: 9, pst_id: 5, ip: "203.0.113.77", ip_location: "Clearwater, FL" },
  user: { id: 4711, first_name: "Ada", email: "ada@example.org", nickname: "canary" },
};

function read(options: Partial<RunOptions> & Pick<RunOptions, "streams">) {
  return run({
    registry: STREAMS,
    privacy: privacy(),
    ...options,
    script: {
      "/v1/users": [[ADA, BO]],
      "/v1/groups": [
        [
          { id: 7, member_count: 2 },
          { id: 8, member_count: 2 },
        ],
      ],
      "/v1/groups/8/members": [[ADA, BO]],
      "/v1/phishing/security_tests": [[PST]],
      "/v1/phishing/security_tests/5/recipients": [[RECIPIENT]],
      ...options.script,
    },
  });
}

test("who somebody is becomes the same hash in every stream, so that rows still join", async () => {
  const ran = await read({ streams: ["users", "group_members", "security_test_recipients"] });

  const [ada, bo] = ran.rows("users");
  const [recipient] = ran.rows("security_test_recipients");
  expect(ran.error).toBeUndefined();
  expect(ada).toMatchObject({ id: hash(4711), email: hash("ada@example.org") });
  expect(bo).toMatchObject({
    manager_email: ada?.["email"],
    aliases: [hash("b@example.org")],
    department: "R&D",
  });
  expect(recipient).toMatchObject({
    user_id: ada?.["id"],
    user: { id: ada?.["id"], email: ada?.["email"] },
    ip: "203.0.113.0",
  });
  // Derived from the people of group 7, read from the endpoint of group 8, whose count differs.
  expect(ran.requests).toContain("/v1/groups/8/members");
  expect(ran.rows("group_members").map((r) => [r["group_id"], r["user_id"]])).toEqual([
    [7, hash(4711)],
    [7, hash(4712)],
    [8, hash(4711)],
    [8, hash(4712)],
  ]);
});

test("what is dropped is in no column, and unknown fields are in no row", async () => {
  const ran = await read({
    streams: ["users", "security_test_recipients"],
    script: { "/v1/users": [[{ ...ADA, nickname: "canary" }]] },
  });

  expect(Object.keys(ran.rows("users")[0]!)).not.toContain("first_name");
  expect(Object.keys(ran.rows("users")[0]!)).not.toContain("_extra");
  expect(ran.rows("security_test_recipients")[0]?.["user"]).toEqual({
    id: hash(4711),
    email: hash("ada@example.org"),
  });
  expect(JSON.stringify([ran.sink.batches, ran.events])).not.toContain("canary");
});

test("a sink is told the columns that its rows have: what is hashed is text", async () => {
  const ran = await read({ streams: ["users", "security_test_recipients"] });

  for (const stream of ran.sink.declared) {
    const [row] = ran.rows(stream.name);
    expect(stream.columns.map((c) => c.name)).toEqual([...Object.keys(row!), "_observed_at"]);
  }
  const [users, recipients] = ran.sink.declared;
  expect(users?.columns.find((c) => c.name === "id")).toMatchObject({
    type: "string",
    nullable: false,
  });
  const user = recipients?.columns.find((c) => c.name === "user");
  expect(user?.members?.map((m) => [m.name, m.type])).toEqual([
    ["id", "string"],
    ["email", "string"],
    ["provisioning_guid", "string"],
    ["active_directory_guid", "string"],
  ]);
});

test("of an object nothing of which is left the column goes too", async () => {
  const ran = await read({
    streams: ["users", "security_test_recipients"],
    privacy: privacy({ preset: "aggregate-only" }),
  });

  expect(Object.keys(ran.rows("users")[0]!)).toContain("department");
  expect(ran.rows("users")[0]).not.toHaveProperty("email");
  expect(Object.keys(ran.rows("security_test_recipients")[0]!)).not.toContain("user");
  expect(Object.keys(ran.rows("security_test_recipients")[0]!)).not.toContain("user_id");
});

test("a list of ids and a masked number become text", async () => {
  const rules = { "users.groups": "hash", "users.current_risk_score": "mask", name: "mask" };
  const ran = await read({
    streams: ["users"],
    privacy: privacy({ preset: "full", rules }),
    script: { "/v1/users": [[{ ...ADA, current_risk_score: 7.5 }]] },
  });

  expect(ran.rows("users")[0]).toMatchObject({
    ...{ id: 4711, groups: [hash(7)], current_risk_score: "***", first_name: "***" },
    last_name: null,
  });
  const types = ran.sink.declared[0]?.columns.map((c) => [c.name, c.items ?? c.type]);
  expect(Object.fromEntries(types!)).toMatchObject({
    ...{ id: "integer", groups: "string", current_risk_score: "string", first_name: "string" },
  });
});

test("a rejected row keeps the names and kinds of its declared fields, and no value", async () => {
  const ran = await read({
    streams: ["users"],
    settings: { maxRejects: 5 },
    script: {
      "/v1/users": [
        [
          { ...ADA, phish_prone_percentage: "canary" },
          { ...BO, id: null, nick: "canary" },
          "canary",
        ],
      ],
    },
  });

  expect(ran.sink.rejects("users").map((r) => r.raw)).toEqual([
    {
      ...{ id: "number", first_name: "string", email: "string", phish_prone_percentage: "string" },
      ...{ groups: "list", status: "string" },
    },
    expect.objectContaining({ id: "null", email: "string" }),
    "string",
  ]);
  expect(JSON.stringify([ran.sink.batches, ran.events])).not.toMatch(/canary|ada/i);
});

test("a date that is none does not get round its rule by way of _extra", async () => {
  const ran = await read({
    streams: ["users"],
    privacy: privacy({ preset: "full", rules: { "users.custom_date_1": "drop" } }),
    script: { "/v1/users": [[{ ...ADA, custom_date_1: "canary" }]] },
  });

  expect(ran.rows("users")).toHaveLength(1);
  expect(JSON.stringify([ran.sink.batches, ran.events])).not.toContain("canary");
});

const HISTORY = { streams: ["user_risk_score_history"] } as const;
const day = [{ date: "2026-05-31", risk_score: 1.5 }];
const histories = {
  "/v1/users/4711/risk_score_history": [day],
  "/v1/users/4711/risk_score_history?full=true": [day],
  "/v1/users/4712/risk_score_history": [day],
  "/v1/users/4712/risk_score_history?full=true": [day],
};

test("a state holds whose history is known, and only the key opens it", async () => {
  const first = await read({ ...HISTORY, script: histories });
  const next = await read({ ...HISTORY, script: histories, state: first.state, at: 1 });
  const plain = await run({
    ...{ registry: STREAMS, ...HISTORY },
    script: { "/v1/users": [[ADA, BO]], ...histories },
  });

  const { known } = first.bookmark("user_risk_score_history")!;
  expect(known).toMatch(/^sealed:[\w-]+$/);
  expect(known).not.toContain(plain.bookmark("user_risk_score_history")!.known);
  expect(next.requests.filter((r) => r.includes("full"))).toEqual([]);
  expect(next.bookmark("user_risk_score_history")!.known).toBe(known);
  expect(first.rows("user_risk_score_history").map((r) => r["user_id"])).toEqual([
    hash(4711),
    hash(4712),
  ]);
});

test("whose history is known is not left for everybody to read: without a key nothing is asked", async () => {
  const keyless = { preset: "full", key: undefined, rules: { behaviour: "mask" } } as const;

  const refused = await read({ ...HISTORY, script: histories, privacy: privacy(keyless) });
  const others = await read({ streams: ["users"], privacy: privacy(keyless) });

  expect(refused.error).toMatchObject({
    kind: "config",
    message:
      "privacy.key is missing: the state of user_risk_score_history would name people by their ids",
  });
  expect(refused.requests).toEqual([]);
  expect(others.error).toBeUndefined();
});

test("a broken-off reading goes on without the people's listing, from a state that names nobody", async () => {
  const broken = await read({
    ...HISTORY,
    script: { ...histories, "/v1/users/4712/risk_score_history?full=true": [quotaSpent()] },
  });
  const next = await read({ ...HISTORY, script: histories, state: broken.state });

  expect(broken.error?.kind).toBe("quota");
  expect(broken.bookmark("user_risk_score_history")?.pass?.todo).toMatch(/^sealed:/);
  expect(next.error).toBeUndefined();
  expect(next.requests).toEqual(["/v1/users/4712/risk_score_history?full=true"]);
});

test("rows under other rules or another key are refused, unless everything is read again", async () => {
  const before = await read({ streams: ["users"] });
  const state = before.state;
  const other = privacy({ key: "another key of the tests" });

  const plain = await run({ registry: STREAMS, streams: ["users"], state });
  const rekeyed = await read({ streams: ["users"], state, privacy: other });
  const whole = await read({
    streams: [{ stream: "users", fullRefresh: true }],
    ...{ state, privacy: other },
  });

  for (const refused of [plain, rekeyed]) {
    expect(refused.error).toMatchObject({
      kind: "config",
      message:
        "users: earlier rows were handed on under other privacy rules or another privacy.key",
    });
    expect(refused.requests).toEqual([]);
    expect(refused.sink.calls).not.toContain("open");
  }
  expect(whole.error).toBeUndefined();
  expect(whole.events).toContainEqual({
    type: "warning",
    stream: "users",
    message:
      "earlier rows were handed on under other privacy rules: those that do not come again stay as they are",
  });
  const same = await read({ streams: ["users"], state });
  const again = await read({ streams: [{ stream: "users", fullRefresh: true }], state });
  expect(same.error).toBeUndefined();
  expect(again.events.filter((e) => e.type === "warning")).toEqual([]);
});

test("what was read completely is said in the values of the changed rows, or not at all", async () => {
  const scopesOf = async (rules: PrivacySettings["rules"]) => {
    const ran = await read({
      ...{ streams: ["user_risk_score_history", "group_members", "security_test_recipients"] },
      ...{ script: histories, privacy: privacy({ preset: "full", rules }) },
    });
    expect(ran.error).toBeUndefined();
    return ran.sink.batches.flatMap(({ stream, scopes = [] }) =>
      scopes.map((scope) => ({ stream, ...scope })),
    );
  };
  const of = (scopes: Awaited<ReturnType<typeof scopesOf>>, stream: string) =>
    scopes.filter((scope) => scope.stream === stream);
  const plain = await scopesOf({});
  const hashed = await scopesOf({
    ...{ "group_members.group_id": "hash", "security_test_recipients.pst_id": "hash" },
    ...{ "user_risk_score_history.user_id": "hash" },
  });

  expect(of(plain, "group_members").length).toBeGreaterThan(1);
  expect(of(plain, "security_test_recipients").length).toBeGreaterThan(0);
  const numbers = JSON.stringify(plain).match(/(?<="value":|\[|,)\d+/g) ?? [];
  expect(numbers.length).toBeGreaterThan(2);
  const expected = JSON.stringify(plain).replace(/(?<="value":|\[|,)\d+/g, (id) => `"${hash(id)}"`);
  expect(JSON.stringify(hashed)).toBe(expected);
});

test("a scope of a column that is dropped or masked tells of nothing that has gone", () => {
  const change = (action: string) =>
    privacy({ preset: "full", rules: { "enrollments.campaign_id": action } }).of(
      STREAMS.find((d) => d.name === "enrollments")!,
    )!;
  const part = { kind: "part", column: "campaign_id", value: 7 } as const;
  const rest = { kind: "rest", column: "campaign_id", listed: [7] } as const;
  const batch = {
    ...{ stream: "enrollments", rows: [], rejects: [], extractedAt: "", observedAt: null },
    ...{ checkpoint: null, scopes: [part, rest, { kind: "whole" }] as const },
  };

  for (const action of ["drop", "mask"]) {
    const protection = change(action);
    const all = columnsOf(STREAMS.find((d) => d.name === "enrollments")!);
    const columns = action === "drop" ? all.filter((c) => c.name !== "campaign_id") : all;
    expect(protection.batches(columns)(batch).scopes).toEqual([{ kind: "whole" }]);
  }
});
