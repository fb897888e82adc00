import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { child } from "../children.js";
import { bigQueryDesk, ENDPOINT, SKIPPED } from "./support.js";

/** Kills in each test; more with `KB4_TEST_KILLS`. */
const KILLS = Number(process.env["KB4_TEST_KILLS"] ?? 4);

/**
 * The process is killed at any moment, again and again. Numbers are appended in commits of three, from
 * where the state stands: one that is missing was lost, one that is there twice was not fenced off.
 */
describe.skipIf(ENDPOINT === undefined)(`BigQuery, killed${SKIPPED}`, () => {
  test(
    "rows and state agree however often the process is killed",
    { timeout: 600_000 },
    async () => {
      const { dataset, spool, query, loader } = await bigQueryDesk();
      const standing = async () => {
        const [left] = await query(
          "SELECT COUNT(*) AS n, COUNT(DISTINCT n) AS apart, MAX(n) AS last FROM {d}.numbers",
        );
        return left!;
      };
      for (let kill = 0; kill < KILLS; kill += 1) {
        const counting = child(["count", `${ENDPOINT ?? ""}#${dataset}#${spool}`]);
        await counting.next();
        await sleep(Math.random() * 3_000);
        await counting.kill();
        const told = Math.max(...counting.said.map(Number));

        const left = await standing();

        expect(left["n"]).toBe(left["last"]);
        expect(left["apart"]).toBe(left["last"]);
        expect(left["last"]).toBeGreaterThanOrEqual(told);
      }

      await loader({ mode: "append" }).prepare();
      const end = await standing();
      const [state] = await query(
        "SELECT JSON_VALUE(state, '$.cursor') AS at FROM {d}._kb4_state WHERE stream = 'numbers'",
      );
      expect(end["n"]).toBe(end["last"]);
      expect(Date.parse(state!["at"] as string) / 1000).toBe(Number(end["last"]));
    },
  );
});
