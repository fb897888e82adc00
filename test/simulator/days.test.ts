import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { Simulator, SimulatorOptions } from "../../src/simulator/index.js";
import {
  all,
  body,
  fill,
  get,
  known,
  simulated,
  SOURCES,
  STREAM_NAMES,
  type Seen,
} from "./support.js";

/** A digest of every answer there is. */
async function everything(simulator: Simulator): Promise<string> {
  const digest = createHash("sha256");
  for (const stream of STREAM_NAMES) {
    for (const [path] of SOURCES[stream](simulator.account)) {
      digest.update((await get(simulator, path)).text);
    }
  }
  return digest.digest("hex");
}

/** What a year's quarter and some changes make of an account. */
async function history(options: SimulatorOptions): Promise<string[]> {
  const simulator = await simulated({ users: 30, ...options });
  const before = await everything(simulator);
  simulator.advance(45);
  const changes = [simulator.account.moveUser(), simulator.account.renameGroup()];
  return [before, await everything(simulator), JSON.stringify(changes)];
}

test("the same seed makes the same account, byte for byte, whatever happens to it", async () => {
  expect(await history({ seed: 5 })).toEqual(await history({ seed: 5 }));
});

test("another seed makes another account", async () => {
  const namesOf = async (seed: number) =>
    known((await simulated({ seed })).account, "users").map(({ last_name }) => last_name);

  expect(await namesOf(5)).not.toEqual(await namesOf(6));
});

test("days that pass one by one are days that pass at once", async () => {
  const slowly = await simulated({ users: 30 });
  const atOnce = await simulated({ users: 30 });

  for (let day = 0; day < 20; day++) slowly.advance(1);
  atOnce.advance(20);

  expect(await everything(slowly)).toBe(await everything(atOnce));
});

test("what was asked in between changes nothing", async () => {
  const asked = await simulated({ users: 30 });
  const quiet = await simulated({ users: 30 });

  for (let day = 0; day < 20; day += 5) {
    await everything(asked);
    asked.advance(5);
  }
  quiet.advance(20);

  expect(await everything(asked)).toBe(await everything(quiet));
});

const byId = (rows: readonly Seen[], key: string) => new Map(rows.map((row) => [row[key], row]));

describe("as days pass", () => {
  test("people join and leave", async () => {
    const simulator = await simulated({ users: 400 });
    const before = byId(await all(simulator, "/v1/users"), "id");
    simulator.advance(30);
    const after = byId(await all(simulator, "/v1/users"), "id");

    const joined = [...after.values()].filter(({ id }) => !before.has(id));
    const left = [...after.values()].filter(
      ({ id, status }) => status === "archived" && before.get(id)?.["status"] === "active",
    );
    expect([...before.keys()].every((id) => after.has(id))).toBe(true);
    expect(joined.length).toBeGreaterThan(0);
    expect(joined.every(({ joined_on }) => joined_on > "2026-06-01")).toBe(true);
    expect(left.length).toBeGreaterThan(0);
    expect(left.every(({ archived_at }) => archived_at > "2026-06-01")).toBe(true);
  });

  test("phishing tests start, fill and close", async () => {
    const simulator = await simulated();
    const read = async () => byId(await all(simulator, "/v1/phishing/security_tests"), "pst_id");
    const before = await read();
    simulator.advance(30);
    const after = await read();

    const open = [...before.values()].filter(({ status }) => status === "Active");
    expect(open.length).toBeGreaterThan(0);
    for (const { pst_id } of open.slice(-1)) expect(after.get(pst_id)!["status"]).toBe("Closed");
    expect([...after.keys()].filter((id) => !before.has(id))).toHaveLength(1);
  });

  test("training campaigns open and close", async () => {
    const simulator = await simulated();
    const read = async () => byId(await all(simulator, "/v1/training/campaigns"), "campaign_id");
    const before = await read();
    simulator.advance(90);
    const after = await read();

    const running = [...before.values()].filter(({ status }) => status === "In Progress");
    expect(running.length).toBeGreaterThan(0);
    for (const { campaign_id } of running) {
      expect(after.get(campaign_id)!["status"]).toMatch(/^(Completed|Closed)$/);
    }
    const begun = [...after.values()].filter(({ campaign_id }) => !before.has(campaign_id));
    expect(begun.length).toBeGreaterThan(0);
  });

  test("a history grows by a row a day", async () => {
    const simulator = await simulated();
    const path = "/v1/account/risk_score_history?full=true";
    const before: Seen[] = await body(simulator, path);
    simulator.advance(3);
    const after: Seen[] = await body(simulator, path);

    expect(after.slice(0, -3)).toEqual(before);
    expect(after.slice(-3).map(({ date }) => date)).toEqual([
      "2026-06-02",
      "2026-06-03",
      "2026-06-04",
    ]);
  });

  test("an administrator takes a failure back, resets progress and removes somebody", async () => {
    const simulator = await simulated({ users: 200 });
    const seen = new Set<string>();
    let recipients = byId(known(simulator.account, "security_test_recipients"), "recipient_id");
    let enrollments = byId(known(simulator.account, "enrollments"), "enrollment_id");
    for (let day = 0; day < 8; day++) {
      simulator.advance(1);
      const laterRecipients = byId(
        known(simulator.account, "security_test_recipients"),
        "recipient_id",
      );
      const laterEnrollments = byId(known(simulator.account, "enrollments"), "enrollment_id");
      for (const [id, { clicked_at }] of recipients) {
        if (clicked_at !== null && laterRecipients.get(id)!["clicked_at"] === null)
          seen.add("cleared");
      }
      for (const [id, { status }] of enrollments) {
        const later = laterEnrollments.get(id)?.["status"];
        if (later === undefined) seen.add("removed");
        if (status !== "Not Started" && later === "Not Started") seen.add("reset");
      }
      recipients = laterRecipients;
      enrollments = laterEnrollments;
    }
    expect([...seen].sort()).toEqual(["cleared", "removed", "reset"]);
  });
});

describe("a change can be seen at once", () => {
  test("a click in an open test", async () => {
    const simulator = await simulated();
    const tests = known(simulator.account, "security_tests");
    const before = tests.findLast(({ status }) => status === "Active")!;

    const change = simulator.account.clickInOpenTest({ pst_id: before["pst_id"] })!;

    const path = fill("/v1/phishing/security_tests/{pst_id}", change);
    const [after] = await body(simulator, path);
    const [recipient] = await body(simulator, fill(`${path}/recipients/{recipient_id}`, change));
    expect(recipient.clicked_at).toBe("2026-06-01T18:00:00.000Z");
    expect(after.clicked_count - before["clicked_count"]).toBe(1);
  });

  test("a failure that is taken out of a closed test", async () => {
    const simulator = await simulated();
    const before = byId(known(simulator.account, "security_test_recipients"), "recipient_id");

    const { pst_id, recipient_id } = simulator.account.removeFailure()!;

    const path = `/v1/phishing/security_tests/${pst_id!}`;
    const [test] = await body(simulator, path);
    const [recipient] = await body(simulator, `${path}/recipients/${recipient_id!}`);
    const changed = Object.entries(recipient).filter(
      ([f, v]) => v === null && before.get(recipient_id)![f] !== null,
    );
    expect(test.status).toBe("Closed");
    expect(changed.length).toBeGreaterThan(0);
    expect(recipient.opened_at).toBe(before.get(recipient_id)!["opened_at"]);
  });

  test("progress that is reset", async () => {
    const simulator = await simulated();

    const { enrollment_id } = simulator.account.resetEnrollment()!;

    expect(await body(simulator, `/v1/training/enrollments/${enrollment_id!}`)).toMatchObject({
      status: "Not Started",
      start_date: null,
      completion_date: null,
    });
  });

  test("an enrollment that is marked as passed", async () => {
    const simulator = await simulated();

    const { enrollment_id } = simulator.account.passEnrollment()!;

    expect(await body(simulator, `/v1/training/enrollments/${enrollment_id!}`)).toMatchObject({
      status: "Passed",
      completion_date: "2026-06-01T18:00:00.000Z",
    });
  });

  test("an enrollment that is removed", async () => {
    const simulator = await simulated();
    const before = await all(simulator, "/v1/training/enrollments");

    const { enrollment_id } = simulator.account.deleteEnrollment()!;

    expect((await get(simulator, `/v1/training/enrollments/${enrollment_id!}`)).status).toBe(404);
    expect(await all(simulator, "/v1/training/enrollments")).toEqual(
      before.filter((row) => row["enrollment_id"] !== enrollment_id),
    );
  });

  test("a move from one group to another", async () => {
    const simulator = await simulated();

    const { user_id, group_id, from_group_id } = simulator.account.moveUser()!;

    const { groups } = await body(simulator, `/v1/users/${user_id!}`);
    const members = async (id: number) =>
      (await all(simulator, `/v1/groups/${id}/members`)).map(({ id }) => id);
    expect([groups.includes(group_id), groups.includes(from_group_id)]).toEqual([true, false]);
    expect(await members(group_id!)).toContain(user_id);
    expect(await members(from_group_id!)).not.toContain(user_id);
  });

  test("a group's new name, wherever it is mentioned", async () => {
    const simulator = await simulated({ tests: 24 });
    const test = known(simulator.account, "security_tests").find(
      ({ groups }) => groups[0].group_id !== 0,
    )!;
    const { group_id } = test["groups"][0];

    const { name } = simulator.account.renameGroup({ group_id })!;

    expect(await body(simulator, fill("/v1/groups/{group_id}", { group_id }))).toMatchObject({
      name,
    });
    const [after] = await body(simulator, fill("/v1/phishing/security_tests/{pst_id}", test));
    expect(after.groups).toEqual([{ group_id, name }]);
  });

  test("a training campaign's new name and end, also in its enrollments", async () => {
    const simulator = await simulated();
    const { campaign_id, name } = simulator.account.editTrainingCampaign()!;

    const path = "/v1/training";
    expect(await body(simulator, `${path}/campaigns/${campaign_id!}`)).toMatchObject({ name });
    const rows = await all(simulator, `${path}/enrollments?campaign_id=${campaign_id!}`);
    expect(new Set(rows.map(({ campaign_name }) => campaign_name))).toEqual(new Set([name]));
  });
});

test("days do not pass backwards", async () => {
  const simulator = await simulated();

  expect(() => simulator.advance(-1)).toThrow(RangeError);
  expect(() => simulator.advance(0.5)).toThrow(RangeError);
});
