import { describe, expect, test } from "vitest";

import type { Simulator, StreamName } from "../../src/simulator/index.js";
import {
  body,
  byCursor,
  byPage,
  get,
  known,
  PAGED,
  simulated,
  SOURCES,
  STREAM_NAMES,
} from "./support.js";

type Walk = typeof byPage;

/** All rows of a stream, with what its parent adds, one line of JSON each. */
async function linesOf(simulator: Simulator, stream: StreamName, walk: Walk): Promise<string[]> {
  const lines: string[] = [];
  for (const [path, added] of SOURCES[stream](simulator.account)) {
    for await (const rows of walk(simulator, path)) {
      for (const row of rows) lines.push(JSON.stringify({ ...added, ...row }));
    }
  }
  return lines;
}

const linesKnown = (simulator: Simulator, stream: StreamName) =>
  known(simulator.account, stream).map((row) => JSON.stringify(row));

/** What is not paged comes whole, to whichever page is asked for. */
async function* whole(simulator: Simulator, path: string) {
  const answer = await body(simulator, path);
  yield Array.isArray(answer) ? answer : [answer];
}

describe.each(PAGED)("%s", (stream) => {
  test.each([
    ["by page", byPage, 500],
    ["by cursor", byCursor, 500],
    ["by small pages", byPage, 7],
    ["by cursor, in small pages", byCursor, 7],
  ] as const)("comes complete and in order %s", async (_, walk, pageCap) => {
    const simulator = await simulated({ pageCap });

    const lines = await linesOf(simulator, stream, walk);

    expect(lines).toEqual(linesKnown(simulator, stream));
    expect(lines.length).toBeGreaterThan(3);
  });
});

test.each(STREAM_NAMES.filter((s) => !PAGED.includes(s)))("%s comes whole", async (stream) => {
  const simulator = await simulated({ pageCap: 7 });

  expect(await linesOf(simulator, stream, whole)).toEqual(linesKnown(simulator, stream));
});

test("a page has a hundred rows unless asked otherwise, and never more than five hundred", async () => {
  const simulator = await simulated({ users: 700 });
  const sizeOf = async (query: string) => (await body(simulator, `/v1/users${query}`)).length;

  expect(await sizeOf("")).toBe(100);
  expect(await sizeOf("?per_page=20")).toBe(20);
  expect(await sizeOf("?per_page=9000")).toBe(500);
  expect(await sizeOf("?cursor=true")).toBe(100);
  expect(await sizeOf("?per_page=nonsense")).toBe(100);
});

test("a page beyond the last is empty", async () => {
  const simulator = await simulated();

  const { status, text } = await get(simulator, "/v1/users?page=9");

  expect([status, text]).toEqual([200, "[]"]);
});

test("the next cursor stands in a header, until there is no next page", async () => {
  const simulator = await simulated();
  const ids = known(simulator.account, "users").map(({ id }): number => id);

  const first = await get(simulator, "/v1/users?cursor=true&per_page=20");
  const last = await get(simulator, `/v1/users?cursor=${ids.at(-2)!}`);

  expect(first.headers.get("x-next-cursor")).toBe(String(ids[19]));
  expect(JSON.parse(last.text)).toHaveLength(1);
  expect(last.headers.has("x-next-cursor")).toBe(false);
});

test("the next cursor may stand in the body, around the rows", async () => {
  const simulator = await simulated({ cursorIn: "envelope" });
  const ids = known(simulator.account, "users").map(({ id }): number => id);

  const first = await get(simulator, "/v1/users?cursor=true&per_page=20");
  const last = await body(simulator, `/v1/users?cursor=${ids.at(-2)!}`);
  const after = await get(simulator, `/v1/users?cursor=${ids.at(-1)!}`);

  expect(first.headers.has("x-next-cursor")).toBe(false);
  expect(JSON.parse(first.text)).toMatchObject({
    data: { length: 20 },
    pagination: { per_page: 20, next_cursor: ids[19] },
  });
  expect(last.pagination.next_cursor).toBeNull();
  expect(after.text).toBe("[]");
  expect(await body(simulator, "/v1/users?page=1")).toBeInstanceOf(Array);
});

test("an account that pages only by number ignores cursors", async () => {
  const simulator = await simulated({ paging: "page" });

  const { headers, text } = await get(simulator, "/v1/users?cursor=true&page=2&per_page=20");

  expect(headers.has("x-next-cursor")).toBe(false);
  expect(text).toBe(JSON.stringify(known(simulator.account, "users").slice(20, 40)));
});

test("an account that pages only by cursor ignores page numbers", async () => {
  const simulator = await simulated({ paging: "cursor" });

  const { headers, text } = await get(simulator, "/v1/users?page=2&per_page=20");

  expect(headers.has("x-next-cursor")).toBe(true);
  expect(text).toBe(JSON.stringify(known(simulator.account, "users").slice(0, 20)));
});

test("a cursor that is none of ours is refused", async () => {
  const simulator = await simulated();

  const { status, text } = await get(simulator, "/v1/users?cursor=abc");

  expect([status, JSON.parse(text)]).toEqual([400, { message: "Invalid cursor" }]);
});

test("at most ten training campaigns come at once while their percentages are counted", async () => {
  const simulator = await simulated({ trainingCampaigns: 24 });

  const counted = await body(simulator, "/v1/training/campaigns?per_page=500");
  const second = await body(simulator, "/v1/training/campaigns?per_page=500&page=2");
  const plain = await body(
    simulator,
    "/v1/training/campaigns?per_page=500&exclude_percentages=true",
  );

  expect(counted).toHaveLength(10);
  expect(counted[0]).toHaveProperty("completion_percentage");
  expect(second[0].campaign_id).toBe(plain[10].campaign_id);
  expect(plain).toHaveLength(24);
  expect(plain[0]).not.toHaveProperty("completion_percentage");
});
