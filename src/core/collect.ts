import { digest } from "./digest.js";
import { textOf, type Json } from "./json.js";
import { picker, type Bound } from "./normalise.js";
import type { Derivation, StreamDef } from "./stream.js";

/** Takes each raw item of a stream while it is read, for the streams that depend on it. */
export interface Collector {
  add(item: unknown): void;
}

/** A parent row, as far as its children need it. */
export interface Parent {
  /** Its bound values joined: the key of its part in the state. */
  readonly key: string;
  /** Values for the path and for the child's rows, by parameter. */
  readonly bound: Bound;
  /** Digest of the fields that a child's fingerprint is made of; empty without one. */
  readonly print: string;
  /** How many rows the parent says there are below it; null if it does not. */
  readonly count: number | null;
}

/** Collects the parents of a child stream, in the order the API lists them. */
export class Parents implements Collector {
  readonly list: Parent[] = [];
  /** False once there was a row that cannot be addressed: what stands below it is unknown. */
  isWhole = true;
  readonly #seen = new Set<string>();
  readonly #read: (item: unknown) => Readonly<Record<string, Json>>;
  readonly #bind: readonly (readonly [param: string, field: string])[];
  readonly #of: readonly string[];
  readonly #count: string | undefined;

  constructor(child: StreamDef, parent: StreamDef, bind: Readonly<Record<string, string>>) {
    const { replication } = child;
    this.#bind = Object.entries(bind);
    this.#of =
      replication.mode === "incremental" && replication.by === "fingerprint" ? replication.of : [];
    this.#count = child.count ?? child.derive?.count;
    const fields = [...this.#bind.map(([, field]) => field), ...this.#of];
    this.#read = picker(parent, this.#count === undefined ? fields : [...fields, this.#count]);
  }

  add(item: unknown): void {
    const row = this.#read(item);
    const bound = Object.fromEntries(
      this.#bind.map(([param, field]) => [param, row[field] ?? null]),
    );
    const values = Object.values(bound);
    // A row that cannot be addressed is rejected by its own stream; a row that moved between two
    // pages while we read comes twice.
    if (values.includes(null)) {
      this.isWhole = false;
      return;
    }
    const key = values.map(String).join("/");
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const count = this.#count === undefined ? null : row[this.#count];
    this.list.push({
      key,
      bound,
      print: this.#of.length === 0 ? "" : digest(this.#of.map((field) => row[field] ?? null)),
      count: typeof count === "number" ? count : null,
    });
  }
}

/** A slice of a stream: one value of its filter, and whether its rows can still change. */
export interface Slice {
  readonly key: string;
  /** The key as it stands in rows. */
  readonly value: Json;
  readonly over: boolean;
  /** Instant at which it ended, ISO 8601 UTC, if it says. */
  readonly end: string | null;
  /** Digest of the whole slice row: any edit makes it worth reading again. */
  readonly print: string;
}

/** Collects the slices of a stream, in the order the API lists them. */
export class Slices implements Collector {
  readonly list: Slice[] = [];
  readonly #seen = new Set<string>();
  readonly #read: (item: unknown) => Readonly<Record<string, Json>>;
  readonly #fields: { readonly key: string; readonly status: string; readonly end: string };
  readonly #over: readonly string[];

  constructor(
    slices: StreamDef,
    fields: { readonly key: string; readonly status: string; readonly end: string },
    over: readonly string[],
  ) {
    this.#read = picker(slices, Object.keys(slices.schema.shape));
    this.#fields = fields;
    this.#over = over;
  }

  add(item: unknown): void {
    const row = this.#read(item);
    const value = row[this.#fields.key] ?? null;
    const key = textOf(value);
    if (value === null || this.#seen.has(key)) return;
    this.#seen.add(key);
    const end = row[this.#fields.end];
    const status = row[this.#fields.status];
    this.list.push({
      key,
      value,
      over: typeof status === "string" && this.#over.includes(status),
      end: typeof end === "string" ? end : null,
      print: digest(row),
    });
  }
}

/**
 * Collects which members each parent has, from lists in another stream's rows.
 *
 * Holds eight bytes per membership, the one thing in a run that grows with the account: members
 * must not be handed on before the parent's own count has agreed.
 */
export class Memberships implements Collector {
  readonly #members = new Map<string, Json[]>();
  readonly #seen = new Set<Json>();
  readonly #read: (item: unknown) => Readonly<Record<string, Json>>;
  readonly #derive: Derivation;

  constructor(derive: Derivation) {
    this.#derive = derive;
    this.#read = picker(derive.stream, [derive.key, derive.list, derive.except.field]);
  }

  add(item: unknown): void {
    const row = this.#read(item);
    const parents = row[this.#derive.list];
    const key = row[this.#derive.key] ?? null;
    if (!Array.isArray(parents) || key === null) return;
    if (row[this.#derive.except.field] === this.#derive.except.value) return;
    // A row that moved between two pages comes twice; counted twice it could stand for one missed.
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    for (const parent of new Set(parents.map(String))) {
      const members = this.#members.get(parent);
      if (members === undefined) this.#members.set(parent, [key]);
      else members.push(key);
    }
  }

  /** Keys of a parent's members if as many as the parent says, else null: they must be read. */
  proved(parent: string, count: number | null): readonly Json[] | null {
    const members = this.#members.get(parent) ?? [];
    return count === members.length ? members : null;
  }
}
