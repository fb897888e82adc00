import { describe, expect, test } from "vitest";

import { PEOPLE } from "../support.js";
import { bigQueryDesk, ENDPOINT, SKIPPED } from "./support.js";

describe.skipIf(ENDPOINT === undefined)(`BigQuery${SKIPPED}`, { timeout: 60_000 }, () => {
  test("merge leaves one row per key, and untouched what did not change", async () => {
    const { load, query, tables } = await bigQueryDesk();
    await load(PEOPLE, [
      { id: 1, name: "Ada" },
      { id: 2, name: "Bob" },
    ]);
    const rows = "SELECT id, name, _kb4_load_id AS load FROM {d}.people ORDER BY id";
    const [ada] = await query(rows);

    await load(PEOPLE, [
      { id: 1, name: "Ada" },
      { id: 2, name: "Robert" },
      { id: 3, name: "Cyd" },
    ]);

    const now = await query(rows);
    expect(now.map((row) => row["name"])).toEqual(["Ada", "Robert", "Cyd"]);
    expect(now[0]).toEqual(ada);
    expect(await tables()).toEqual(["_kb4_loads", "_kb4_rejects", "_kb4_state", "people"]);
  });
});
