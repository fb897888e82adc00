import { join } from "node:path";

import { expect } from "vitest";

import { ALL, type Account } from "./account.js";
import { spoilt } from "./canary.js";
import { run, type Ended } from "./program.js";
import { ask } from "./tables.js";

/** A person in a loaded destination, and what is left of them. */

/** An id or an address, as text. */
export function textOf(value: unknown): string {
  return typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
}

export interface Someone {
  readonly id: string;
  readonly email: string;
}

/** The manager of somebody, who is a member, was enrolled and got tests too. */
export function manager({ simulator }: Account): Someone {
  const users = [...simulator.account.rows("users")];
  const ofOthers = new Set(users.map((u) => u["manager_email"]));
  const found = users.find((u) => ofOthers.has(u["email"]) && u["status"] === "active");
  if (found === undefined) throw new Error("nobody manages anybody");
  return { id: textOf(found["id"]), email: textOf(found["email"]) };
}

/** The account with a row of the person that does not fit, and settings to load all of it. */
export async function loaded(
  a: Account,
  who: Someone,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly config: string; readonly first: Ended }> {
  const url = await spoilt(a, (rows, { name }) => {
    if (name !== "users" && name !== "enrollments") return rows;
    const theirs = (rows as Readonly<Record<string, unknown>>[]).find((row) =>
      JSON.stringify(row).includes(`"id":${who.id}`),
    );
    const wrong = { phish_prone_percentage: "wrong", time_spent: "wrong", enrollment_id: 1 };
    return theirs === undefined ? rows : [{ ...theirs, ...wrong }, ...rows];
  });
  const config = a.config({ api_url: url, max_rejects: 50, start_date: "2025-05-20", ...more });
  const args = ["sync", "--config", config, "--streams", ALL.join(",")];
  const first = await run("knowbe4", args, { cwd: a.cwd });
  expect(first.code, first.stderr).toBe(0);
  return { config, first };
}

export const forget = (a: Account, config: string, ...args: string[]): Promise<Ended> =>
  run("knowbe4", ["forget", "--config", config, "--log-level", "debug", ...args], { cwd: a.cwd });

/** Counts that were printed, by table. */
export function printed({ stdout }: Ended): Readonly<Record<string, string>> {
  const lines = stdout.split("\n").slice(1);
  const cells = lines.map((line) => line.trim().split(/ {2,}/));
  return Object.fromEntries(cells.map(([table = "", ...rest]) => [table, rest.join(" + ")]));
}

/** What is said of columns, and which of them may be null. */
export const COMMENTS =
  "SELECT table_name, column_name, comment, is_nullable FROM duckdb_columns() WHERE database_name = 'db' ORDER BY ALL";

/** Every row of every table, as text. */
export async function rowsOf(a: Account): Promise<Readonly<Record<string, readonly string[]>>> {
  const path = join(a.cwd, "knowbe4.duckdb");
  const names = await ask(
    path,
    "SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 'db'",
  );
  const all: Record<string, readonly string[]> = {};
  for (const { name } of names) {
    const rows = await ask(path, `SELECT to_json(t) AS t FROM db.knowbe4."${String(name)}" t`);
    all[String(name)] = rows.map(({ t }) => String(t)).sort();
  }
  return all;
}

/** Rows that are somebody's: by the id, and by the address where there is none. */
export const isOf = (who: Someone) => (line: string) =>
  new RegExp(`"(id|user_id)":"?${who.id}[,"}]`).test(line) || line.includes(`"${who.email}"`);

/** Without what names a manager. */
export const withoutManager = (line: string) =>
  line.replace(/"manager_(name|email)":(null|"[^"]*")/g, '"manager_$1":null');
