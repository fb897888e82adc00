import { expect, test } from "vitest";

import type { Simulator } from "../../src/simulator/index.js";
import { body, get, known, simulated } from "./support.js";

async function control(simulator: Simulator, path: string, input?: unknown) {
  const response = await fetch(`${simulator.url}/_simulator/${path}`, {
    ...(input === undefined
      ? {}
      : { method: "POST", body: typeof input === "string" ? input : JSON.stringify(input) }),
  });
  return { status: response.status, body: await response.json() };
}

test("status tells the day and how much was asked of the API, without a key", async () => {
  const simulator = await simulated({ today: "2026-06-01" });
  await get(simulator, "/v1/users");

  expect(await control(simulator, "status")).toEqual({
    status: 200,
    body: { today: "2026-06-01", day: 0, requests: 1 },
  });
});

test("days pass when they are told to", async () => {
  const simulator = await simulated({ today: "2026-06-28" });

  const answer = await control(simulator, "advance", { days: 4 });

  expect(answer).toEqual({ status: 200, body: { today: "2026-07-02", day: 4 } });
  expect(simulator.account.today).toBe("2026-07-02");
});

test("a change is made, and told", async () => {
  const simulator = await simulated();
  const users = known(simulator.account, "users");
  const id: number = users.find(({ status }) => status === "active")!["id"];

  const answer = await control(simulator, "change", { kind: "archiveUser", user_id: id });

  expect(answer).toEqual({ status: 200, body: { kind: "archiveUser", user_id: id } });
  const { status, archived_at } = await body(simulator, `/v1/users/${id}`);
  expect({ status, archived_at }).toEqual({
    status: "archived",
    archived_at: `${simulator.account.today}T18:00:00.000Z`,
  });
});

test("a change that there is nothing for is a conflict", async () => {
  const simulator = await simulated({ tests: 0 });

  expect(await control(simulator, "change", { kind: "removeFailure" })).toEqual({
    status: 409,
    body: { message: "removeFailure: there is nothing to change" },
  });
});

test.each([
  ["advance", {}, "days must be a whole number from 1 to 3650"],
  ["advance", { days: 0 }, "days must be a whole number from 1 to 3650"],
  ["advance", { days: 3_651 }, "days must be a whole number from 1 to 3650"],
  ["advance", { days: "3" }, "days must be a whole number from 1 to 3650"],
  ["advance", "days=3", "days must be a whole number from 1 to 3650"],
  ["advance", "null", "days must be a whole number from 1 to 3650"],
  ["change", {}, /^kind must be one of clickInOpenTest, .+, editTrainingCampaign$/],
  ["change", { kind: "toString" }, /^kind must be one of /],
  ["change", { kind: "moveUser", user: 1 }, /^only pst_id, .+ go with kind$/],
  ["change", { kind: "moveUser", user_id: "1" }, "user_id must be a whole number"],
])("%s refuses %j", async (path, input, message) => {
  const simulator = await simulated();

  const answer = await control(simulator, path, input);

  expect(answer).toMatchObject({
    status: 400,
    body: { message: typeof message === "string" ? message : expect.stringMatching(message) },
  });
  expect(simulator.account.day).toBe(0);
});

test("other endpoints of the simulator do not exist", async () => {
  const simulator = await simulated();

  expect((await control(simulator, "status", {})).status).toBe(404);
  expect((await control(simulator, "advance")).status).toBe(404);
  expect(await control(simulator, "stop")).toMatchObject({
    status: 404,
    body: { message: "GET /_simulator/stop is not an endpoint of the simulator" },
  });
});

test("control is not counted, limited, or faulty", async () => {
  const simulator = await simulated({
    quota: { perDay: 0 },
    now: () => 0,
    faults: [{ match: {}, times: Infinity, fault: { kind: "status", status: 500 } }],
  });

  expect((await control(simulator, "status")).status).toBe(200);
  expect(simulator.requestCount).toBe(0);
});
