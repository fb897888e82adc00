import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";

import { proxyFor, type Dispatcher, type Environment } from "./proxy.js";

/** An answer whose body has not been read. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderLookup;
  /** Unpacked, in pieces as they come. Throws what the connection or the unpacking met. */
  readonly body: AsyncIterator<Uint8Array, unknown>;
}

/** Headers of an answer, by lower-case name; null for one that is not there. */
export interface HeaderLookup {
  get(name: string): string | null;
}

/**
 * Sends one GET. A redirect is an answer like any other. Once the signal is aborted, whatever is
 * still to come is given up.
 */
export type Send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Answer>;

/** Milliseconds for which a connection is kept for the next request. Servers close theirs after five or more seconds. */
const KEPT_MS = 4_000;

/**
 * The way to the API: straight, or through the proxy that the environment names.
 *
 * @throws ConnectorError `config` if a variable for proxies holds no address.
 */
export async function wayTo(target: URL, env: Environment): Promise<Send> {
  const proxy = await proxyFor(target, env);
  return proxy === undefined ? straight(target) : throughFetch(fetch, proxy);
}

/**
 * By Node's `http`, which hands a page over for half of what `fetch` takes: a tenth of all that the tap
 * does with it.
 */
async function straight(target: URL): Promise<Send> {
  const { default: client } =
    target.protocol === "https:" ? await import("node:https") : await import("node:http");
  const agent = new client.Agent({ keepAlive: true, timeout: KEPT_MS });
  return (url, headers, signal) =>
    new Promise((resolve, reject) => {
      const asked = { ...headers, "accept-encoding": "gzip, br" };
      const request = client.get(url, { agent, headers: asked, signal });
      request.on("error", reject);
      request.on("response", (message) => resolve(answerOf(message)));
    });
}

/** Through `fetch`, or what stands in for it. */
export function throughFetch(fetcher: typeof fetch, dispatcher?: Dispatcher): Send {
  return async (url, headers, signal) => {
    const response = await fetcher(url, {
      headers,
      redirect: "manual",
      signal,
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    const { status, body } = response;
    return { status, headers: response.headers, body: pieces(body) };
  };
}

async function* pieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body;
}

function answerOf(message: IncomingMessage): Answer {
  const { statusCode = 0, headers } = message;
  return {
    status: statusCode,
    headers: { get: (name) => headers[name]?.toString() ?? null },
    body: (unpacked(message) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator](),
  };
}

/** What is packed in a way that was not asked for stays packed, and is no JSON. */
function unpacked(message: IncomingMessage): Readable {
  const coding = message.headers["content-encoding"]?.toLowerCase();
  // Older servers and proxies call it by its first name.
  if (coding === "gzip" || coding === "x-gzip")
    return pipeline(message, createGunzip(), () => undefined);
  if (coding === "br") return pipeline(message, createBrotliDecompress(), () => undefined);
  return message;
}
