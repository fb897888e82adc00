import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { baseUrl } from "../../src/api/regions.js";
import { REGIONS } from "../../src/core/regions.js";
import { bench, errorOf, KEY, readAll, readOnce, rows } from "./support/client.js";
import { play } from "./support/server.js";

beforeEach(() => {
  nock.disableNetConnect();
  nock.enableNetConnect("127.0.0.1");
});

afterEach(() => {
  nock.cleanAll();
  nock.restore();
  nock.activate();
  nock.enableNetConnect();
});

/** A client of the real host of a region, with KnowBe4's part played by nock. */
function client(region: string, pagination: "page" | "cursor" = "cursor") {
  return bench(baseUrl({ region }), { pagination });
}

describe("what goes over the wire", () => {
  test.each(REGIONS)("goes to the host of region %s, with the key in a header", async (region) => {
    const seen: Record<string, unknown>[] = [];
    nock(`https://${region}.api.knowbe4.com`)
      .get("/v1/users")
      .query({ status: "active" })
      .reply(function () {
        seen.push(this.req.headers);
        return [200, rows(2)];
      });

    const read = await readOnce(client(region).source(), { query: { status: "active" } });

    expect(read).toEqual(rows(2));
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      accept: "application/json",
      authorization: `Bearer ${KEY}`,
      "user-agent": "knowbe4-connector/test",
    });
  });

  test("keeps a path prefix and encodes what stands in the query", async () => {
    nock("https://us.api.knowbe4.com").get("/gate/v1/users?q=a%26b").reply(200, []);
    const { source } = bench("https://us.api.knowbe4.com/gate", { pagination: "page" });

    expect(await readOnce(source(), { query: { q: "a&b" } })).toEqual([]);
  });

  test("has the key in no address", async () => {
    const addresses: string[] = [];
    nock("https://us.api.knowbe4.com")
      .get(/.*/)
      .times(3)
      .reply(function (uri) {
        addresses.push(uri);
        return [200, addresses.length < 3 ? rows(1, addresses.length) : []];
      });

    await readAll(client("us", "page").source());

    expect(addresses).toHaveLength(3);
    expect(addresses.join(" ")).not.toContain(KEY);
  });

  test("never follows a redirect: the key stays with the host it was sent to", async () => {
    const elsewhere = nock("https://evil.example").get(/.*/).reply(200, rows(1));
    nock("https://us.api.knowbe4.com")
      .get("/v1/users")
      .query(true)
      .reply(302, "", { location: "https://evil.example/v1/users?steal=1" });

    const { source, events } = client("us");
    const error = await errorOf(readOnce(source()));

    expect(elsewhere.isDone()).toBe(false);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toBe(
      "users: GET /v1/users answered 302: redirect refused, to evil.example",
    );
    expect(error.message).not.toContain("steal");
    expect(events.filter((e) => e.type === "request")).toHaveLength(1);
  });

  test("uses the fetch it is given", async () => {
    const asked: string[] = [];
    const { source } = bench("https://us.api.knowbe4.com", {
      fetch: (input) => {
        asked.push(input instanceof Request ? input.url : String(input));
        return Promise.resolve(Response.json(rows(1)));
      },
    });

    expect(await readOnce(source())).toEqual(rows(1));
    expect(asked).toEqual(["https://us.api.knowbe4.com/v1/users"]);
  });
});

describe("a key", () => {
  test.each(["two words", "line\nbreak", "tab\t", "naïve", ""])(
    "that no header can carry (%j) is refused before anything is sent, and not repeated",
    (apiKey) => {
      let message = "";
      try {
        bench("https://us.api.knowbe4.com", { apiKey });
      } catch (error) {
        message = String(error);
      }

      expect(message).toContain("api_key");
      if (apiKey !== "") expect(message).not.toContain(apiKey);
    },
  );

  test("and what a body says stand in no error, event or cause", async () => {
    const secretive = `{"message": "no such thing, ${KEY}, Ada Lovelace"}`;
    for (const body of [secretive, `[{"name": "Ada Lovelace", "key": "${KEY}"`, `<p>Ada ${KEY}`]) {
      const server = await play({ body });
      const { source, events } = bench(server.url);

      const error = await errorOf(readOnce(source()));
      const told = [error, error.cause, events, error.context].map((e) => JSON.stringify(e));
      const text = `${String(error.stack)} ${String(error.hint)} ${String((error.cause as Error | undefined)?.stack)} ${told.join(" ")}`;

      expect(text).not.toContain(KEY);
      expect(text).not.toContain("Ada");
    }
  });
});

describe("an id in a path", () => {
  test("stands in no message and no event: it may be a person's", async () => {
    const server = await play({ status: 404, body: { message: "gone" } });
    const { source, events } = bench(server.url);

    const error = await errorOf(
      readOnce(source(), {
        stream: "user_risk_score_history",
        endpoint: "/v1/users/{user_id}/risk_score_history",
        path: "/v1/users/7978339432/risk_score_history",
      }),
    );

    expect(server.requests[0]?.path).toBe("/v1/users/7978339432/risk_score_history");
    expect(error.message).toBe(
      "user_risk_score_history: GET /v1/users/{user_id}/risk_score_history answered 404",
    );
    expect(JSON.stringify([error, events])).not.toContain("7978339432");
  });
});
