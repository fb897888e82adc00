import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

import type { JsonObject } from "../../src/core/json.js";

/** What is done to a request that a rule fits, instead of handing it on as it is. */
export type Mischief =
  /** Answered by the proxy; the server never sees it. */
  | {
      readonly do: "refuse";
      readonly status: number;
      readonly reason: string;
      readonly message?: string;
    }
  /** The connection breaks before the server sees it. */
  | { readonly do: "drop" }
  /** The server does it, and the answer is lost. */
  | { readonly do: "lose" }
  /** The server's answer, changed. */
  | { readonly do: "change"; readonly into: (answer: JsonObject) => object };

/** A rule: fits a number of requests, then is spent. */
export type Rule = Mischief & {
  readonly method: string;
  /** Of the path. */
  readonly path: RegExp;
  /** Of the body. */
  readonly body?: RegExp;
  readonly times?: number;
};

/** A proxy between a client and a server of JSON over HTTP. */
export interface FaultProxy {
  readonly url: string;
  /** Requests that came, as `POST /upload/…`, with the body where it is text. */
  readonly seen: readonly { readonly line: string; readonly body: string }[];
  /** Adds a rule; earlier ones come first. */
  rule(rule: Rule): void;
}

/** Starts a proxy in front of a server; it ends with the test. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const rules: { readonly rule: Rule; left: number }[] = [];
  const seen: { line: string; body: string }[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await read(incoming);
      const { method = "", url = "" } = incoming;
      seen.push({ line: `${method} ${url}`, body: body.toString("latin1") });
      const found = rules.find(
        ({ rule, left }) =>
          left > 0 &&
          rule.method === method &&
          rule.path.test(url) &&
          (rule.body?.test(body.toString("latin1")) ?? true),
      );
      if (found !== undefined) found.left -= 1;
      await answer(target, incoming, body, response, found?.rule);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    rule: (rule) => rules.push({ rule, left: rule.times ?? 1 }),
  };
}

async function answer(
  target: string,
  incoming: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  rule: Rule | undefined,
): Promise<void> {
  if (rule?.do === "drop") {
    incoming.socket.destroy();
    return;
  }
  if (rule?.do === "refuse") {
    const { status: code, reason, message = reason } = rule;
    response.writeHead(code, { "content-type": "application/json" });
    const errors = [{ reason, message, domain: "global" }];
    response.end(JSON.stringify({ error: { code, message, errors } }));
    return;
  }
  const [status, headers, text] = await forwarded(target, incoming, body);
  if (rule?.do === "lose") {
    incoming.socket.destroy();
    return;
  }
  const out = rule?.do === "change" ? changed(text, rule.into) : text;
  response.writeHead(status, {
    ...(headers["content-type"] === undefined ? {} : { "content-type": headers["content-type"] }),
    "content-length": out.length,
  });
  response.end(out);
}

function changed(text: Buffer, into: (answer: JsonObject) => object): Buffer {
  return Buffer.from(JSON.stringify(into(JSON.parse(text.toString()) as JsonObject)));
}

function forwarded(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<readonly [number, IncomingMessage["headers"], Buffer]> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    const { "transfer-encoding": _, ...kept } = headers;
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path: url,
        agent: false,
        headers: { ...kept, "accept-encoding": "identity", "content-length": body.length },
      },
      (back) => {
        void read(back).then((text) => resolve([back.statusCode ?? 502, back.headers, text]));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const part of stream) parts.push(part as Buffer);
  } catch {
    // Broken off by the other side: what came is all there is.
  }
  return Buffer.concat(parts);
}
