import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/*
 * In place of BigQuery: takes every upload, counts its rows and keeps none; every script ends well and
 * every query finds nothing. What is measured is the sender. Prints its address as one line of JSON;
 * ends when its stdin does.
 */

interface Job {
  readonly rows: number;
}

const NEWLINE = 10;
const jobs = new Map<string, Job>();

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    answer(request, Buffer.concat(parts), response);
  });
});

function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const [, asked] = /\/(?:jobs|queries)\/([\w-]+)$/.exec(pathname) ?? [];
  if (pathname.startsWith("/upload/")) say(response, taken(uploadedId(body), rowsIn(body)));
  else if (asked !== undefined && pathname.includes("/queries/")) say(response, nothing(asked));
  else if (asked !== undefined) say(response, taken(asked, jobs.get(asked)?.rows ?? 0));
  else if (pathname.endsWith("/jobs")) say(response, taken(idIn(body), 0));
  else if (pathname.endsWith("/tables")) say(response, JSON.parse(body.toString()) as object);
  else say(response, { location: "US" });
}

function say(response: ServerResponse, answer: object): void {
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** A job that has ended well. */
function taken(jobId: string, rows: number): object {
  jobs.set(jobId, { rows });
  return {
    jobReference: { projectId: "bench-project", jobId, location: "US" },
    status: { state: "DONE" },
    statistics: { load: { outputRows: String(rows) } },
  };
}

function nothing(jobId: string): object {
  const jobReference = { projectId: "bench-project", jobId, location: "US" };
  return { jobReference, jobComplete: true, schema: { fields: [] }, rows: [], totalRows: "0" };
}

function idIn(body: Buffer): string {
  const { jobReference } = JSON.parse(body.toString()) as { jobReference: { jobId: string } };
  return jobReference.jobId;
}

/** The first part of an upload says what is to be done with the second. */
function uploadedId(body: Buffer): string {
  return /"jobId":"([\w-]+)"/.exec(body.toString("latin1", 0, 8_192))?.[1] ?? "";
}

function rowsIn(body: Buffer): number {
  const from = body.indexOf(Buffer.from([0x1f, 0x8b, 0x08]));
  if (from < 0) throw new Error("an upload that is not compressed");
  const lines = gunzipSync(body.subarray(from, body.lastIndexOf("\r\n--")));
  let rows = 0;
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) rows += 1;
  return rows;
}

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, paths: [] }));
});

process.stdin.resume().on("end", () => {
  server.close();
  server.closeAllConnections();
});
