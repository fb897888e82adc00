import { once } from "node:events";
import { createServer } from "node:net";

import { describe, expect, test } from "vitest";

import { fakeClock } from "../support/clock.js";
import { bench, errorOf, readAll, readOnce, rows } from "./support/client.js";
import { addressOf, listening, play, send, serve } from "./support/server.js";

test("one connection serves one page after another", async () => {
  const ports = new Set<number | undefined>();
  const server = await serve((_, response, n) => {
    ports.add(response.socket?.remotePort);
    send(response, { body: n < 4 ? rows(1, n) : [] });
  });

  expect(await readAll(bench(server.url, { pagination: "page" }).source())).toHaveLength(3);
  expect(ports.size).toBe(1);
});

describe("a broken connection", () => {
  test("before the answer is tried again", async () => {
    const server = await serve((_, response, n) => {
      if (n < 3) response.socket?.resetAndDestroy();
      else send(response, { body: rows(3) });
    });

    expect(await readOnce(bench(server.url).source())).toEqual(rows(3));
  });

  test("within the body is tried again, and gives each row once", async () => {
    const text = JSON.stringify(rows(99));
    const server = await serve((_, response, n) => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": text.length,
      });
      if (n === 1) response.write(text.slice(0, 500), () => response.socket?.resetAndDestroy());
      else response.end(text);
    });

    expect(await readOnce(bench(server.url).source())).toEqual(rows(99));
  });

  test("for good names the host", async () => {
    const server = await serve((_, response) => response.socket?.resetAndDestroy());

    const error = await errorOf(readOnce(bench(server.url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/lost the connection to 127\.0\.0\.1:\d+ \(\w+\) 8 times/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("closed in place of an answer is the connection's fault, not the answer's", async () => {
    const server = await serve((_, response) => response.socket?.end());

    const error = await errorOf(readOnce(bench(server.url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("lost the connection");
  });

  test("to a port where nobody listens names the host", async () => {
    const server = createServer();
    await listening(server);
    const url = addressOf(server);
    server.close();
    await once(server, "close");

    const error = await errorOf(readOnce(bench(url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/could not connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\) 8 times/);
  });

  test("to a name that does not exist is tried again, and names the host", async () => {
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    let asked = 0;
    const { source } = bench("https://us.api.knowbe4.com", {
      fetch: () => {
        asked++;
        return Promise.reject(new TypeError("fetch failed", { cause }));
      },
    });

    const error = await errorOf(readOnce(source()));

    expect(asked).toBe(8);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("found no address of us.api.knowbe4.com (ENOTFOUND)");
  });

  test.each([
    "CERT_HAS_EXPIRED",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  ])("for want of trust (%s) is not tried again, and says how to trust a proxy", async (code) => {
    let asked = 0;
    const { source } = bench("https://us.api.knowbe4.com", {
      fetch: () => {
        asked++;
        return Promise.reject(
          new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) }),
        );
      },
    });

    const error = await errorOf(readOnce(source()));

    expect(asked).toBe(1);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain(`could not trust us.api.knowbe4.com (${code})`);
    expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
  });

  test("whose far end speaks another protocol than TLS is not tried again", async () => {
    const server = await play({ body: [] });
    const { source } = bench(server.url.replace("http:", "https:"));

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("could not trust 127.0.0.1");
  });
});

describe("silence", () => {
  test("before the answer, and within it, is given up after the time-out and tried again", async () => {
    const clock = fakeClock();
    const server = await serve((_, response, n) => {
      if (n === 1) setImmediate(clock.fireTimers);
      else if (n === 2) {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('[{"id":', () => setTimeout(clock.fireTimers, 20));
      } else send(response, { body: rows(1) });
    });
    const { source } = bench(server.url, { clock });

    expect(await readOnce(source())).toEqual(rows(1));
    expect(server.requests).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test("for good is told in seconds", async () => {
    const clock = fakeClock();
    const server = await serve(() => setImmediate(clock.fireTimers));
    const { source } = bench(server.url, { clock, requestTimeoutMs: 45_000 });

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/heard nothing from 127\.0\.0\.1:\d+ for 45 s 8 times/);
  });

  test("is not when bytes keep coming, however slowly", async () => {
    const clock = fakeClock();
    const bytes = "[]".padStart(20).split("");
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const next = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) response.end();
        else response.write(byte, () => setTimeout(next, 5));
        clock.advance(40_000);
      };
      next();
    });

    expect(await readOnce(bench(server.url, { clock }).source())).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });
});
