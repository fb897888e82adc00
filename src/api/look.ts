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
