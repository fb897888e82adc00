import { join } from "node:path";

import { expect, test } from "vitest";

import { knowbe4 } from "../../src/cli/main.js";
import { parseState } from "../../src/core/state.js";
import { account } from "../cli/support/account.js";
import { fakeIo, within } from "../cli/support/io.js";
import { ask } from "../cli/support/tables.js";
import { office } from "./support.js";

/** That nothing is missing is shown by figures, stream by stream and run by run. */

const SMALL = { users: 40, tests: 8, trainingCampaigns: 5 } as const;

test.each(["cursor", "page"] as const)(
  "by %s, a proof says what was declared, what came, and where listings ended",
  async (paging) => {
    const a = await office({ ...SMALL, paging });

    const ran = await a.sync();

    const proofOf = (stream: string) => ran.outcomes.find((o) => o.stream === stream)?.proof;
    const count = (stream: "users" | "security_test_recipients" | "security_tests") =>
      [...a.simulator.account.rows(stream)].length;
    const how = paging === "page" ? "empty page" : "no cursor";
    const [users, recipients] = [count("users"), count("security_test_recipients")];
    expect(proofOf("users")).toEqual({
      ...{ declared: null, counted: 0, came: users, keys: users, derived: 0 },
      ends: { [how]: 1 },
    });
    expect(proofOf("security_test_recipients")).toMatchObject({
      ...{ declared: recipients, counted: recipients, came: recipients, keys: recipients },
      derived: 0,
    });
    expect(proofOf("account")?.ends).toEqual({ object: 1 });
    expect(proofOf("risk_score_history")?.ends).toEqual({ whole: 1 });
    expect(proofOf("group_members")?.derived).toBeGreaterThan(0);
  },
);

test("a count that contradicts the parent's is told, and stands in the proof", async () => {
  const a = await office({ ...SMALL, paging: "cursor" });
  const fault = { kind: "field", field: "scheduled_count", value: { json: 999 } } as const;
  a.simulator.addFault({ match: { stream: "security_tests" }, times: Infinity, fault });

  const ran = await a.sync({}, ["security_test_recipients"]);

  expect(ran.warnings.some((line) => / says 999 rows, \d+ came$/.test(line))).toBe(true);
  const [outcome] = ran.outcomes;
  expect(outcome?.proof?.declared).toBeGreaterThan(outcome?.proof?.counted ?? Infinity);
});

test("the proof of each run stands in _kb4_loads, and state show prints the last one", async () => {
  const a = await account(SMALL);
  const destination = { path: join(a.cwd, "proof.duckdb") };
  const config = a.config({ destination });
  const io = fakeIo();

  await within(knowbe4, ["sync", "--config", config], fakeIo());
  await within(knowbe4, ["sync", "--config", config], fakeIo());
  await within(knowbe4, ["state", "show", "--config", config], io);

  const loads = await ask(
    destination.path,
    "SELECT proof FROM db.knowbe4._kb4_loads WHERE stream = 'users' AND proof IS NOT NULL",
  );
  expect(loads).toHaveLength(2);
  const shown = JSON.parse(io.out());
  const users = [...a.simulator.account.rows("users")].length;
  expect(shown.proofs.users).toMatchObject({ came: users, keys: users });
  // What is printed is still a state that a tap takes.
  expect(parseState(shown, "shown")).not.toHaveProperty("proofs");
});
