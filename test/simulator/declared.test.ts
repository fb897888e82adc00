import { expect, test } from "vitest";

import type { StreamName } from "../../src/simulator/index.js";
import { STREAMS } from "../../streams/index.js";
import { readAs } from "../streams/support.js";
import { known, simulated, STREAM_NAMES } from "./support.js";

/** What no row has: fields of old accounts, and those that the simulated one makes no use of. */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  users: ["risk_score_history", "custom_field_4", "custom_date_2"],
  groups: ["risk_score_history"],
  account: ["risk_score_history"],
  security_tests: ["vulnerable_plugin_count", "exploited_count"],
  security_test_recipients: ["vulnerable_plugins_at", "exploited_at"],
  store_purchases: ["policy_url"],
  training_campaigns: ["completion_percentage"],
};

test("the account has the streams that there are", () => {
  expect([...STREAM_NAMES].sort()).toEqual(STREAMS.map(({ name }) => name).sort());
});

test.each(STREAMS.map((def) => [def.name, def] as const))(
  "rows of %s are as they are declared",
  async (name, def) => {
    const simulator = await simulated({ users: 400, tests: 24 });
    simulator.advance(12);

    const { rows, rejects, drift } = readAs(def, known(simulator.account, name as StreamName));

    expect(rejects).toEqual([]);
    expect(drift).toEqual([]);
    const never = Object.keys(def.schema.shape).filter((field) =>
      rows.every((row) => row[field] === null),
    );
    expect(never).toEqual(UNUSED[name] ?? []);
  },
);

test.each(STREAMS.map((def) => [def.name, def] as const))(
  "rows of %s have keys that are unique",
  async (name, def) => {
    const simulator = await simulated({ users: 400, tests: 24 });
    simulator.advance(12);

    const { rows } = readAs(def, known(simulator.account, name as StreamName));

    const keys = rows.map((row) =>
      def.primaryKey.map((field) => JSON.stringify(row[field])).join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  },
);
