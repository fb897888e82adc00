import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { PAGE_ROWS, staticAccount } from "./support/account.js";

/*
 * A server whose own work is too small to hide anybody else's: pages are in memory before the first
 * request. Prints its address and its paths as one line of JSON; ends when its stdin does.
 */

const account = await staticAccount(Number(process.argv[2]));

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const size = Number(searchParams.get("per_page") ?? 100);
  const cursor = Number(searchParams.get("cursor"));
  const from = Number.isNaN(cursor) ? 0 : cursor;
  const long = account.long.get(pathname);
  const short = account.short.get(pathname);
  if (long !== undefined && size === PAGE_ROWS) {
    answer(response, long.page(from / size), from + size < long.rows ? from + size : null);
  } else if (short !== undefined) {
    const body = Buffer.from(JSON.stringify(short.slice(from, from + size)));
    answer(response, body, from + size < short.length ? from + size : null);
  } else {
    response.writeHead(404).end();
  }
});

function answer(response: ServerResponse, body: Buffer, nextCursor: number | null): void {
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": body.length,
    ...(nextCursor === null ? {} : { "x-next-cursor": String(nextCursor) }),
  });
  response.end(body);
}

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const paths = [...account.long.keys()];
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, paths }));
});

process.stdin.resume().on("end", () => {
  server.close();
  server.closeAllConnections();
});
