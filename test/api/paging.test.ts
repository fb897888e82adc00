import { describe, expect, test } from "vitest";

import { bench, errorOf, readAll, readPages, rows } from "./support/client.js";
import { send, serve, type Seen, type TestServer } from "./support/server.js";

/** How a server pages, and what is odd about it. */
interface Quirks {
  /** Rows it has. */
  readonly total: number;
  readonly by: "page" | "cursor";
  /** Most rows it gives at once, whatever is asked for. */
  readonly cap?: number;
  /** Where the next cursor stands. */
  readonly where?: "header" | "body";
  /** Pages that are shorter than they could be: page number to rows. */
  readonly short?: Readonly<Record<number, number>>;
}

/** A listing endpoint that pages in one way and ignores the parameters of the other. */
async function account(quirks: Quirks): Promise<TestServer> {
  const { total, by, cap = 500, where = "header", short = {} } = quirks;
  return serve(({ query }, response) => {
    const size = Math.min(cap, Number(query["per_page"] ?? 100));
    if (by === "cursor") {
      const from =
        query["cursor"] === undefined || query["cursor"] === "true" ? 0 : Number(query["cursor"]);
      const to = Math.min(total, from + size);
      const next = to < total ? to : null;
      const body = rows(to - from, from + 1);
      if (where === "body")
        send(response, { body: { data: body, pagination: { per_page: size, next_cursor: next } } });
      else
        send(response, { body, headers: next === null ? {} : { "x-next-cursor": String(next) } });
      return;
    }
    let from = 0;
    const page = Number(query["page"] ?? 1);
    for (let p = 1; p < page; p++) from += short[p] ?? size;
    const count = Math.max(0, Math.min(short[page] ?? size, total - from));
    send(response, { body: rows(count, from + 1) });
  });
}

function queries(server: TestServer): readonly Seen["query"][] {
  return server.requests.map((r) => r.query);
}

describe("by page", () => {
  const BY_PAGE = { pagination: "page", pageSize: 10 } as const;

  test("goes on until a page is empty", async () => {
    const server = await account({ total: 25, by: "page" });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(25));
    expect(queries(server)).toEqual(
      [1, 2, 3, 4].map((page) => ({ page: String(page), per_page: "10" })),
    );
  });

  test("ends after a full last page as well", async () => {
    const server = await account({ total: 20, by: "page" });

    expect(await readAll(bench(server.url, BY_PAGE).source())).toEqual(rows(20));
    expect(server.requests).toHaveLength(3);
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
    const moved = [rows(10), rows(10, 9), rows(10, 18), []];
    const server = await serve((_, response, n) => send(response, { body: moved[n - 1] }));
    const { source, events } = bench(server.url, BY_PAGE);

    expect(await readAll(source())).toEqual(rows(27));
    expect(events.filter((e) => e.type === "warning")).toEqual([
      {
        type: "warning",
        stream: "users",
        message: "GET /v1/users: 3 rows came again on the next page: left out there",
      },
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
      await new Promise((resolve) => setTimeout(resolve, 5));
      asked.push(server.requests.length - before);
    }

    expect(asked).toEqual([1, 2, 3]);
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

describe("left to find out", () => {
  const AUTO = { pageSize: 10 } as const;

  test("a first listing with a cursor proves cursors for the run: no probe", async () => {
    const server = await account({ total: 25, by: "cursor" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(25));
    expect(server.requests).toHaveLength(3);
    expect(reader.memory).toEqual({ paging: "cursor" });
  });

  test.each(["header", "body"] as const)(
    "a whole first listing costs one probe, which finds the cursor in the %s",
    async (where) => {
      const server = await account({ total: 10, by: "cursor", where });
      const reader = bench(server.url, AUTO).source();

      expect(await readAll(reader, { query: { status: "active" } })).toEqual(rows(10));
      expect(queries(server)).toEqual([
        { status: "active", cursor: "true", per_page: "10" },
        { status: "active", cursor: "true", per_page: "1" },
      ]);
      expect(reader.memory).toEqual({ paging: "cursor" });
    },
  );

  test("a server that pages by number is found by the same probe, and read to its end", async () => {
    const server = await account({ total: 25, by: "page" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(25));
    expect(queries(server)).toEqual([
      { cursor: "true", per_page: "10" },
      { cursor: "true", per_page: "1" },
      ...["2", "3", "4"].map((page) => ({ page, per_page: "10" })),
    ]);
    expect(reader.memory).toEqual({ paging: "page" });
  });

  test("there is one probe in a run, however many listings there are", async () => {
    const server = await account({ total: 7, by: "cursor" });
    const reader = bench(server.url, AUTO).source();

    await readAll(reader);
    await Promise.all([1, 2, 3].map((n) => readAll(reader, { path: `/v1/groups/${String(n)}` })));

    expect(queries(server).filter((q) => q["per_page"] === "1")).toHaveLength(1);
    expect(server.requests).toHaveLength(5);
  });

  test("there is one probe though several listings need it at once", async () => {
    for (const by of ["page", "cursor"] as const) {
      const server = await account({ total: 7, by });
      const reader = bench(server.url, AUTO).source();

      const read = await Promise.all(
        [1, 2, 3].map((n) => readAll(reader, { path: `/v1/x/${String(n)}` })),
      );

      expect(read).toEqual([rows(7), rows(7), rows(7)]);
      expect(queries(server).filter((q) => q["per_page"] === "1")).toHaveLength(1);
    }
  });

  test("a probe that fails fails its own listing, and the next one asks for itself", async () => {
    let probes = 0;
    const server = await serve(({ query }, response) => {
      if (query["per_page"] === "1" && probes++ === 0) send(response, { status: 403 });
      else send(response, { body: query["page"] === undefined ? rows(3) : [] });
    });
    const reader = bench(server.url, AUTO).source();

    const read = await Promise.allSettled([readAll(reader), readAll(reader)]);

    expect(read.map((r) => r.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(probes).toBe(2);
  });

  test("after a run by page the next listing begins with page 1", async () => {
    const server = await account({ total: 5, by: "page" });
    const reader = bench(server.url, AUTO).source();
    await readAll(reader);
    const before = server.requests.length;

    expect(await readAll(reader)).toEqual(rows(5));
    expect(queries(server).slice(before)).toEqual([
      { page: "1", per_page: "10" },
      { page: "2", per_page: "10" },
    ]);
  });

  test("an empty listing decides nothing and costs one request", async () => {
    const server = await account({ total: 0, by: "page" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual([]);
    expect(server.requests).toHaveLength(1);
    expect(reader.memory).toEqual({ paging: null });
  });

  test("a listing of one row looks at page 2, and the next listing decides", async () => {
    const server = await account({ total: 1, by: "page" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(1));
    expect(queries(server)).toEqual([
      { cursor: "true", per_page: "10" },
      { page: "2", per_page: "10" },
    ]);
    expect(reader.memory).toEqual({ paging: null });
  });

  test("a listing of one row is whole where the server ignores page, or does not know it", async () => {
    const ignores = await account({ total: 1, by: "cursor" });
    const refuses = await serve(({ query }, response) => {
      if (query["page"] === undefined) send(response, { body: rows(1) });
      else send(response, { status: 400 });
    });

    expect(await readAll(bench(ignores.url, AUTO).source())).toEqual(rows(1));
    expect(await readAll(bench(refuses.url, AUTO).source())).toEqual(rows(1));
  });

  test("a page 2 with other rows under a listing of one row is read on, by page", async () => {
    const server = await account({ total: 4, by: "page", cap: 1 });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(4));
    expect(reader.memory).toEqual({ paging: "page" });
  });

  test("what the last run found saves page 2 of a listing of one row", async () => {
    const server = await account({ total: 1, by: "cursor" });
    const reader = bench(server.url, AUTO).source({ paging: "cursor" });

    expect(await readAll(reader)).toEqual(rows(1));
    expect(server.requests).toHaveLength(1);
    expect(reader.memory).toEqual({ paging: "cursor" });
  });

  test("fails on a server that ignores both ways", async () => {
    const server = await serve((_, response) => send(response, { body: rows(10) }));

    const error = await errorOf(readAll(bench(server.url, AUTO).source()));

    expect(error.kind).toBe("api_contract");
    expect(server.requests).toHaveLength(3);
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
