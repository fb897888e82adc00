import fc from "fast-check";
import { expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { requestsByPage } from "../../src/core/windows.js";
import { bench, readAll, type Bench } from "./support/client.js";
import { send, serve, type Handler, type Seen } from "./support/server.js";

/** Rows are inserted and deleted while a listing is read, over real HTTP. */

/** What happens to the list before a request is answered. */
interface Change {
  /** Before which request, from 1. */
  readonly before: number;
  readonly kind: "insert" | "delete";
  /** Where, as a share of the list's length then. */
  readonly at: number;
  readonly rows: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  before: fc.integer({ min: 1, max: 24 }),
  kind: fc.constantFrom("insert", "delete"),
  // The borders of the list are where most goes wrong.
  at: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  rows: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.nat(25)),
});
const changes = fc.array(change, { maxLength: 14 });
const total = fc.integer({ min: 0, max: 130 });
const size = fc.integer({ min: 7, max: 20 });

/** A list that changes by itself. Keys grow along the list, so that a row may be put between any two. */
class Moving {
  ids: number[];
  readonly gone = new Set<number>();
  readonly #changes: readonly Change[];
  #requests = 0;

  constructor(rows: number, given: readonly Change[]) {
    this.ids = Array.from({ length: rows }, (_, i) => (i + 1) * 1_000_000);
    this.#changes = given;
  }

  /** Another request has come. */
  step(): void {
    this.#requests += 1;
    for (const { before, kind, at, rows } of this.#changes) {
      if (before !== this.#requests) continue;
      const index = Math.min(this.ids.length, Math.floor(at * (this.ids.length + 1)));
      if (kind === "delete") for (const id of this.ids.splice(index, rows)) this.gone.add(id);
      else for (let n = 0; n < rows; n++) this.#insert(index);
    }
  }

  #insert(index: number): void {
    const [low = 0, high] = [this.ids[index - 1], this.ids[index]];
    const id = high === undefined ? low + 1_000_000 : Math.floor((low + high) / 2);
    if (id > low && id !== high) this.ids.splice(index, 0, id);
  }
}

const items = (ids: readonly number[]) => ids.map((id) => ({ id }));

/** A list of its own for each case; one server for them all. */
async function server(answer: (list: Moving, query: Seen["query"]) => Parameters<typeof send>[1]) {
  const held: { list: Moving } = { list: new Moving(0, []) };
  const handler: Handler = ({ query }, response) => {
    held.list.step();
    send(response, answer(held.list, query));
  };
  const { url, requests } = await serve(handler);
  return { url, requests, held };
}

const byPage = () =>
  server(({ ids }, { page, per_page }) => {
    const [number, rows] = [Number(page ?? 1), Number(per_page)];
    return { body: items(ids.slice((number - 1) * rows, number * rows)) };
  });

/** Keyset: what stands behind the row that the cursor names, whether that is still there or not. */
const byCursor = () =>
  server(({ ids }, { cursor, per_page }) => {
    const after = cursor === "true" ? 0 : Number(cursor);
    const rest = ids.filter((id) => id > after);
    const body = items(rest.slice(0, Number(per_page)));
    const next = rest.length > body.length ? body.at(-1)?.id : undefined;
    return { body, headers: next === undefined ? {} : { "x-next-cursor": String(next) } };
  });

async function idsOf(reader: Bench): Promise<readonly number[] | ConnectorError> {
  try {
    return (await readAll(reader.source())).map((row) => (row as { id: number }).id);
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}

const warnings = ({ events }: Bench) =>
  events.flatMap((e) => (e.type === "warning" ? [e.message] : []));

test("by page, any row that is there all the while comes exactly once, or the listing fails", async () => {
  const { url, held } = await byPage();
  let complete = 0;
  let reread = 0;
  const runs = 500;
  await fc.assert(
    fc.asyncProperty(total, size, changes, async (rows, pageSize, given) => {
      const before = new Moving(rows, given);
      held.list = before;
      const there = [...before.ids];
      const reader = bench(url, { pageSize, pagination: "page" });

      const read = await idsOf(reader);

      if (read instanceof ConnectorError) {
        expect(read.kind).toBe("api_contract");
        return;
      }
      complete += 1;
      const told = warnings(reader);
      if (told.some((line) => line.includes("pages read again"))) reread += 1;
      if (told.some((line) => line.includes("may be missed"))) return;
      expect(new Set(read).size).toBe(read.length);
      const came = new Set(read);
      expect(there.filter((id) => !before.gone.has(id) && !came.has(id))).toEqual([]);
    }),
    { numRuns: runs },
  );
  // Failing is the exception, and the seams are what is at stake.
  expect(complete).toBeGreaterThan(runs * 0.98);
  expect(reread).toBeGreaterThan(runs / 10);
}, 120_000);

test("rows deleted or inserted at any place and moment make no other row go missing", async () => {
  const { url, held } = await byPage();
  const missing: object[] = [];
  for (const [kind, many] of [
    ["delete", 1],
    ["delete", 3],
    ["insert", 1],
  ] as const) {
    for (let before = 2; before <= 6; before++) {
      for (let index = 0; index <= 31; index++) {
        const list = new Moving(31, [{ before, kind, at: (index + 0.5) / 32, rows: many }]);
        held.list = list;
        const there = [...list.ids];

        const read = await idsOf(bench(url, { pageSize: 8, pagination: "page" }));

        const came = read instanceof ConnectorError ? [] : read;
        const lost = there.filter((id) => !list.gone.has(id) && !came.includes(id));
        if (lost.length > 0 || new Set(came).size !== came.length) {
          missing.push({ kind, many, before, index, lost });
        }
      }
    }
  }
  expect(missing).toEqual([]);
}, 60_000);

test("a listing that nobody disturbs takes exactly the requests that were counted on, and no warning", async () => {
  const { url, held, requests } = await byPage();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 130 }), size, async (rows, pageSize) => {
      held.list = new Moving(rows, []);
      const already = requests.length;
      const reader = bench(url, { pageSize, pagination: "page" });

      const read = await idsOf(reader);

      expect(read).toEqual(held.list.ids);
      expect(requests.length - already).toBe(requestsByPage(rows, pageSize));
      expect(warnings(reader)).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("overlaps cost at most one request up to 10,000 rows of 500, and at most 7 percent beyond", () => {
  for (let rows = 1; rows <= 200_000; rows += 37) {
    const fewest = Math.ceil(rows / 500) + 1;
    const more = requestsByPage(rows, 500) - fewest;
    expect(more, String(rows)).toBeLessThanOrEqual(rows <= 10_000 ? 1 : 2 + fewest * 0.07);
  }
});

test("by cursor, any row that is there all the while comes exactly once, or the listing fails", async () => {
  const { url, held } = await byCursor();
  let complete = 0;
  const runs = 250;
  await fc.assert(
    fc.asyncProperty(total, size, changes, async (rows, pageSize, given) => {
      const list = new Moving(rows, given);
      held.list = list;
      const there = [...list.ids];
      const reader = bench(url, { pageSize, pagination: "cursor" });

      const read = await idsOf(reader);

      if (read instanceof ConnectorError) {
        // The probe met a list that had just become too short to tell how it is paged.
        expect(read.message).toContain("answered without a cursor, and pages by number");
        return;
      }
      complete += 1;
      expect(new Set(read).size).toBe(read.length);
      expect(there.filter((id) => !list.gone.has(id) && !read.includes(id))).toEqual([]);
    }),
    { numRuns: runs },
  );
  expect(complete).toBeGreaterThan(runs * 0.95);
}, 60_000);
