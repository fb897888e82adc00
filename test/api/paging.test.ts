import { setTimeout as soon } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { bench, errorOf, readAll, readPages, rows } from "./support/client.js";
import { account, queries } from "./support/account.js";
import { send, serve } from "./support/server.js";

describe("by page", () => {
  const BY_PAGE = { pagination: "page", pageSize: 10 } as const;

  test("goes on until a page is empty", async () => {
    const server = await account({ total: 25, by: "page" });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(25));
    // Page 2 of 9 begins with the last row of page 1 of 10, and so on: rows that move show.
    expect(queries(server)).toEqual(
      ["1/10", "2/9", "3/8", "3/10", "4/10"].map((asked) => {
        const [page, per_page] = asked.split("/");
        return { page, per_page };
      }),
    );
  });

  test("ends after a full last page as well", async () => {
    const server = await account({ total: 18, by: "page" });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(18));
    expect(server.requests).toHaveLength(4);
  });

  test("takes two requests where everything is on page 1", async () => {
    const server = await account({ total: 9, by: "page" });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(9));
    expect(server.requests).toHaveLength(2);
  });

  test("never takes a short page for the end", async () => {
    const server = await account({ total: 24, by: "page", short: { 1: 9, 2: 1 } });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(24));
  });

  test("reads everything where the server lowers per_page", async () => {
    const server = await account({ total: 25, by: "page", cap: 4 });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(25));
  });

  test("fails on a server that ignores page, and has handed on each row once", async () => {
    const server = await serve((_, response) => send(response, { body: rows(10) }));
    const { source } = bench(server.url, BY_PAGE);

    const error = await errorOf(readAll(source()));

    expect(server.requests).toHaveLength(2);
    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe("users: GET /v1/users answered with a page that came before");
    expect(error.hint).toContain("pagination");
  });

  test("fails on pages that come round again, however far apart", async () => {
    const server = await serve(({ query }, response) => {
      send(response, { body: rows(10, 1 + 10 * (Number(query["page"]) % 7)) });
    });

    const error = await errorOf(readAll(bench(server.url, BY_PAGE).source()));

    expect(error.kind).toBe("api_contract");
    expect(server.requests).toHaveLength(8);
  });

  test("leaves out rows that moved on to the next page, and says so once", async () => {
    // Two rows are put in front before each page.
    const moved = [rows(10), rows(9, 8), rows(8, 13), rows(8, 15), []];
    const server = await serve((_, response, n) => send(response, { body: moved[n - 1] }));
    const { source, events } = bench(server.url, BY_PAGE);

    expect(await readAll(source())).toEqual(rows(22));
    expect(events.filter((e) => e.type === "warning")).toEqual([
      {
        type: "warning",
        stream: "users",
        message: "GET /v1/users: 6 rows came again on the next page: left out there",
      },
    ]);
  });

  test("reads page 1 again where a row on it was deleted, and misses none", async () => {
    const ids = rows(25).map(({ id }) => id);
    const server = await serve(({ query }, response, n) => {
      if (n === 2) ids.splice(3, 1);
      const [page, size] = [Number(query["page"]), Number(query["per_page"])];
      send(response, { body: ids.slice((page - 1) * size, page * size).map((id) => ({ id })) });
    });
    const { source, events } = bench(server.url, BY_PAGE);

    const read = await readAll(source());

    expect(read.map((row) => (row as { id: number }).id).sort((a, b) => a - b)).toEqual(
      rows(25).map(({ id }) => id),
    );
    expect(queries(server).map(({ page, per_page }) => `${page ?? ""}/${per_page ?? ""}`)).toEqual([
      "1/10",
      "2/9",
      "1/10",
      "2/9",
      "3/8",
      "3/10",
      "4/10",
    ]);
    expect(events.flatMap((e) => (e.type === "warning" ? [e.message] : []))).toEqual([
      "GET /v1/users: rows moved while it was read: pages read again: 1",
    ]);
  });

  test("says once of a stream that its pages cannot be made to overlap", async () => {
    const server = await serve(({ query }, response) => {
      const from = 10 * (Number(query["page"]) - 1);
      send(response, { body: rows(Math.max(0, Math.min(10, 25 - from)), from + 1) });
    });
    const { source, events } = bench(server.url, BY_PAGE);
    const reader = source();

    expect([await readAll(reader), await readAll(reader)]).toEqual([rows(25), rows(25)]);
    expect(server.requests).toHaveLength(8);
    expect(events.flatMap((e) => (e.type === "warning" ? [e.message] : []))).toEqual([
      "GET /v1/users: its pages do not overlap: rows that move while it is read may be missed",
    ]);
  });

  test("asks for a page only when the one before has been taken", async () => {
    const server = await account({ total: 30, by: "page" });
    const asked: number[] = [];
    for (const page of await readPages(bench(server.url, BY_PAGE).source())) {
      expect(page.receivedAt).toBe("2026-06-01T00:00:00.000Z");
    }
    const { source } = bench(server.url, BY_PAGE);
    const before = server.requests.length;
    const pages = source().pages(
      {
        stream: "users",
        endpoint: "/v1/users",
        path: "/v1/users",
        query: {},
        kind: "pages",
        itemKey: (i) => String((i as { id: number }).id),
      },
      new AbortController().signal,
    );
    for await (const _ of pages) {
      await soon(5);
      asked.push(server.requests.length - before);
    }

    expect(asked).toEqual([1, 2, 3, 4]);
  });
});

describe("by cursor", () => {
  const BY_CURSOR = { pagination: "cursor", pageSize: 10 } as const;

  test.each(["header", "body"] as const)(
    "follows the cursor in the %s to its end",
    async (where) => {
      const server = await account({ total: 25, by: "cursor", where });

      expect(
        await readAll(bench(server.url, BY_CURSOR).source(), { query: { status: "active" } }),
      ).toEqual(rows(25));
      expect(queries(server)).toEqual(
        ["true", "10", "20"].map((cursor) => ({ status: "active", cursor, per_page: "10" })),
      );
    },
  );

  test("ends on a full last page without a cursor", async () => {
    const server = await account({ total: 20, by: "cursor" });

    expect(await readAll(bench(server.url, BY_CURSOR).source())).toEqual(rows(20));
    expect(server.requests).toHaveLength(2);
  });

  test("ends on an empty page though it has a cursor", async () => {
    const server = await serve((_, response, n) => {
      send(response, { body: n === 1 ? rows(3) : [], headers: { "x-next-cursor": "7" } });
    });

    expect(await readAll(bench(server.url, BY_CURSOR).source())).toEqual(rows(3));
    expect(server.requests).toHaveLength(2);
  });

  test("fails on a cursor that comes again", async () => {
    const server = await serve((_, response, n) => {
      send(response, {
        body: rows(3, n * 3),
        headers: { "x-next-cursor": n % 2 === 0 ? "a" : "b" },
      });
    });

    const error = await errorOf(readAll(bench(server.url, BY_CURSOR).source()));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe("users: GET /v1/users answered with a cursor that came before");
    expect(server.requests).toHaveLength(3);
  });

  test("fails on a page that comes again under new cursors", async () => {
    const server = await serve((_, response, n) => {
      send(response, { body: rows(3), headers: { "x-next-cursor": String(n) } });
    });

    const error = await errorOf(readAll(bench(server.url, BY_CURSOR).source()));

    expect(error.message).toContain("a page that came before");
    expect(server.requests).toHaveLength(2);
  });

  test.each(["", "null"])("takes the header %j for no cursor", async (next) => {
    const server = await serve((_, response) =>
      send(response, { body: rows(1), headers: { "x-next-cursor": next } }),
    );

    expect(await readAll(bench(server.url, BY_CURSOR).source())).toEqual(rows(1));
  });

  test("keeps a cursor beyond 2^53 exactly", async () => {
    const server = await serve((_, response, n) => {
      const body = `{"data":[{"id":${String(n)}}],"pagination":{"next_cursor":9007199254740993}}`;
      send(response, { body: n === 1 ? body : [] });
    });

    await readAll(bench(server.url, BY_CURSOR).source());

    expect(queries(server)[1]).toEqual({ cursor: "9007199254740993", per_page: "10" });
  });
});

describe("by cursor on a server that pages by number", () => {
  const BY_CURSOR = { pagination: "cursor", pageSize: 10 } as const;

  test("fails in place of taking the first page for everything", async () => {
    const server = await account({ total: 25, by: "page" });

    const error = await errorOf(readAll(bench(server.url, BY_CURSOR).source()));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe(
      "users: GET /v1/users answered without a cursor, and pages by number",
    );
    expect(error.hint).toContain('set pagination to "auto"');
  });

  test("is told by one probe in a run", async () => {
    const server = await account({ total: 25, by: "page" });
    const reader = bench(server.url, BY_CURSOR).source();

    for (let i = 0; i < 3; i++) await errorOf(readAll(reader));

    expect(queries(server).filter((q) => q["per_page"] === "1")).toHaveLength(1);
  });
});

describe("a listing that comes whole", () => {
  const whole = { kind: "whole" } as const;

  test("is one request without paging", async () => {
    const server = await serve((_, response) => send(response, { body: rows(180) }));

    expect(
      await readAll(bench(server.url).source(), { ...whole, query: { full: "true" } }),
    ).toEqual(rows(180));
    expect(queries(server)).toEqual([{ full: "true" }]);
  });

  test.each([100, 500])("of exactly %i rows is not trusted: page 2 tells", async (count) => {
    const repeats = await serve((_, response) => send(response, { body: rows(count) }));
    const ends = await serve((_, response, n) =>
      send(response, { body: n === 1 ? rows(count) : [] }),
    );
    const refuses = await serve((_, response, n) =>
      send(response, n === 1 ? { body: rows(count) } : { status: 404 }),
    );

    for (const server of [repeats, ends, refuses]) {
      expect(await readAll(bench(server.url).source(), whole)).toEqual(rows(count));
      expect(queries(server)).toEqual([{}, { page: "2" }]);
    }
  });

  test("of exactly 100 rows that goes on is read to its end", async () => {
    const server = await account({ total: 230, by: "page" });

    expect(await readAll(bench(server.url).source(), whole)).toEqual(rows(230));
    expect(server.requests).toHaveLength(4);
  });

  test("fails where page 2 fails otherwise", async () => {
    const server = await serve((_, response, n) =>
      send(response, n === 1 ? { body: rows(100) } : { status: 403 }),
    );

    expect((await errorOf(readAll(bench(server.url).source(), whole))).kind).toBe("forbidden");
  });
});
