import fc from "fast-check";
import { expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { bench, readAll, rows } from "./support/client.js";

/** A server with any mixture of habits. */
interface Habits {
  readonly total: number;
  /** Most rows it gives at once. */
  readonly cap: number;
  readonly minds: { readonly perPage: boolean; readonly page: boolean; readonly cursor: boolean };
  readonly where: "header" | "body";
  /** Whether the last page with rows already says that it is the last. */
  readonly end: "no cursor" | "empty page";
  /** By page: how many rows a page lacks, page after page. */
  readonly gaps: readonly number[];
}

const habits: fc.Arbitrary<Habits> = fc.record({
  total: fc.integer({ min: 0, max: 60 }),
  cap: fc.integer({ min: 2, max: 15 }),
  minds: fc.record({ perPage: fc.boolean(), page: fc.boolean(), cursor: fc.boolean() }),
  where: fc.constantFrom("header", "body"),
  end: fc.constantFrom("no cursor", "empty page"),
  gaps: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 }),
});

/** Such a server as a function: what `fetch` would bring. */
function server(is: Habits): { fetch: typeof fetch; asked: () => number } {
  let asked = 0;
  const answer = (url: URL): Response => {
    asked++;
    const query = url.searchParams;
    const size = is.minds.perPage ? Math.min(is.cap, Number(query.get("per_page") ?? 100)) : is.cap;
    const cursor = is.minds.cursor ? query.get("cursor") : null;
    let from = 0;
    let give = size;
    if (cursor !== null) {
      from = cursor === "true" ? 0 : Number(cursor);
    } else if (is.minds.page) {
      const page = Number(query.get("page") ?? 1);
      // A page that is short down to one row looks like a whole listing of one row.
      const sizeOf = (p: number) => Math.max(Math.min(2, size), size - (is.gaps[p - 1] ?? 0));
      for (let p = 1; p < page; p++) from += sizeOf(p);
      give = sizeOf(page);
    }
    const to = Math.min(is.total, from + give);
    const body = rows(Math.max(0, to - from), from + 1);
    const isLast = is.end === "no cursor" ? to >= is.total : body.length === 0;
    const next = cursor === null || isLast ? null : to;
    if (is.where === "header") {
      return Response.json(
        body,
        next === null ? {} : { headers: { "x-next-cursor": String(next) } },
      );
    }
    return Response.json(
      cursor === null ? body : { data: body, pagination: { next_cursor: next } },
    );
  };
  const fake = (input: unknown): Promise<Response> =>
    Promise.resolve(answer(new URL(String(input))));
  return { fetch: fake, asked: () => asked };
}

async function idsOrFault(read: Promise<unknown[]>): Promise<number[] | ConnectorError> {
  try {
    return (await read).map((row) => (row as { id: number }).id);
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}

test("any page sizes and any habits of a server give every row exactly once or an error, never a loop", async () => {
  const pageSize = fc.integer({ min: 1, max: 15 });
  const pagination = fc.constantFrom("auto", "page", "cursor");
  const earlier = fc.constantFrom("page", "cursor", null);
  let complete = 0;
  await fc.assert(
    fc.asyncProperty(habits, pageSize, pagination, earlier, async (is, size, way, before) => {
      // One row at a time, whatever is asked for: the brink of what can be told apart.
      fc.pre(size > 1 || (is.minds.page && is.minds.cursor));
      const { fetch, asked } = server(is);
      const { source } = bench("http://127.0.0.1:1", { fetch, pageSize: size, pagination: way });
      const reader = source({ paging: before });

      const result = await idsOrFault(readAll(reader));

      expect(asked()).toBeLessThanOrEqual(is.total + 6);
      if (result instanceof ConnectorError) {
        expect(result.kind).toBe("api_contract");
        return;
      }
      complete++;
      expect(result).toEqual(rows(is.total).map((row) => row.id));
    }),
    {
      numRuns: 800,
      examples: [
        // A short page in the middle, so that none begins where the sizes say: nothing moves, all the same.
        [
          {
            total: 17,
            cap: 9,
            minds: { perPage: true, page: true, cursor: false },
            where: "header",
            end: "no cursor",
            gaps: [4],
          },
          9,
          "auto",
          "page",
        ],
      ],
    },
  );
  expect(complete).toBeGreaterThan(250);
}, 120_000);

test("any server that minds cursors or pages is read completely when left to find out", async () => {
  await fc.assert(
    fc.asyncProperty(habits, fc.integer({ min: 2, max: 15 }), async (is, size) => {
      const works = is.minds.cursor ? is.minds.perPage : is.minds.page;
      fc.pre(works);
      const { fetch } = server(is);
      const { source } = bench("http://127.0.0.1:1", { fetch, pageSize: size });

      const result = await idsOrFault(readAll(source()));

      expect(result).toEqual(rows(is.total).map((row) => row.id));
    }),
    { numRuns: 300 },
  );
}, 120_000);

test("any rows put in front between pages are never given twice in neighbouring pages", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
      async (inserts) => {
        const list = rows(40).map((row) => row.id);
        let n = 0;
        let next = 1_000;
        const fake = (input: unknown): Promise<Response> => {
          for (let i = inserts[n++] ?? 0; i > 0; i--) list.unshift(next++);
          const page = Number(new URL(String(input)).searchParams.get("page"));
          return Promise.resolve(
            Response.json(list.slice((page - 1) * 10, page * 10).map((id) => ({ id }))),
          );
        };
        const { source } = bench("http://127.0.0.1:1", {
          fetch: fake,
          pageSize: 10,
          pagination: "page",
        });

        const read = await idsOrFault(readAll(source()));

        expect(read).not.toBeInstanceOf(ConnectorError);
        const ids = read as number[];
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.filter((id) => id <= 40).sort((a, b) => a - b)).toEqual(
          rows(40).map((r) => r.id),
        );
      },
    ),
    { numRuns: 100 },
  );
});
