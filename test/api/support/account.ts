import { rows } from "./client.js";
import { send, serve, type Seen, type TestServer } from "./server.js";

/** How a server pages, and what is odd about it. */
export interface Quirks {
  /** Rows it has. */
  readonly total: number;
  readonly by: "page" | "cursor";
  /** Most rows it gives at once, whatever is asked for. */
  readonly cap?: number;
  /** Where the next cursor stands. */
  readonly where?: "header" | "body";
  /** Pages that are shorter than they could be: page number to rows. */
  readonly short?: Readonly<Record<number, number>>;
}

/** A listing endpoint that pages in one way and ignores the parameters of the other. */
export async function account(quirks: Quirks): Promise<TestServer> {
  const { total, by, cap = 500, where = "header", short = {} } = quirks;
  return serve(({ query }, response) => {
    const size = Math.min(cap, Number(query["per_page"] ?? 100));
    if (by === "cursor") {
      const from =
        query["cursor"] === undefined || query["cursor"] === "true" ? 0 : Number(query["cursor"]);
      const to = Math.min(total, from + size);
      const next = to < total ? to : null;
      const body = rows(to - from, from + 1);
      if (where === "body")
        send(response, { body: { data: body, pagination: { per_page: size, next_cursor: next } } });
      else
        send(response, { body, headers: next === null ? {} : { "x-next-cursor": String(next) } });
      return;
    }
    let from = 0;
    const page = Number(query["page"] ?? 1);
    for (let p = 1; p < page; p++) from += short[p] ?? size;
    const count = Math.max(0, Math.min(short[page] ?? size, total - from));
    send(response, { body: rows(count, from + 1) });
  });
}

/** The query of every request. */
export function queries(server: TestServer): readonly Seen["query"][] {
  return server.requests.map((r) => r.query);
}
