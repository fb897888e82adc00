import { describe, expect, test } from "vitest";

import { checkConnection } from "../../src/api/check.js";
import { bench, errorOf, noAbort, readAll, rows } from "./support/client.js";
import { play, send, serve, type Answer, type TestServer } from "./support/server.js";

const ACCOUNT = {
  name: "KB4-Demo",
  type: "paid",
  subscription_level: "Diamond",
  number_of_seats: 25,
};

/** A server with an account and users. */
async function answering(account: Answer, users: Answer = { body: rows(1) }): Promise<TestServer> {
  return serve(({ path }, response) => send(response, path === "/v1/account" ? account : users));
}

async function failureOf(server: TestServer) {
  const { client } = bench(server.url, { retry: { maxAttempts: 2, maxSeconds: 600 } });
  return errorOf(checkConnection(client, noAbort()));
}

describe("a check", () => {
  test("takes two requests and tells about the account", async () => {
    const server = await answering({ body: ACCOUNT });

    expect(await checkConnection(bench(server.url).client, noAbort())).toEqual({
      name: "KB4-Demo",
      type: "paid",
      subscriptionLevel: "Diamond",
      seats: 25,
    });
    expect(server.requests.map((r) => [r.path, r.query])).toEqual([
      ["/v1/account", {}],
      ["/v1/users", { per_page: "1" }],
    ]);
  });

  test("takes a trial account, which has neither seats nor level", async () => {
    const server = await answering({ body: { name: "Trial", type: "trial" } }, { body: [] });

    expect(await checkConnection(bench(server.url).client, noAbort())).toEqual({
      name: "Trial",
      type: "trial",
      subscriptionLevel: null,
      seats: null,
    });
  });

  test.each([
    ["401", { status: 401 }],
    ["a message at 200", { body: { message: "Invalid Token" } }],
  ])("tells a bad key by %s, in one request", async (_, account) => {
    const server = await answering(account);

    const error = await failureOf(server);

    expect(error.kind).toBe("auth");
    expect(error.hint).toContain("Account Settings > API");
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["an empty list", { body: [] }],
    ["an empty object", { body: {} }],
    ["an account without a name", { body: { type: "paid" } }],
    ["an account with an empty name", { body: { name: "" } }],
    ["404", { status: 404 }],
  ])("tells the wrong region by %s", async (_, account) => {
    const error = await failureOf(await answering(account));

    expect(error.kind).toBe("config");
    expect(error.message).toMatch(/^check: GET \/v1\/account answered /);
    expect(error.hint).toContain("set region");
    expect(error.hint).toContain("eu.knowbe4.com is eu");
  });

  test("tells a plan without the API", async () => {
    expect((await failureOf(await answering({ status: 403 }))).kind).toBe("forbidden");
    expect((await failureOf(await answering({ body: ACCOUNT }, { status: 403 }))).kind).toBe(
      "forbidden",
    );
  });

  test("tells a spent quota", async () => {
    const error = await failureOf(await play({ status: 429, headers: { "retry-after": "86400" } }));

    expect(error.kind).toBe("quota");
    expect(error.message).toContain("until 2026-06-02T00:00:00.000Z");
  });

  test("tells somebody else's page", async () => {
    const error = await failureOf(await play({ body: "<html>log in</html>" }));

    expect(error.kind).toBe("unavailable");
    expect(error.hint).toContain("proxy");
  });

  test("does not take a broken answer for a wrong region", async () => {
    const error = await failureOf(await play({ status: 406 }));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe("check: GET /v1/account answered 406");
  });
});

describe("the day's limit", () => {
  const account = {
    stream: "account",
    endpoint: "/v1/account",
    path: "/v1/account",
    kind: "object",
  } as const;
  const UNKNOWN = { perSecond: 0, perMinute: 0, perDay: null };

  /** A fetch that counts what is asked for. */
  function counting(seats: unknown): { fetch: typeof fetch; asked: string[] } {
    const asked: string[] = [];
    const fake = (input: unknown): Promise<Response> => {
      const { pathname, searchParams } = new URL(String(input));
      asked.push(pathname);
      if (pathname !== "/v1/account") {
        return Promise.resolve(Response.json([{ id: Number(searchParams.get("page")) }]));
      }
      if (seats === 403) return Promise.resolve(new Response("", { status: 403 }));
      return Promise.resolve(Response.json({ name: "A", number_of_seats: seats }));
    };
    return { fetch: fake, asked };
  }

  test("grows by the account's seats as soon as the account is read for any reason", async () => {
    const { fetch } = counting(300);
    const { client, source } = bench("http://127.0.0.1:1", { fetch, rateLimit: UNKNOWN });

    expect(client.quota.remaining).toBe(2_000);
    await readAll(source(), account);

    expect(client.quota).toEqual({ used: 1, remaining: 2_299, allowance: 2_300 });
  });

  test.each([
    [100, 2_100],
    ["many", 2_000],
    [403, 2_000],
  ])("with %j seats, asked for once and late, allows %i requests", async (seats, limit) => {
    const { fetch, asked } = counting(seats);
    const { source, events } = bench("http://127.0.0.1:1", {
      fetch,
      rateLimit: UNKNOWN,
      pagination: "page",
    });

    const error = await errorOf(readAll(source()));

    expect(error.kind).toBe("quota");
    expect(error.message).toContain(`${String(limit)} requests made in 24 h`);
    expect(asked).toHaveLength(limit);
    expect(asked.indexOf("/v1/account")).toBe(1_950);
    expect(asked.lastIndexOf("/v1/account")).toBe(1_950);
    expect(events.filter((e) => e.type === "warning")).toHaveLength(seats === 403 ? 1 : 0);
  });

  test("that the settings give is kept, and the account is not asked", async () => {
    const { fetch, asked } = counting(700);
    const rateLimit = { ...UNKNOWN, perDay: 1_990 };
    const { source } = bench("http://127.0.0.1:1", { fetch, rateLimit, pagination: "page" });

    await errorOf(readAll(source()));

    expect(asked).toHaveLength(1_990);
    expect(asked).not.toContain("/v1/account");
  });
});
