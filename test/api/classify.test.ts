import { describe, expect, test } from "vitest";

import type { ConnectorError } from "../../src/core/errors.js";
import { bench, errorOf, readOnce, readPages, rows, type Bench } from "./support/client.js";
import { play, send, serve, type Answer } from "./support/server.js";

/** What a listing ends with when every request is answered in this way. */
async function outcomeOf(
  answer: Answer,
): Promise<Bench & { error: ConnectorError; asked: number }> {
  const server = await play(answer);
  const made = bench(server.url, {
    retry: { maxAttempts: 3, maxSeconds: 600 },
  });
  const error = await errorOf(readOnce(made.source()));
  return { ...made, error, asked: server.requests.length };
}

describe("a status that a retry does not cure", () => {
  test("401 says that the key is refused, and where keys are made", async () => {
    const { error, asked } = await outcomeOf({ status: 401 });

    expect(asked).toBe(1);
    expect(error.kind).toBe("auth");
    expect(error.message).toBe("users: GET /v1/users answered 401");
    expect(error.hint).toContain("Account Settings > API");
    expect(error.hint).toContain("region");
  });

  test("403 says which endpoint is refused, and that the plan may be why", async () => {
    const { error, asked } = await outcomeOf({ status: 403 });

    expect(asked).toBe(1);
    expect(error.kind).toBe("forbidden");
    expect(error.message).toBe("users: GET /v1/users answered 403");
    expect(error.hint).toMatch(/Platinum and Diamond/);
  });

  test("404 is told apart by its status, for parents that have gone", async () => {
    const { error } = await outcomeOf({ status: 404 });

    expect(error.kind).toBe("api_contract");
    expect(error.context).toMatchObject({ status: 404 });
  });

  test.each([400, 406, 410, 422])("%i breaks the contract", async (status) => {
    const { error, asked } = await outcomeOf({ status });

    expect(asked).toBe(1);
    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe(`users: GET /v1/users answered ${String(status)}`);
  });

  test.each([301, 302, 307, 308])(
    "%i is not followed, and only the host is named",
    async (status) => {
      const location = "https://login.example/path?token=secret";
      const { error, asked } = await outcomeOf({ status, headers: { location } });

      expect(asked).toBe(1);
      expect(error.kind).toBe("unavailable");
      expect(error.message).toContain("redirect refused, to login.example");
      expect(JSON.stringify(error)).not.toContain("secret");
    },
  );

  test("a redirect without a target is refused as well", async () => {
    const { error } = await outcomeOf({ status: 304 });

    expect(error.message).toContain("redirect refused, to nowhere");
  });
});

describe("a status that a retry may cure", () => {
  test.each([408, 500, 502, 503, 504, 522])(
    "%i is asked again until it is answered",
    async (status) => {
      const server = await play({ status }, { status }, { body: rows(2) });

      expect(await readOnce(bench(server.url).source())).toEqual(rows(2));
      expect(server.requests).toHaveLength(3);
    },
  );

  test.each([408, 500, 503])("%i for good is told with how often and how long", async (status) => {
    const { error, asked } = await outcomeOf({ status });

    expect(asked).toBe(3);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toBe(`users: GET /v1/users answered ${String(status)} 3 times in 2 s`);
    expect(error.context).toMatchObject({ status, attempts: 3 });
  });

  test("429 for good is the quota", async () => {
    const { error, asked } = await outcomeOf({ status: 429 });

    expect(asked).toBe(3);
    expect(error.kind).toBe("quota");
    expect(error.message).toContain("answered 429 3 times");
  });
});

describe("a web page in place of an answer", () => {
  test.each([
    [
      "by its content type",
      { headers: { "content-type": "text/html; charset=utf-8" }, body: "hi" },
    ],
    ["by its first character", { body: "\r\n <!doctype html><title>Log in</title>" }],
    ["where the status is another", { status: 203, body: "<html></html>" }],
  ])("is known %s, and tells the host", async (_, answer) => {
    const { error, asked } = await outcomeOf(answer);

    expect(asked).toBe(3);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(
      /^users: GET \/v1\/users answered \d+ with a web page in place of JSON \(from 127\.0\.0\.1:\d+\) 3 times in 2 s$/,
    );
    expect(error.hint).toMatch(/proxy.*127\.0\.0\.1:\d+.*maintenance/);
  });
});

describe("an answer of another shape", () => {
  test.each([
    { message: "Invalid Token" },
    { error: "Unauthorized" },
    { errors: ["bad API key"] },
    { message: "Authentication failed", data: [] },
  ])("%j is a refused key though its status is 200", async (body) => {
    const { error, asked } = await outcomeOf({ body });

    expect(asked).toBe(1);
    expect(error.kind).toBe("auth");
    expect(error.message).toBe(
      "users: GET /v1/users answered 200 with a message that the key is refused",
    );
  });

  test.each([
    [{ message: "Something about Ada" }, "an error message"],
    ['{"message":{"id":12345678901234567890}}', "an error message"],
    [{ error: { code: 7 } }, "an error message"],
    [{}, "an empty object"],
    [{ data: null }, "another object"],
    [{ users: [] }, "another object"],
    ["null", "null"],
    ["17", "a number"],
    ['"soon"', "a string"],
    ["true", "a boolean"],
  ])("%j is not an empty listing", async (body, what) => {
    const { error, asked } = await outcomeOf({ body });

    expect(asked).toBe(1);
    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe(`users: GET /v1/users answered 200 with ${what} in place of a list`);
  });

  test("an envelope with rows is a listing, whatever else it says", async () => {
    const server = await play({ body: { data: rows(2), message: "ok", pagination: null } });

    expect(await readOnce(bench(server.url).source())).toEqual(rows(2));
  });
});

describe("one object", () => {
  const account = {
    stream: "account",
    endpoint: "/v1/account",
    path: "/v1/account",
    kind: "object",
  } as const;

  test.each([[{ name: "KB4-Demo" }], [[{ name: "KB4-Demo" }]]])("may come as %j", async (body) => {
    const server = await play({ body });

    const pages = await readPages(bench(server.url).source(), account);

    expect(pages.map((p) => p.items)).toEqual([[{ name: "KB4-Demo" }]]);
    expect(server.requests.map((r) => r.query)).toEqual([{}]);
  });

  test.each([
    [[], "a list of 0"],
    [rows(2), "a list of 2"],
    [{}, "an empty object"],
    ["null", "null"],
    [{ message: "boom" }, "an error message"],
  ])("is not there in %j", async (body, what) => {
    const server = await play({ body });

    const error = await errorOf(readOnce(bench(server.url).source(), account));

    expect(error.kind).toBe("api_contract");
    expect(error.message).toBe(
      `account: GET /v1/account answered 200 with ${what} in place of an object`,
    );
  });
});

test("the id of a request stands in the error, for KnowBe4's support", async () => {
  const id = "8d0c6f52-7d0b-4b53-a9d5-6f1d6d6f0a51";
  const { error } = await outcomeOf({ status: 500, headers: { "x-request-id": id } });

  expect(error.context).toMatchObject({ requestId: id, status: 500, attempts: 3 });
});

test("every attempt is told, with its status and its number", async () => {
  const server = await serve((_, response, n) => {
    if (n === 1) response.destroy();
    else send(response, n === 2 ? { status: 503 } : { body: rows(1) });
  });
  const { source, events } = bench(server.url);

  await readOnce(source());

  const common = {
    type: "request",
    stream: "users",
    endpoint: "/v1/users",
    ms: expect.any(Number),
  };
  expect(events.filter((e) => e.type === "request")).toEqual([
    { ...common, status: null, attempt: 1 },
    { ...common, status: 503, attempt: 2 },
    { ...common, status: 200, attempt: 3 },
  ]);
});
