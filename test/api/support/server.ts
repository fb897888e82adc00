import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";

import { onTestFinished } from "vitest";

/** One request as a server saw it. */
export interface Seen {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
}

/** A real HTTP server on loopback that ends with the test. */
export interface TestServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly requests: readonly Seen[];
}

/** Answers one request. `n` counts them, from 1. */
export type Handler = (seen: Seen, response: ServerResponse, n: number) => void;

/** Starts a server that lives as long as the test. */
export async function serve(handler: Handler): Promise<TestServer> {
  const requests: Seen[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const seen = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
    };
    requests.push(seen);
    handler(seen, response, requests.length);
  });
  await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: addressOf(server), requests };
}

/** Resolves once the server has a port. */
export async function listening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
}

/** `http://127.0.0.1:port` of a listening server. */
export function addressOf(server: Server): string {
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** What one request is answered with. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text or bytes as they are, anything else as JSON. */
  readonly body?: unknown;
}

/** Writes an answer. */
export function send(response: ServerResponse, answer: Answer): void {
  const { status = 200, headers = {}, body = [] } = answer;
  const content = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(content);
}

/** A server that plays answers one after another; the last one again and again. */
export async function play(...answers: readonly [Answer, ...Answer[]]): Promise<TestServer> {
  return serve((_, response, n) => {
    send(response, answers[Math.min(n, answers.length) - 1] ?? answers[0]);
  });
}
