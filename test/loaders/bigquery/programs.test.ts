import { describe, expect, test } from "vitest";

import { columnsOf } from "../../../src/core/columns.js";
import {
  account,
  ALL,
  DEFAULTS,
  defOf,
  keyOf,
  lines,
  truth,
  type Account,
  type Row,
} from "../../cli/support/account.js";
import { run, type Ended } from "../../cli/support/program.js";
import { forget, isOf, loaded, manager, printed } from "../../cli/support/someone.js";
import { canonical, type Json } from "../../../src/core/json.js";
import { bigQueryDesk, ENDPOINT, PROJECT, SKIPPED, type BigQueryDesk } from "./support.js";

/** From an account into BigQuery and what is asked of it afterwards, by the programs that people run. */

const patience = { timeout: 600_000 };

const destination = ({ dataset }: BigQueryDesk): Readonly<Record<string, unknown>> => ({
  destination: {
    type: "bigquery",
    project: PROJECT,
    dataset,
    create_dataset: true,
    api_endpoint: ENDPOINT,
  },
});

const knowbe4 = (a: Account, command: string, config: string, ...flags: string[]): Promise<Ended> =>
  run("knowbe4", [command, "--config", config, ...flags], { cwd: a.cwd });

/** Rows of a stream in the declared shape. */
async function held({ query }: BigQueryDesk, stream: string): Promise<readonly Row[]> {
  const names = columnsOf(defOf(stream)).map(({ name }) => name);
  const rows = await query(`SELECT * FROM {d}.${stream}`);
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
}

describe.skipIf(ENDPOINT === undefined)(`BigQuery, whole programs${SKIPPED}`, () => {
  test(
    "sync fills every table with the account's truth, a day later too, and verify tells what is missing",
    patience,
    async () => {
      const a = await account({ users: 40, tests: 6 });
      const desk = await bigQueryDesk();
      const config = a.config(destination(desk));

      const first = await knowbe4(a, "sync", config);
      expect(first.code, first.stderr).toBe(0);
      for (const stream of DEFAULTS) {
        expect(lines(await held(desk, stream)), stream).toEqual(lines(truth(a, stream)));
      }
      a.simulator.advance(1);
      const second = await knowbe4(a, "sync", config);
      expect(second.code, second.stderr).toBe(0);
      for (const stream of DEFAULTS) {
        const rows = await held(desk, stream);
        expect(lines(rows), stream).toEqual(expect.arrayContaining([...lines(truth(a, stream))]));
        expect(new Set(rows.map(keyOf(stream))).size, stream).toBe(rows.length);
      }

      const equal = await knowbe4(a, "verify", config);
      await desk.client.query(
        `DELETE FROM ${desk.dataset}.users WHERE id = (SELECT MAX(id) FROM ${desk.dataset}.users)`,
      );
      const differs = await knowbe4(a, "verify", config);

      expect(equal.code, equal.stderr + equal.stdout).toBe(0);
      expect(differs.code).toBe(6);
      expect(differs.stderr).toContain("verify: 1 stream differs from the API: users");
    },
  );

  test("forget takes a person out of its tables, the rejects and the state", patience, async () => {
    const a = await account({ users: 12, tests: 2 });
    const who = manager(a);
    const desk = await bigQueryDesk();
    const { config } = await loaded(a, who, destination(desk));
    const everything = async () => {
      const tables = await Promise.all(
        [...ALL, "_kb4_rejects", "_kb4_state"].map((table) =>
          desk.query(`SELECT * FROM {d}.${table}`),
        ),
      );
      return tables.flat().map((row) => canonical(row as Json));
    };
    const before = await everything();

    const counted = await forget(a, config, "--email", who.email, "--dry-run");
    const unchanged = await everything();
    const ended = await forget(a, config, "--email", who.email, "--yes");
    const again = await forget(a, config, "--id", who.id, "--yes");

    expect([counted.code, ended.code, again.code], ended.stderr).toEqual([0, 0, 0]);
    expect(unchanged.toSorted()).toEqual(before.toSorted());
    expect(ended.stdout).toBe(counted.stdout);
    expect(printed(ended)).toMatchObject({
      users: expect.stringMatching(/^1 row/) as string,
      _kb4_state: "1 bookmark",
    });
    expect(Object.values(printed(again)).filter((cell) => /[1-9]/.test(cell))).toEqual([]);
    expect(before.filter(isOf(who)).length).toBeGreaterThan(10);
    const after = await everything();
    expect(after.filter(isOf(who))).toEqual([]);
    expect(before.length - after.length).toBe(
      before.filter((line) => isOf(who)(line) && !line.includes(`"manager_email":"${who.email}"`))
        .length,
    );
    expect(await knowbe4(a, "sync", config, "--streams", ALL.join(","))).toMatchObject({ code: 0 });
  });
});
