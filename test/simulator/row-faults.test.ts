import { expect, test } from "vitest";

import { HOSTILE, type Fault, type Simulator } from "../../src/simulator/index.js";
import { body, byCursor, byPage, get, known, simulated, type Seen } from "./support.js";

/** A small account in which a fault happens to some page of its people, twenty to a page. */
const withFault = (fault: Fault, page = 1, times = 1) =>
  simulated({ pageCap: 20, faults: [{ match: { stream: "users", page }, times, fault }] });

const idsOf = (simulator: Simulator) =>
  known(simulator.account, "users").map(({ id }): number => id);

async function pages(walk: AsyncGenerator<Seen[]>, limit = 10): Promise<number[][]> {
  const ids: number[][] = [];
  for await (const rows of walk) {
    ids.push(rows.map(({ id }) => id));
    if (ids.length === limit) break;
  }
  return ids;
}

const inPages = (simulator: Simulator, limit?: number) =>
  pages(byPage(simulator, "/v1/users"), limit);

const byCursors = (simulator: Simulator, limit?: number) =>
  pages(byCursor(simulator, "/v1/users"), limit);

test("a server that ignores page numbers gives its first page again and again", async () => {
  const simulator = await simulated({ pageCap: 20 });
  simulator.addFault({ match: {}, times: Infinity, fault: { kind: "ignorePage" } });
  const first = idsOf(simulator).slice(0, 20);

  expect(await inPages(simulator, 3)).toEqual([first, first, first]);
});

test("a server that ignores cursors gives its first page, and no cursor", async () => {
  const simulator = await withFault({ kind: "ignoreCursor" });

  expect(await byCursors(simulator)).toEqual([idsOf(simulator).slice(0, 20)]);
});

test("a page comes again in place of the next", async () => {
  const ids = (simulator: Simulator) => idsOf(simulator).slice(0, 20);
  const numbered = await withFault({ kind: "repeatPage" }, 2);
  const cursors = await withFault({ kind: "repeatPage" }, 2);

  expect((await inPages(numbered)).slice(0, 2)).toEqual([ids(numbered), ids(numbered)]);
  expect((await byCursors(cursors, 2))[1]).toEqual(ids(cursors));
});

test("a cursor comes again", async () => {
  const simulator = await withFault({ kind: "repeatCursor" }, 2);
  const cursor = idsOf(simulator)[19];

  const { headers } = await get(simulator, `/v1/users?cursor=${cursor!}&per_page=20`);

  expect(headers.get("x-next-cursor")).toBe(String(cursor));
});

test.each([inPages, byCursors])("a page is short, and nothing is missing", async (walk) => {
  const simulator = await withFault({ kind: "shortPage", rows: 3 }, 2);

  const ids = await walk(simulator);

  expect(ids.flat()).toEqual(idsOf(simulator));
  expect(ids[1]).toHaveLength(3);
  // What was short stays so: otherwise a second reader would miss rows.
  expect((await inPages(simulator)).flat()).toEqual(idsOf(simulator));
});

test.each([inPages, byCursors])("a page size is lowered without a word", async (walk) => {
  const simulator = await simulated({ pageCap: 20 });
  simulator.addFault({ match: {}, times: Infinity, fault: { kind: "capPerPage", rows: 9 } });

  const ids = await walk(simulator);

  expect(ids[0]).toHaveLength(9);
  expect(ids.flat()).toEqual(idsOf(simulator));
});

test("a row deleted between two pages hides another from whoever counts pages", async () => {
  const simulator = await withFault({ kind: "drift", change: "delete" });
  const ids = idsOf(simulator);

  const numbered = (await inPages(simulator)).flat();

  expect(ids.filter((id) => !numbered.includes(id))).toEqual([ids[20]]);
  expect((await byCursors(simulator)).flat()).toEqual(ids.slice(1));
});

test("a row inserted between two pages repeats another to whoever counts pages", async () => {
  const simulator = await withFault({ kind: "drift", change: "insert" });
  const ids = idsOf(simulator);

  const numbered = (await inPages(simulator)).flat();

  expect(numbered).toEqual([...ids.slice(0, 20), ...ids.slice(19)]);
  expect((await byCursors(simulator)).flat()).toEqual([ids[0]! - 1, ...ids]);
  const { headers } = await get(simulator, "/v1/users?cursor=true&per_page=1");
  expect(headers.get("x-next-cursor")).toBe(String(ids[0]! - 1));
});

test.each(["delete", "insert"] as const)("a cursor does not mind an %s", async (change) => {
  const simulator = await withFault({ kind: "drift", change });

  expect((await byCursors(simulator)).flat()).toEqual(idsOf(simulator));
});

test("what drifted is back in place once the faults are taken back", async () => {
  const simulator = await withFault({ kind: "drift", change: "delete" });
  await get(simulator, "/v1/users");

  simulator.clearFaults();

  expect((await byCursors(simulator)).flat()).toEqual(idsOf(simulator));
});

test("an account looks empty", async () => {
  const simulator = await simulated();
  simulator.addFault({ match: {}, times: Infinity, fault: { kind: "empty" } });

  expect((await get(simulator, "/v1/users?cursor=true")).text).toBe("[]");
  expect((await get(simulator, "/v1/account/risk_score_history")).text).toBe("[]");
  expect((await get(simulator, "/v1/account")).text).not.toBe("[]");
});

test("a field of the first row, or of all rows, has another value", async () => {
  const fault = { kind: "field", field: "first_name", value: { json: ["x"] } } as const;
  const first = await body(await withFault(fault), "/v1/users");
  const every = await body(await withFault({ ...fault, rows: "all" }), "/v1/users");
  const names = (rows: Seen[]) => rows.filter(({ first_name }) => Array.isArray(first_name));

  expect(names(first)).toEqual([first[0]]);
  expect(names(every)).toHaveLength(20);
});

test("a field within a field has another value", async () => {
  const simulator = await simulated();
  const fault = { kind: "field", field: "user.first_name", value: { json: 7 } } as const;
  simulator.addFault({ match: {}, fault: { ...fault, rows: "all" } });

  const rows: Seen[] = await body(simulator, "/v1/training/enrollments");

  const { first_name: _, ...rest } = known(simulator.account, "enrollments")[0]!["user"];
  expect(rows[0]!["user"]).toMatchObject({ first_name: 7, last_name: rest.last_name });
});

test.each(Object.entries(HOSTILE))("%s comes through as it was written", async (_, value) => {
  const { text } = await get(
    await withFault({ kind: "field", field: "comment", value }),
    "/v1/users",
  );

  const written = "raw" in value ? value.raw : JSON.stringify(value.json);
  expect(text).toContain(`"comment":${written},`);
  expect(() => void JSON.parse(text)).not.toThrow();
});

test("a field has very much text", async () => {
  const value = { megabytes: 3 };
  const rows = await body(await withFault({ kind: "field", field: "comment", value }), "/v1/users");

  expect(rows[0].comment).toHaveLength(3 * 2 ** 20);
});

test("a field named like a prototype's is plain data", async () => {
  const fault = { kind: "field", field: "__proto__", value: { json: { evil: true } } } as const;

  const { text } = await get(await withFault(fault), "/v1/users");

  expect(text).toContain('"__proto__":{"evil":true}');
});

test("a field is missing, or has another name", async () => {
  const omitted = await withFault({ kind: "omit", field: "id", rows: "all" });
  const renamed = await withFault({ kind: "rename", field: "id", to: "user_id" });

  const without: Seen[] = await body(omitted, "/v1/users");
  const [first, second]: Seen[] = await body(renamed, "/v1/users");

  const [before, after] = known(renamed.account, "users");
  const { id, ...rest } = before!;
  expect(without.filter((row) => "id" in row)).toEqual([]);
  expect(first).toEqual({ ...rest, user_id: id });
  expect(second).toEqual(after);
});

test("a row comes twice, the second time changed", async () => {
  const simulator = await withFault({ kind: "duplicate", with: { comment: "again" } });

  const rows = await body(simulator, "/v1/users");

  expect(rows).toHaveLength(21);
  expect(rows[20]).toEqual({ ...rows[0], comment: "again" });
});

test("rows of what is not paged have faults too", async () => {
  const simulator = await simulated();
  simulator.addFault({ match: {}, times: 2, fault: { kind: "omit", field: "name" } });

  expect(await body(simulator, "/v1/account")).not.toHaveProperty("name");
  const id: number = known(simulator.account, "groups")[0]!["id"];
  expect(await body(simulator, `/v1/groups/${id}`)).not.toHaveProperty("name");
});
