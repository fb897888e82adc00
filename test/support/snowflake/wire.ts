import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";

import type { Answer } from "./answer.js";
import type { SnowflakeFault } from "./fault.js";
import type { Login } from "./login.js";

/** Body of a request. */
export interface Asked {
  readonly sqlText?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly requestId?: string;
  readonly data?: Login;
}

/** What a request says. */
export async function bodyOf(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  if (raw.length === 0) return {};
  const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
  return JSON.parse(text.toString("utf8")) as Asked;
}

/** An answer. */
export function done(data: unknown): object {
  return { success: true, code: null, message: null, data };
}

/** A fault. */
export function failed(fault: Pick<SnowflakeFault, "code" | "sqlState" | "message">): object {
  const { code, sqlState, message } = fault;
  const data = { errorCode: code, sqlState, queryId: randomUUID() };
  return { success: false, code, message, data };
}

/** A statement's answer. */
export function answered(answer: Answer, nowhere: string | undefined): object {
  const queryId = randomUUID();
  if (answer.kind === "upload") {
    return done({
      command: "UPLOAD",
      src_locations: [answer.from.replace(/^file:\/\//, "")],
      parallel: 4,
      autoCompress: false,
      overwrite: true,
      sourceCompression: "gzip",
      stageInfo: { locationType: "LOCAL_FS", location: nowhere ?? answer.to, creds: {} },
      queryId,
    });
  }
  const { rowtype, rowset, statementTypeId } = answer;
  return done({
    rowtype,
    rowset,
    total: rowset.length,
    returned: rowset.length,
    queryId,
    statementTypeId,
    version: 1,
    parameters: [],
  });
}
