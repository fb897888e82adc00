import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

import { columnsOf, type Column } from "../../../src/core/columns.js";
import type { StreamDef } from "../../../src/core/stream.js";
import { STREAMS } from "../../../streams/index.js";
import type { Account } from "./account.js";

/** Added to every person's id: digits that are found nowhere by chance. */
const OFFSET = 4_711_000_000_000_000;

/** How an answer is spoilt before it is given. */
export type Spoil = (rows: unknown[], def: StreamDef) => unknown;

/**
 * The account once more, with a canary in every field of every row that tells something of a
 * person, in fields that nobody declared too. Canaries are named like their fields.
 *
 * @returns its address.
 */
export async function plant(a: Account, spoil: Spoil = (rows) => rows): Promise<string> {
  return serve(a, spoil, OFFSET, (row, def) =>
    planted(row, columnsOf(def.repeats ?? def), def.name),
  );
}

/** The account once more, with answers spoilt before they are given. @returns its address. */
export async function spoilt(a: Account, spoil: Spoil): Promise<string> {
  return serve(a, spoil, 0, (row) => row);
}

async function serve(
  a: Account,
  spoil: Spoil,
  offset: number,
  change: (row: unknown, def: StreamDef) => unknown,
): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? "").replace(/4711\d{12}/g, (id) => String(Number(id) - offset));
      const { authorization = "" } = request.headers;
      const answer = await fetch(a.simulator.url + path, { headers: { authorization } });
      const cursor = answer.headers.get("x-next-cursor");
      if (cursor !== null) response.setHeader("x-next-cursor", cursor);
      const type = answer.headers.get("content-type") ?? "application/json";
      response.writeHead(answer.status, { "content-type": type });
      const def = streamAt(path);
      const text = await answer.text();
      const body = parsed(text);
      if (def === undefined || !answer.ok || body === undefined) response.end(text);
      else {
        const rows = [body].flat().map((row) => change(row, def));
        const spoilt = spoil(rows, def);
        response.end(JSON.stringify(Array.isArray(body) ? spoilt : rows[0]));
      }
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function streamAt(url: string): StreamDef | undefined {
  const [path = ""] = url.split("?");
  return STREAMS.find((def) => {
    const pattern = def.path.replace(/\{\w+\}/g, "[^/]+");
    return new RegExp(`${pattern}$`).test(path);
  });
}

function planted(value: unknown, columns: readonly Column[], where: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => planted(item, columns, where));
  const out: Record<string, unknown> = { ...value, nick: `canary-${where}.nick` };
  for (const column of columns) {
    if (column.name.startsWith("_")) continue;
    const path = `${where}.${column.name}`;
    if (column.members !== undefined && column.members.length > 0) {
      const inside = out[column.name];
      if (inside != null) out[column.name] = planted(inside, column.members, path);
    } else if (column.pii !== undefined && column.pii !== "behaviour") {
      out[column.name] = canary(column, out[column.name], path);
    }
  }
  return out;
}

function canary(column: Column, value: unknown, path: string): unknown {
  if (column.pii === "email" && column.list !== true) return `canary-${path}@example.org`;
  if (column.name === "ip") return "203.0.113.77";
  switch (column.type) {
    case "integer":
      return typeof value === "number" ? value + OFFSET : value;
    case "date":
      return "1911-11-11";
    case "timestamp":
      return "1911-11-11T11:11:11.000Z";
    case "json":
      return [`canary-${path}`];
    case "string":
      return `canary-${path}`;
    case "number":
    case "boolean":
      return value;
  }
}
