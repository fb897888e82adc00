import { describe, expect, test } from "vitest";

import { account, queries } from "./support/account.js";
import { bench, errorOf, readAll, rows } from "./support/client.js";
import { send, serve } from "./support/server.js";

describe("left to find out", () => {
  const AUTO = { pageSize: 10 } as const;

  test("a first listing with a cursor proves cursors for the run: no probe", async () => {
    const server = await account({ total: 25, by: "cursor" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(25));
    expect(server.requests).toHaveLength(3);
    expect(reader.memory.paging).toBe("cursor");
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
      expect(reader.memory.paging).toBe("cursor");
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
    expect(reader.memory.paging).toBe("page");
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
    expect(reader.memory.paging).toBe(null);
  });

  test("a listing of one row looks at page 2, and the next listing decides", async () => {
    const server = await account({ total: 1, by: "page" });
    const reader = bench(server.url, AUTO).source();

    expect(await readAll(reader)).toEqual(rows(1));
    expect(queries(server)).toEqual([
      { cursor: "true", per_page: "10" },
      { page: "2", per_page: "10" },
    ]);
    expect(reader.memory.paging).toBe(null);
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
    expect(reader.memory.paging).toBe("page");
  });

  test("what the last run found saves page 2 of a listing of one row", async () => {
    const server = await account({ total: 1, by: "cursor" });
    const reader = bench(server.url, AUTO).source({ paging: "cursor" });

    expect(await readAll(reader)).toEqual(rows(1));
    expect(server.requests).toHaveLength(1);
    expect(reader.memory.paging).toBe("cursor");
  });

  test("fails on a server that ignores both ways", async () => {
    const server = await serve((_, response) => send(response, { body: rows(10) }));

    const error = await errorOf(readAll(bench(server.url, AUTO).source()));

    expect(error.kind).toBe("api_contract");
    expect(server.requests).toHaveLength(3);
  });
});
