import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, test } from "vitest";

import { WHOLE_LIMIT } from "../../src/api/decode.js";
import {
  bench,
  errorOf,
  listing,
  noAbort,
  readAll,
  readOnce,
  readPages,
} from "./support/client.js";
import { send, serve } from "./support/server.js";

/** Rows of about 1 kB, enough of them to be more than is decoded in one go. */
function* lines(count: number): Generator<string> {
  const comment = "x".repeat(1_000);
  for (let id = 1; id <= count; id++) yield JSON.stringify({ id, comment });
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MANY = Math.ceil(WHOLE_LIMIT / 1_000) + 1_500;

/** Writes a list row by row, without announcing its length; ends it, or breaks off after some. */
async function stream(
  response: ServerResponse,
  texts: Iterable<string>,
  round: readonly [string, string] = ["[", "]"],
): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  let text = round[0];
  let glue = "";
  for (const line of texts) {
    text += glue + line;
    glue = ",";
    if (text.length < 100_000) continue;
    if (!response.write(text)) await once(response, "drain");
    text = "";
  }
  response.end(text + round[1]);
}

/** Like `stream`, but the connection is lost after the rows. */
function breakOff(response: ServerResponse, texts: Iterable<string>): void {
  response.writeHead(200, { "content-type": "application/json" });
  // A clean close lets everything written arrive first.
  response.write(`[${[...texts].join(",")}`, () => response.socket?.end());
}

function ids(items: readonly unknown[]): number[] {
  return items.map((item) => (item as { id: number }).id);
}

const ALL = Array.from({ length: MANY }, (_, i) => i + 1);

const WHOLE = { kind: "whole" } as const;

describe("a body that is too large for one go", () => {
  test("comes in parts of at most 500 rows, each row once", async () => {
    const server = await serve((_, response) => void stream(response, lines(MANY)));

    const pages = await readPages(bench(server.url).source(), WHOLE);

    expect(pages.flatMap((p) => ids(p.items))).toEqual(ALL);
    expect(Math.max(...pages.map((p) => p.items.length))).toBeLessThanOrEqual(500);
    expect(server.requests).toHaveLength(1);
  });

  test("comes in parts at once when its length is announced", async () => {
    const text = `[${[...lines(MANY)].join(",")}]`;
    const server = await serve((_, response) => {
      send(response, { headers: { "content-length": String(text.length) }, body: text });
    });

    const pages = await readPages(bench(server.url).source(), WHOLE);

    expect(pages.flatMap((p) => ids(p.items))).toEqual(ALL);
    expect(pages.length).toBeGreaterThan(1);
  });

  test("in an envelope leads on to the next cursor", async () => {
    const server = await serve((seen, response) => {
      const tail = '],"pagination":{"next_cursor":77}}';
      if (seen.query["cursor"] === "77") send(response, { body: { data: [{ id: MANY + 1 }] } });
      else void stream(response, lines(MANY), ['{"data":[', tail]);
    });

    const read = await readAll(bench(server.url).source());

    expect(ids(read)).toEqual([...ALL, MANY + 1]);
  });

  test("that breaks off is asked for again, and no row is lost or given twice", async () => {
    const server = await serve((_, response, n) => {
      if (n === 1) breakOff(response, lines(MANY - 200));
      // Meanwhile a row was put in front: the rows are told apart by key, not by place.
      else
        void stream(
          response,
          (function* () {
            yield JSON.stringify({ id: 0 });
            yield* lines(MANY);
          })(),
        );
    });

    const read = await readOnce(bench(server.url).source());

    expect(server.requests).toHaveLength(2);
    expect(ids(read).sort((a, b) => a - b)).toEqual([0, ...ALL]);
  });

  test("that breaks off and then comes small gives no row twice either", async () => {
    const server = await serve((_, response, n) => {
      if (n === 1) breakOff(response, lines(MANY));
      else send(response, { body: `[${[...lines(1_000)].join(",")}]` });
    });

    const read = await readOnce(bench(server.url).source());

    expect(new Set(ids(read)).size).toBe(read.length);
  });

  test("that breaks off every time fails, having given each row once", async () => {
    const server = await serve((_, response) => breakOff(response, lines(MANY)));
    const { source } = bench(server.url, { retry: { maxAttempts: 3, maxSeconds: 60 } });
    const read: unknown[] = [];

    const error = await errorOf(
      (async () => {
        for await (const page of source().pages(listing(WHOLE), noAbort()))
          read.push(...page.items);
      })(),
    );

    expect(server.requests).toHaveLength(3);
    expect(error.message).toContain("3 times");
    expect(read.length).toBeGreaterThan(0);
    expect(new Set(ids(read)).size).toBe(read.length);
  });

  test("is not held: reading 40 MB takes a fraction of it", async () => {
    const server = await serve((_, response) => void stream(response, lines(40_000)));
    const { source } = bench(server.url);
    let read = 0;
    let most = 0;
    for await (const page of source().pages(listing(WHOLE), noAbort())) {
      read += page.items.length;
      if (read % 10_000 >= 500) continue;
      // What nobody holds any more counts for as long as it has not been collected.
      collect();
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }

    expect(read).toBe(40_000);
    expect(most).toBeLessThan(30 * 1024 * 1024);
  });

  test("is not silence while its rows are being worked on", async () => {
    const server = await serve((_, response) => void stream(response, lines(MANY)));
    const { source, clock } = bench(server.url);
    let read = 0;
    for await (const page of source().pages(listing(WHOLE), noAbort())) {
      read += page.items.length;
      clock.advance(3_600_000);
    }

    expect(read).toBe(MANY);
    expect(server.requests).toHaveLength(1);
  });

  test("is refused where one object is expected", async () => {
    const server = await serve((_, response) => void stream(response, lines(MANY)));

    const error = await errorOf(readAll(bench(server.url).source(), { kind: "object" }));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toContain("more than 8 MB in place of an object");
  });

  test("is not downloaded any further once the reader goes away", async () => {
    let closed: Promise<unknown> | undefined;
    const server = await serve((_, response) => {
      closed = once(response, "close");
      void stream(response, lines(10 * MANY)).catch(() => undefined);
    });
    const { source } = bench(server.url);

    for await (const _ of source().pages(listing(WHOLE), noAbort())) break;
    await closed;
  });
});
