import { describe, expect, test } from "vitest";

import { all, body, fill, get, known, simulated, type Seen } from "./support.js";

/** Every endpoint, with the first id of the stream that it stands for. */
const ENDPOINTS: readonly [path: string, stream: string, shape: "list" | "object" | "single"][] = [
  ["/v1/account", "account", "object"],
  ["/v1/account/risk_score_history", "risk_score_history", "list"],
  ["/v1/users", "users", "list"],
  ["/v1/users/{user}", "users", "object"],
  ["/v1/users/{user}/risk_score_history", "user_risk_score_history", "list"],
  ["/v1/groups", "groups", "list"],
  ["/v1/groups/{group}", "groups", "object"],
  ["/v1/groups/{group}/members", "group_members", "list"],
  ["/v1/groups/{group}/risk_score_history", "group_risk_score_history", "list"],
  ["/v1/phishing/campaigns", "campaigns", "list"],
  ["/v1/phishing/campaigns/{campaign}", "campaigns", "single"],
  ["/v1/phishing/campaigns/{campaign}/security_tests", "security_tests", "list"],
  ["/v1/phishing/security_tests", "security_tests", "list"],
  ["/v1/phishing/security_tests/{test}", "security_tests", "single"],
  ["/v1/phishing/security_tests/{test}/recipients", "security_test_recipients", "list"],
  [
    "/v1/phishing/security_tests/{test}/recipients/{recipient}",
    "security_test_recipients",
    "single",
  ],
  ["/v1/training/store_purchases", "store_purchases", "list"],
  ["/v1/training/store_purchases/{purchase}", "store_purchases", "object"],
  ["/v1/training/policies", "policies", "list"],
  ["/v1/training/policies/{policy}", "policies", "object"],
  ["/v1/training/campaigns", "training_campaigns", "list"],
  ["/v1/training/campaigns/{training}", "training_campaigns", "object"],
  ["/v1/training/enrollments", "enrollments", "list"],
  ["/v1/training/enrollments/{enrollment}", "enrollments", "object"],
];

async function idsOf(simulator: Awaited<ReturnType<typeof simulated>>): Promise<Seen> {
  const { account } = simulator;
  return {
    user: known(account, "users")[0]!["id"],
    group: known(account, "groups").find(({ member_count }) => member_count > 3)!["id"],
    campaign: known(account, "campaigns")[0]!["campaign_id"],
    test: known(account, "security_tests")[0]!["pst_id"],
    recipient: known(account, "security_test_recipients")[0]!["recipient_id"],
    purchase: known(account, "store_purchases")[0]!["store_purchase_id"],
    policy: known(account, "policies")[0]!["policy_id"],
    training: known(account, "training_campaigns")[0]!["campaign_id"],
    enrollment: known(account, "enrollments")[0]!["enrollment_id"],
  };
}

test.each(ENDPOINTS)("%s answers, and is counted for %s", async (path, stream, shape) => {
  const simulator = await simulated();
  const target = fill(path, await idsOf(simulator));

  const answer = await body(simulator, target);

  expect(Array.isArray(answer)).toBe(shape !== "object");
  if (shape === "list") expect(answer.length).toBeGreaterThan(1);
  if (shape === "single") expect(answer).toHaveLength(1);
  expect(simulator.requests).toEqual([{ method: "GET", path: target, stream, status: 200 }]);
});

test.each(ENDPOINTS.filter(([path]) => path.includes("{")))(
  "%s answers 404 for an id that is not there",
  async (path) => {
    const simulator = await simulated();
    const ids = await idsOf(simulator);
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

    const got = await get(simulator, fill(path, { ...ids, [names.at(-1)!]: 1 }));

    expect([got.status, JSON.parse(got.text)]).toEqual([404, { message: "Not Found" }]);
  },
);

test.each(["/", "//", "/api/v1/users", "/v1/user", "/v1/users/", "/v1/users/me", "/v1/users/1/2"])(
  "there is nothing at %s",
  async (path) => {
    const simulator = await simulated();

    expect((await get(simulator, path)).status).toBe(404);
    expect(simulator.requests[0]).toMatchObject({ path, stream: null });
  },
);

test("nothing can be written", async () => {
  const { url, apiKey } = await simulated();
  const headers = { authorization: `Bearer ${apiKey}` };

  const response = await fetch(`${url}/v1/users`, { method: "POST", headers, body: "{}" });

  expect(response.status).toBe(404);
});

test("one row alone is the row that the list has", async () => {
  const simulator = await simulated();
  const users = await all(simulator, "/v1/users");
  const recipient = known(simulator.account, "security_test_recipients").at(-1)!;
  const path = "/v1/phishing/security_tests/{pst_id}/recipients/{recipient_id}";

  expect(await body(simulator, fill("/v1/users/{id}", users.at(-1)!))).toEqual(users.at(-1));
  expect(await body(simulator, fill(path, recipient))).toEqual([recipient]);
});

test("people and groups can be asked for by status", async () => {
  const simulator = await simulated();
  for (const path of ["/v1/users", "/v1/groups"]) {
    const active = await all(simulator, `${path}?status=active`);
    const archived = await all(simulator, `${path}?status=archived`);
    const both = await all(simulator, path);

    expect(new Set(active.map(({ status }) => status))).toEqual(new Set(["active"]));
    expect(new Set(archived.map(({ status }) => status))).toEqual(new Set(["archived"]));
    expect(both).toHaveLength(active.length + archived.length);
  }
});

test("a person who was deleted is not there any more, only what they did", async () => {
  const simulator = await simulated();
  const ids = (await all(simulator, "/v1/users")).map(({ id }): number => id);
  const enrollments = await all(simulator, "/v1/training/enrollments");

  const found: number[] = [];
  for (let id = ids[0]!; id <= ids.at(-1)!; id++) {
    if ((await get(simulator, `/v1/users/${id}`)).status === 200) found.push(id);
  }

  expect(enrollments.some(({ user }) => user === null)).toBe(true);
  expect(found).toEqual(ids);
});

test("people can be asked for by group", async () => {
  const simulator = await simulated();
  const groups = known(simulator.account, "groups");
  const id: number = groups.find(({ member_count }) => member_count > 3)!["id"];

  const inGroup = await all(simulator, `/v1/users?group_id=${id}`);

  expect(inGroup).toEqual(await all(simulator, `/v1/groups/${id}/members`));
  expect(await all(simulator, "/v1/users?group_id=1")).toEqual([]);
});

test("a history goes back six months, or to the beginning if asked", async () => {
  const simulator = await simulated({ today: "2026-06-01" });
  const ids = await idsOf(simulator);
  for (const template of ["/v1/account", "/v1/users/{user}", "/v1/groups/{group}"]) {
    const path = fill(template, ids);
    const recent = await body(simulator, `${path}/risk_score_history`);
    const full = await body(simulator, `${path}/risk_score_history?full=true`);

    expect(recent[0].date).toBe("2025-12-01");
    expect(recent.at(-1).date).toBe("2026-06-01");
    expect(recent).toEqual(full.slice(-recent.length));
    expect(full[0].date < "2024-12-01").toBe(true);
  }
});

test("no phishing test is a callback test", async () => {
  const simulator = await simulated();
  const ids = await idsOf(simulator);
  for (const list of ["campaigns", "security_tests", "campaigns/{campaign}/security_tests"]) {
    const path = fill(`/v1/phishing/${list}?campaign_type=callback`, ids);
    expect(await body(simulator, path)).toEqual([]);
  }
});

describe("enrollments", () => {
  const path = "/v1/training/enrollments";

  test("leave out what is not asked for", async () => {
    const simulator = await simulated();

    const [plain] = await all(simulator, path);
    const [more] = await all(simulator, `${path}?include_campaign_id=true`);
    const [most] = known(simulator.account, "enrollments");

    expect(Object.keys(plain!)).not.toContain("campaign_id");
    expect(Object.keys(plain!)).not.toContain("store_purchase_id");
    expect(Object.keys(plain!["user"])).not.toContain("employee_number");
    expect(more).toEqual({ ...plain, campaign_id: most!["campaign_id"] });
    const one = fill(`${path}/{enrollment_id}?include_campaign_id=true`, most!);
    expect(await body(simulator, one)).toEqual(more);
  });

  test.each([
    ["campaign_id", (row: Seen) => row["campaign_id"]],
    ["store_purchase_id", (row: Seen) => row["store_purchase_id"]],
    ["user_id", (row: Seen) => row["user"]?.id],
  ] as const)("can be asked for by %s", async (name, idOf) => {
    const simulator = await simulated();
    const rows = known(simulator.account, "enrollments");
    const id: number = idOf(rows[0]!);

    const found = await all(simulator, `${path}?${name}=${id}`);

    const ids = rows.filter((row) => idOf(row) === id).map((row) => row["enrollment_id"]);
    expect(ids.length).toBeLessThan(rows.length);
    expect(found.map((row) => row["enrollment_id"])).toEqual(ids);
    expect(await all(simulator, `${path}?${name}=1`)).toEqual([]);
  });

  test("can be asked for without those of archived people", async () => {
    const simulator = await simulated();
    const users = known(simulator.account, "users");
    const active = new Set(users.filter((u) => u["status"] === "active").map(({ id }) => id));
    const rows = known(simulator.account, "enrollments");

    const found = await all(simulator, `${path}?exclude_archived_users=true`);

    expect(found).toHaveLength(rows.filter(({ user }) => active.has(user?.id)).length);
    expect(found.length).toBeLessThan(rows.length);
  });
});
