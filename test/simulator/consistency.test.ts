import { expect, test } from "vitest";

import type { Simulator } from "../../src/simulator/index.js";
import { all, body, fill, known, simulated, STREAM_NAMES, type Seen } from "./support.js";

/** What the endpoints say must agree, on the first day and on later ones. */
async function lived(): Promise<Simulator> {
  const simulator = await simulated({ users: 300, tests: 26 });
  simulator.advance(17);
  simulator.account.clickInOpenTest();
  return simulator;
}

const grouped = (rows: readonly Seen[], key: (row: Seen) => unknown) => {
  const groups = new Map<unknown, Seen[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
};

test("the counters of a test are what its recipients show", async () => {
  const simulator = await lived();
  const recipients = grouped(
    known(simulator.account, "security_test_recipients"),
    (r) => r["pst_id"],
  );
  const failures = [
    ["clicked_count", "clicked_at"],
    ["replied_count", "replied_at"],
    ["attachment_open_count", "attachment_opened_at"],
    ["macro_enabled_count", "macro_enabled_at"],
    ["data_entered_count", "data_entered_at"],
    ["qr_code_scanned_count", "qr_code_scanned"],
  ] as const;
  const counters = [
    ...failures,
    ["scheduled_count", "scheduled_at"],
    ["delivered_count", "delivered_at"],
    ["opened_count", "opened_at"],
    ["reported_count", "reported_at"],
    ["bounced_count", "bounced_at"],
  ] as const;

  for (const test of await all(simulator, "/v1/phishing/security_tests")) {
    const rows = recipients.get(test["pst_id"]) ?? [];
    const count = (field: string) => rows.filter((row) => row[field] !== null).length;
    for (const [counter, field] of counters) expect(test[counter] ?? 0, counter).toBe(count(field));
    const failed = rows.filter((row) => failures.some(([, field]) => row[field] !== null)).length;
    const share = rows.length === 0 ? 0 : failed / count("delivered_at");
    expect(test["phish_prone_percentage"]).toBeCloseTo(share, 3);
  }
});

test("a person's percentage is the share of their tests that they failed", async () => {
  const simulator = await lived();
  const rows = known(simulator.account, "security_test_recipients");
  const failed = /^(clicked|replied|attachment_opened|macro_enabled|data_entered)_at$|^qr_code/;
  const byPerson = grouped(rows, (row) => row["user"]?.id);

  for (const user of known(simulator.account, "users")) {
    const sent = (byPerson.get(user["id"]) ?? []).filter((row) => row["delivered_at"] !== null);
    const failures = sent.filter((row) =>
      Object.entries(row).some(([field, value]) => failed.test(field) && value !== null),
    );
    const share = sent.length === 0 ? 0 : (100 * failures.length) / sent.length;
    expect(user["phish_prone_percentage"]).toBeCloseTo(share, 2);
  }
});

test("what a person's row says of groups, the groups say of their members", async () => {
  const simulator = await lived();
  const users = await all(simulator, "/v1/users?status=active");
  const listed = new Set(users.flatMap((user) => user["groups"]));

  for (const group of await all(simulator, "/v1/groups")) {
    const members = await all(simulator, fill("/v1/groups/{id}/members", group));
    const saying = users.filter((user) => user["groups"].includes(group["id"]));
    expect(group["member_count"]).toBe(members.length);
    // One smart group is not mentioned by the people in it.
    if (listed.has(group["id"])) expect(members).toEqual(saying);
  }
});

test("exactly one group is not mentioned by its people", async () => {
  const { account } = await simulated({ users: 300 });
  const listed = new Set(known(account, "users").flatMap((user) => user["groups"] ?? []));

  const hidden = known(account, "groups").filter(
    (g) => g["member_count"] > 0 && !listed.has(g["id"]),
  );

  expect(hidden.map(({ name }) => name)).toEqual(["Repeat Clickers"]);
});

test("a campaign's tests are those that name it", async () => {
  const simulator = await lived();
  const tests = grouped(known(simulator.account, "security_tests"), (t) => t["campaign_id"]);

  for (const campaign of await all(simulator, "/v1/phishing/campaigns")) {
    const path = fill("/v1/phishing/campaigns/{campaign_id}/security_tests", campaign);
    const ids = (rows: readonly Seen[]) => rows.map((row) => row["pst_id"]);
    expect(ids(await all(simulator, path))).toEqual(ids(tests.get(campaign["campaign_id"])!));
    expect(ids(campaign["psts"])).toEqual(ids(tests.get(campaign["campaign_id"])!));
    expect(campaign["psts_count"]).toBe(campaign["psts"].length);
  }
});

test("a training campaign is as complete as its enrollments are", async () => {
  const simulator = await lived();
  const rows = grouped(known(simulator.account, "enrollments"), (row) => row["campaign_id"]);

  for (const row of known(simulator.account, "training_campaigns")) {
    const campaign = await body(simulator, fill("/v1/training/campaigns/{campaign_id}", row));
    const all = rows.get(row["campaign_id"]) ?? [];
    const passed = all.filter(({ status }) => status === "Passed").length;
    const share = all.length === 0 ? 0 : (100 * passed) / all.length;
    expect(Math.abs(campaign.completion_percentage - share)).toBeLessThanOrEqual(0.05);
    expect(new Set(all.map((row) => row["campaign_name"])).size).toBeLessThanOrEqual(1);
  }
});

test("whatever a row refers to is there", async () => {
  const simulator = await lived();
  const ids = (
    stream: "users" | "groups" | "store_purchases" | "training_campaigns",
    key: string,
  ) => new Set(known(simulator.account, stream).map((row) => row[key]));
  const users = ids("users", "id");
  const groups = ids("groups", "id").add(0);
  const purchases = ids("store_purchases", "store_purchase_id").add(null);
  const campaigns = ids("training_campaigns", "campaign_id");

  for (const row of known(simulator.account, "enrollments")) {
    expect(users.has(row["user"]?.id) || row["user"] === null).toBe(true);
    expect(purchases.has(row["store_purchase_id"]) && campaigns.has(row["campaign_id"])).toBe(true);
  }
  for (const row of known(simulator.account, "security_test_recipients")) {
    expect(users.has(row["user"]?.id) || row["user"] === null).toBe(true);
  }
  for (const stream of ["campaigns", "security_tests", "training_campaigns"] as const) {
    for (const row of known(simulator.account, stream)) {
      for (const group of row["groups"]) expect(groups.has(group.group_id)).toBe(true);
    }
  }
});

test("today's risk is the last of the history", async () => {
  const simulator = await lived();
  const { account } = simulator;
  const [group] = known(account, "groups");
  const [user] = known(account, "users").filter(({ status }) => status === "active");
  for (const [path, row] of [
    ["/v1/account", known(account, "account")[0]!],
    [fill("/v1/groups/{id}", group!), group!],
    [fill("/v1/users/{id}", user!), user!],
  ] as const) {
    const last = (await body(simulator, `${path}/risk_score_history`)).at(-1);
    expect(last).toEqual({ risk_score: row["current_risk_score"], date: account.today });
  }
});

/** The latest instant in a row, of those that are not planned. */
function latestIn(row: Seen): string {
  const { scheduled_at: _, ...happened } = row;
  const isInstant = (v: unknown): v is string => /^\d{4}-\d\d-\d\dT/.test(String(v));
  return Object.values(happened).filter(isInstant).sort().at(-1) ?? "";
}

test("nothing lies in the future, on any day of a test", async () => {
  const { account } = await simulated({ users: 300 });
  for (let day = 0; day < 40; day++) {
    const now = `${account.today}T18:00:00.000Z`;
    for (const stream of ["users", "enrollments", "security_test_recipients"] as const) {
      const latest = known(account, stream).map(latestIn).sort().at(-1)!;
      expect(latest <= now, `${stream} on ${now}: ${latest}`).toBe(true);
    }
    account.advance(1);
  }
});

test("who has been archived does nothing more", async () => {
  const { account } = await simulated({ users: 600, tests: 24 });
  account.advance(60);
  const users = known(account, "users").filter(({ status }) => status === "archived");
  const leftAt = new Map(users.map(({ id, archived_at }) => [id, archived_at]));

  for (const stream of ["enrollments", "security_test_recipients"] as const) {
    for (const row of account.rows(stream)) {
      const { enrollment_date: _, ...done } = row as Seen;
      const left = leftAt.get(done["user"]?.id);
      if (left !== undefined) expect(latestIn(done) <= left).toBe(true);
    }
  }
});

test.each([1, 2, 50_000])("an account of %d people starts and answers", async (users) => {
  const simulator = await simulated({ users, tests: 12 });
  const rows = await body(simulator, "/v1/users?per_page=500");

  expect(rows).toHaveLength(Math.min(users, 500));
  expect((await all(simulator, "/v1/phishing/security_tests")).length).toBe(12);
});

test("an account of one person has every stream", async () => {
  const simulator = await simulated({ users: 1, trainingCampaigns: 12 });

  for (const stream of STREAM_NAMES)
    expect([...simulator.account.rows(stream)].length, stream).toBeGreaterThan(0);
});

test("an account without tests and training is empty there", async () => {
  const simulator = await simulated({ tests: 0, trainingCampaigns: 0 });
  simulator.advance(40);

  for (const path of [
    "phishing/campaigns",
    "phishing/security_tests",
    "training/campaigns",
    "training/enrollments",
  ]) {
    expect(await body(simulator, `/v1/${path}`)).toEqual([]);
  }
});
