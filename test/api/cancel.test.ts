import { createServer, type Socket } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import type { Clock } from "../../src/core/clock.js";
import { fakeClock } from "../support/clock.js";
import { bench, errorOf, listing, noAbort, readOnce, rows } from "./support/client.js";
import { addressOf, listening, play, send, serve } from "./support/server.js";

describe("a stopped run", () => {
  /** A clock on which nobody ever wakes up, but for the signal. */
  function sleepless(): Clock {
    return {
      ...fakeClock(),
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    };
  }

  test("ends at once while it sleeps before a retry", async () => {
    const stop = new AbortController();
    const server = await play({ status: 500 });
    const { source } = bench(server.url, {
      clock: sleepless(),
      emit: (event) => {
        if (event.type === "request") setTimeout(() => stop.abort(), 5);
      },
    });

    expect((await errorOf(readOnce(source(), {}, stop.signal))).kind).toBe("cancelled");
    expect(server.requests).toHaveLength(1);
  });

  test("ends at once while it waits for an answer, and closes the connection", async () => {
    const stop = new AbortController();
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = createServer((socket: Socket) => {
      socket.on("error", () => undefined);
      socket.on("close", () => closed?.());
      socket.once("data", () => stop.abort());
      socket.resume();
    });
    await listening(server);
    onTestFinished(() => void server.close());

    const { source, clock } = bench(addressOf(server));
    const error = await errorOf(readOnce(source(), {}, stop.signal));

    expect(error.kind).toBe("cancelled");
    expect(clock.pendingTimers).toBe(0);
    await gone;
  });

  test("ends with the signal's own error if it has one, before anything is sent", async () => {
    const server = await play({ body: rows(1) });
    const stop = new AbortController();
    const reason = await errorOf(
      readOnce(bench(server.url).source(), {}, AbortSignal.abort(new Error("any"))),
    );
    stop.abort(reason);

    expect(await errorOf(readOnce(bench(server.url).source(), {}, stop.signal))).toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test("leaves nothing behind when the reader goes away in the middle", async () => {
    const server = await serve((seen, response) =>
      send(response, { body: rows(1, Number(seen.query["page"])) }),
    );
    const { source, clock, events } = bench(server.url, { pagination: "page" });

    for await (const page of source().pages(listing(), noAbort())) {
      expect(page.items).toHaveLength(1);
      break;
    }

    expect(clock.pendingTimers).toBe(0);
    expect(events.filter((e) => e.type === "request")).toHaveLength(1);
  });
});
