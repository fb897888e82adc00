import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { columnsOf } from "../../../src/core/columns.js";
import { canonical, type Json } from "../../../src/core/json.js";
import { normaliser, rowShape, type Normalised } from "../../../src/core/normalise.js";
import type { StreamDef } from "../../../src/core/stream.js";
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
  type StreamName,
} from "../../../src/simulator/index.js";
import { STREAMS } from "../../../streams/index.js";
import { folder } from "./program.js";

/** A key that is easily found wherever it does not belong. */
export const KEY = "canary-key-4711";

/** A row as both sides of a comparison have it: declared columns, without the time of the run. */
export type Row = Readonly<Record<string, Json>>;

/** A small account behind a server, and a folder to work in. */
export interface Account {
  readonly simulator: Simulator;
  readonly cwd: string;
  /** Writes a configuration for it and gives its path. */
  config(settings?: object): string;
}

/** An account that lasts as long as the test. Its days lie behind any machine's clock. */
export async function account(options: SimulatorOptions = {}): Promise<Account> {
  const defaults = { users: 30, tests: 6, trainingCampaigns: 5, today: "2025-06-02", apiKey: KEY };
  const simulator = await startSimulator({ ...defaults, ...options });
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  const cwd = folder();
  let files = 0;
  const config = (settings: object = {}): string => {
    files += 1;
    const path = join(cwd, `config${String(files)}.json`);
    const limits = { per_second: 0, per_minute: 0, per_day: 0 };
    const whole = { api_key: KEY, api_url: simulator.url, rate_limit: limits, ...settings };
    writeFileSync(path, JSON.stringify(whole));
    return path;
  };
  return { simulator, cwd, config };
}

/** Names of all streams, and of those that are read unless others are chosen. */
export const ALL = STREAMS.map((def) => def.name as StreamName);
export const DEFAULTS = STREAMS.filter((def) => def.selectedByDefault !== false).map(
  (def) => def.name as StreamName,
);

/** Declaration of a stream. */
export function defOf(stream: string): StreamDef {
  const def = STREAMS.find(({ name }) => name === stream);
  if (def === undefined) throw new Error(`no stream ${stream}`);
  return def;
}

/** Rows of a stream as the account knows them, in the declared shape. */
export function truth({ simulator }: Account, stream: StreamName): readonly Row[] {
  const def = defOf(stream);
  const normalise = normaliser(rowShape(def, columnsOf(def)), () => undefined);
  const into: Normalised = { rows: [], rejects: [] };
  for (const row of simulator.account.rows(stream)) normalise(row, {}, into);
  if (into.rejects.length > 0) throw new Error(`${stream}: ${into.rejects[0]?.reason ?? ""}`);
  return into.rows;
}

/** Rows in one order, one text each, so that many compare fast and a difference can be read. */
export function lines(rows: readonly Row[]): readonly string[] {
  return rows.map(({ _observed_at: _, ...row }) => canonical(row)).sort();
}

/** What identifies a row of a stream. */
export function keyOf(stream: string): (row: Row) => string {
  const { primaryKey } = defOf(stream);
  return (row) => canonical(primaryKey.map((name) => row[name] ?? null));
}
