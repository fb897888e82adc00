import type { StreamDef } from "../core/stream.js";
import type { SourceMemory } from "../core/state.js";
import type { Client } from "./client.js";

/** The first page of a listing, and how the server pages if it tells. */
export interface Look {
  readonly items: readonly unknown[];
  readonly paging: SourceMemory["paging"];
}

/** Reads the first page of a listing in one request: for a plan, not for its rows. */
export async function firstPage(client: Client, path: string, signal: AbortSignal): Promise<Look> {
  const query = { cursor: "true", per_page: String(client.pageSize) };
  const call = {
    stream: "plan",
    endpoint: path,
    path,
    query,
    position: "",
    shape: "rows",
  } as const;
  const items: unknown[] = [];
  let paging: Look["paging"] = null;
  for await (const part of client.read({ ...call, itemKey: JSON.stringify }, signal)) {
    items.push(...part.items);
    if (part.end !== null && part.end.nextCursor !== null) paging = "cursor";
  }
  return { items, paging };
}

/**
 * One page of a stream's listing by its number, in one request. A server that pages by cursor alone
 * gives the first one, whatever the number.
 */
export async function pageOf(
  client: Client,
  { name, path, query }: StreamDef,
  { page, size }: { readonly page: number; readonly size: number },
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const call = {
    stream: name,
    endpoint: path,
    path,
    query: { ...query, page: String(page), per_page: String(size) },
    position: ` page ${String(page)}`,
    shape: "rows",
    itemKey: JSON.stringify,
  } as const;
  const items: unknown[] = [];
  for await (const part of client.read(call, signal)) items.push(...part.items);
  return items;
}
