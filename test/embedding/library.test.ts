import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";

import { expect, test } from "vitest";

import { runLibrary } from "../../docs/embedding/library.js";

/** Two branches; the second lends another book after the first run. */
const LISTS: Record<string, unknown[]> = {
  "/branches": [
    { branch_id: 1, city: "Tartu" },
    { branch_id: 2, city: "Pärnu" },
  ],
  "/branches/1/loans": [{ loan_id: 1, title: "Emma", lent_on: "2026-05-01" }],
  "/branches/2/loans": [{ loan_id: 1, title: "Kim", lent_on: "2026-05-09", shelf: "B" }],
};

async function library() {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const rows = url.searchParams.get("page") === "1" ? (LISTS[url.pathname] ?? []) : [];
    response.end(JSON.stringify(rows));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function collector() {
  let text = "";
  const out = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const records = () =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; stream: string; record: object })
      .filter((message) => message.type === "RECORD");
  return { out, records };
}

test("the worked example reads a library, and on its second run only what is new", async () => {
  await using server = await library();
  const first = collector();
  const second = collector();

  const ran = await runLibrary(server.url, first.out);
  LISTS["/branches/2/loans"]?.push({ loan_id: 2, title: "Dune", lent_on: "2026-05-20" });
  const again = await runLibrary(server.url, second.out, ran.state);

  expect(ran.error).toBeUndefined();
  expect(again.error).toBeUndefined();
  expect(first.records().map((m) => m.stream)).toEqual([
    ...["branches", "branches", "loans", "loans"],
  ]);
  expect(first.records().at(-1)?.record).toMatchObject({
    branch_id: 2,
    title: "Kim",
    _extra: { shelf: "B" },
  });
  const loans = second.records().filter((m) => m.stream === "loans");
  expect(loans.map((m) => (m.record as { title: string }).title)).toEqual(["Kim", "Dune"]);
});
