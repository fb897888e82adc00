import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

import type { Answer } from "./answer.js";
import type { Fault } from "./fault.js";

/** How often a slow body brings its next piece, unless it is slower than a byte. */
const PIECES_PER_SECOND = 10;

/** Sends an answer, in time and whole unless its faults say otherwise. */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers, faults } = answer;
  for (const fault of faults) if (fault.kind === "delay") await pause(fault.ms, response);
  const lie = find(faults, "gzip")?.lie;
  const plain = Buffer.from(answer.body);
  const body = lie === "hidden" ? gzipSync(plain) : plain;
  const half = body.subarray(0, Math.floor(body.length / 2));
  const reset = find(faults, "reset")?.when;
  if (reset === "beforeHeaders") {
    response.socket?.resetAndDestroy();
    return;
  }
  const truncate = find(faults, "truncate")?.length;
  response.writeHead(status, {
    ...headers,
    ...(lie === "claimed" ? { "content-encoding": "gzip" } : {}),
    "content-length": truncate === "matching" ? half.length : body.length,
  });
  const stall = find(faults, "stall")?.after;
  const slow = find(faults, "slow");
  if (stall === "headers") response.flushHeaders();
  else if (stall === "half") response.write(half);
  else if (truncate === "matching") response.end(half);
  else if (truncate === "whole") response.write(half, () => response.socket?.destroySoon());
  else if (reset === "midBody") response.write(half, () => response.socket?.resetAndDestroy());
  else if (slow === undefined) response.end(body);
  else await trickle(response, body, slow.bytesPerSecond);
}

/** Resolves after so long, or as soon as the client is gone. */
export function pause(ms: number, response: ServerResponse): Promise<void> {
  if (ms <= 0 || response.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      response.off("close", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    response.once("close", end);
  });
}

async function trickle(response: ServerResponse, body: Buffer, bytesPerSecond: number) {
  const bytes = Math.max(1, Math.floor(bytesPerSecond / PIECES_PER_SECOND));
  for (let from = 0; from < body.length && !response.closed; from += bytes) {
    response.write(body.subarray(from, from + bytes));
    await pause((bytes * 1_000) / bytesPerSecond, response);
  }
  response.end();
}

function find<K extends Fault["kind"]>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
}
