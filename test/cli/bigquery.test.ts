import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, onTestFinished, test } from "vitest";

import { account, DEFAULTS } from "./support/account.js";
import { expectOneLine } from "./support/faulty.js";
import { run, startShell } from "./support/program.js";
import { withoutOptional } from "./support/slim.js";

/** What of BigQuery needs no server that knows SQL; all else is in `test/peers/run bigquery`. */

const ROOT = join(import.meta.dirname, "../..");
const patience = { timeout: 60_000 };

/** A server that knows a dataset and answers dry runs; everything else is refused. */
async function dryRuns(bytesOf: (sql: string) => number | null) {
  const seen: string[] = [];
  const server = createServer((incoming, response) => {
    let body = "";
    incoming.on("data", (part: Buffer) => (body += part.toString()));
    incoming.on("end", () => {
      const say = (code: number, answer: object) => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(JSON.stringify(answer));
      };
      const refuse = (code: number, reason: string) =>
        say(code, { error: { code, message: reason, errors: [{ reason, message: reason }] } });
      seen.push(`${incoming.method ?? ""} ${incoming.url ?? ""}`);
      if (incoming.method === "GET") {
        say(200, { location: "EU" });
        return;
      }
      const { configuration } = JSON.parse(body) as {
        configuration: { dryRun?: boolean; query: { query: string } };
      };
      if (configuration.dryRun !== true) {
        refuse(403, "accessDenied");
        return;
      }
      const bytes = bytesOf(configuration.query.query);
      if (bytes === null) {
        refuse(404, "notFound");
        return;
      }
      say(200, {
        jobReference: { projectId: "test-project", location: "EU" },
        status: { state: "DONE" },
        statistics: { totalBytesProcessed: String(bytes) },
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen };
}

const destination = (url: string, more: object = {}) => ({
  destination: {
    type: "bigquery",
    project: "test-project",
    dataset: "crm",
    api_endpoint: url,
    ...more,
  },
});

/** Two tables are there: comparing reads a tenth of what merging would be billed. */
function twoTables(sql: string): number | null {
  const isMerge = sql.startsWith("UPDATE ");
  if (sql.includes("`enrollments`")) return isMerge ? 50 * 1024 ** 3 : 5 * 1024 ** 3;
  if (sql.includes("`users`")) return isMerge ? 1_000 : 100;
  return null;
}

test("--dry-run says what comparing and merging would be billed", patience, async () => {
  const a = await account();
  const server = await dryRuns(twoTables);
  const config = a.config(destination(server.url));

  const ended = await run("knowbe4", ["sync", "--config", config, "--dry-run"], { cwd: a.cwd });

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const told = ended.stdout.slice(ended.stdout.indexOf("\nbytes that BigQuery"));
  expect(told.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
    "",
    "bytes that BigQuery would bill: for comparing rows, and at most for merging where some changed",
    "table | comparing | merging",
    "users | 100 B | 1000 B",
    "enrollments | 5.0 GiB | 50.0 GiB",
    "total | 5.0 GiB | 50.0 GiB",
    "",
    `${String(DEFAULTS.length)} streams; nothing was read or written`,
    "",
  ]);
  expect(server.seen.filter((line) => !/^GET .*\/datasets\/crm|^POST .*\/jobs/.test(line))).toEqual(
    [],
  );
  expect(a.simulator.requestCount).toBe(0);
});

test("--dry-run into tables that are not merged into is billed nothing", patience, async () => {
  const a = await account();
  const server = await dryRuns(twoTables);
  const config = a.config(destination(server.url, { mode: "append" }));

  const ended = await run("knowbe4", ["sync", "--config", config, "--dry-run"], { cwd: a.cwd });

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).not.toContain("bytes");
  expect(server.seen).toEqual([]);
});

test("an installation without optional packages says what to install", patience, async () => {
  const a = await account();
  const server = await dryRuns(() => 0);
  const slim = withoutOptional(a.cwd);
  const config = a.config(destination(server.url));

  const ended = await startShell(`"$NODE" ${slim} sync --config ${config}`, { cwd: a.cwd }).ended;

  expectOneLine(
    ended,
    2,
    "destination.type bigquery: the driver @google-cloud/bigquery and google-auth-library is not installed",
  );
  expect(ended.stderr).toContain(
    "npm install @google-cloud/bigquery@^8.3.1 google-auth-library@^10",
  );
  expect(server.seen).toEqual([]);
});

test("a slim installation has neither driver", patience, async () => {
  const args = ["ls", "--omit=optional", "--omit=dev", "--all", "--json"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: ROOT, maxBuffer: 2 ** 26 });

  const names = namesIn(JSON.parse(stdout) as Tree);
  expect(names).toContain("@duckdb/node-api");
  expect(names.filter((name) => /bigquery|google|snowflake/.test(name))).toEqual([]);
});

interface Tree {
  readonly dependencies?: Readonly<Record<string, Tree>>;
}

function namesIn({ dependencies = {} }: Tree): readonly string[] {
  return Object.entries(dependencies).flatMap(([name, tree]) => [name, ...namesIn(tree)]);
}
