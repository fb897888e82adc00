import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { SimulatedAccount } from "../account/account.js";
import type { Api } from "./api.js";
import { control } from "./control.js";
import { pause, send } from "./send.js";

/** Real people's data never gets here, but other people's machines have no business here either. */
const HOST = "127.0.0.1";
const CONTROL = "/_simulator/";
/** A control request is one small object. */
const MAX_BODY = 10_000;

export interface ListenOptions {
  readonly port: number;
  /** Milliseconds before each answer of the API. */
  readonly latencyMs: number;
}

/** A server that is listening. */
export interface Listening {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

/** @throws Error of Node where the port is taken. */
export async function listen(
  api: Api,
  account: SimulatedAccount,
  { port, latencyMs }: ListenOptions,
): Promise<Listening> {
  const server = createServer((request, response) => {
    const { method = "GET", url: target = "/" } = request;
    if (target.startsWith(CONTROL)) {
      void answerControl(api, account, request, response);
      return;
    }
    const { authorization } = request.headers;
    // Computed on arrival, as quotas are counted then; what is late is only its way back.
    const answer = api.answer({ method, target, authorization });
    void pause(latencyMs, response).then(() => send(response, answer));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://${HOST}:${taken}`, close: () => close(server) };
}

async function answerControl(
  api: Api,
  account: SimulatedAccount,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url: path = "/" } = request;
  const body = await readText(request).catch(() => "");
  const outcome = control(account, api.requestCount, { method, path, body });
  response.writeHead(outcome.status, { "content-type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(outcome.body)}\n`);
}

/** As much of a body as is taken; the rest is read and dropped. */
async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
