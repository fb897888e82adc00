import { readFileSync } from "node:fs";

import { columnsOf } from "../../src/core/columns.js";
import type { Json, JsonObject } from "../../src/core/json.js";
import { normaliser, rowShape, type Bound } from "../../src/core/normalise.js";
import type { Reject, Row } from "../../src/core/record.js";
import type { StreamDef } from "../../src/core/stream.js";

/** What became of a stream's fixture. */
export interface Read {
  readonly rows: readonly Row[];
  readonly rejects: readonly Reject[];
  /** Undeclared fields. */
  readonly drift: readonly string[];
}

/** Raw rows as the API gives them, from `test/fixtures/`. */
export function fixtureOf(stream: string): readonly JsonObject[] {
  const url = new URL(`../fixtures/${stream}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as readonly JsonObject[];
}

/** Reads raw rows as a stream does, below a parent if it has one. */
export function readAs(def: StreamDef, items: readonly unknown[]): Read {
  const drift: string[] = [];
  const into = { rows: [] as Row[], rejects: [] as Reject[] };
  const normalise = normaliser(rowShape(def, columnsOf(def)), (field) => drift.push(field));
  for (const item of items) normalise(item, boundOf(def, item as JsonObject), into);
  return { ...into, drift };
}

/** The parent's value stands in some rows as well. */
function boundOf(def: StreamDef, item: JsonObject): Bound {
  const params = Object.keys(def.parent?.bind ?? {});
  return Object.fromEntries(params.map((p) => [p, (item[p] ?? 3142) as Json]));
}
