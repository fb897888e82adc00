import type { z } from "zod";

/** Names of a schema's fields, as a union of string literals. */
export type Field<S extends z.ZodObject> = keyof z.output<S> & string;

/** `"/v1/groups/{group_id}/members"` gives `"group_id"`; a path without braces gives `never`. */
export type PathParam<Path extends string> = Path extends `${string}{${infer P}}${infer Rest}`
  ? P | PathParam<Rest>
  : never;

/**
 * How a stream is replicated.
 *
 * The API has no "changed since" filter, so an incremental stream saves requests in one of three
 * ways: by a cursor in its rows, by a fingerprint of the parent row that says whether anything
 * below it moved, or by slices of which only the open ones are read again.
 */
export type Replication<F extends string = string> =
  | { readonly mode: "full_table" }
  | CursorReplication<F>
  | FingerprintReplication
  | SliceReplication;

/** Rows are dated: rows older than the bookmark less `lookbackDays` are not handed on. */
export interface CursorReplication<F extends string = string> {
  readonly mode: "incremental";
  readonly by: "cursor";
  /** Field whose greatest value is the bookmark. A day, `YYYY-MM-DD`. */
  readonly cursor: F;
  /** Days before the bookmark that are handed on again, because the API may restate them. */
  readonly lookbackDays: number;
  /** Query that widens the answer to everything: for the first load and after a long gap. */
  readonly fullQuery: Readonly<Record<string, string>>;
  /** Age of the bookmark, in days, from which the narrow answer might leave a gap. */
  readonly fullAfterDays: number;
}

/** A parent's rows are read again when one of these fields of the parent changed. */
export interface FingerprintReplication {
  readonly mode: "incremental";
  readonly by: "fingerprint";
  readonly of: readonly string[];
}

/** Rows are read slice by slice with a filter, and only slices that can still change. */
export interface SliceReplication {
  readonly mode: "incremental";
  readonly by: "slices";
  /** The stream whose rows are the slices. */
  readonly stream: StreamDef;
  /** Query parameter that takes the slice's key, and the field of both rows that holds it. */
  readonly param: string;
  /** Field of a slice that says what state it is in, and the values after which it is over. */
  readonly status: string;
  readonly over: readonly string[];
  /** Field of a slice with the instant at which it ended, if it says. */
  readonly end: string;
}

/**
 * The stream whose rows fill a path's parameters: parameter name to field of the parent's row.
 * The bound values are also stored in the child's row, under the parameter's name.
 */
export interface ParentRef {
  readonly stream: StreamDef;
  readonly bind: Readonly<Record<string, string>>;
}

/**
 * Rows of this stream that another stream already carries: a list of parent keys in each of its
 * rows. Saves the requests of every parent whose own count agrees.
 */
export interface Derivation {
  /** Stream that is read anyway, with the list. */
  readonly stream: StreamDef;
  /** Its field that lists parent keys, and its key that goes into our row under `as`. */
  readonly list: string;
  readonly key: string;
  readonly as: string;
  /** Field of the parent that says how many rows there must be. */
  readonly count: string;
  /** Rows of `stream` that the parent's count leaves out: field and value. */
  readonly except: { readonly field: string; readonly value: string };
}

/**
 * How an endpoint answers: `pages` of a listing, one `whole` array, or a single `object`.
 */
export type ListingKind = "pages" | "whole" | "object";

/**
 * A stream, as data: which endpoint it reads, what a row looks like, how it is replicated.
 *
 * Made by {@link defineStream}, one per file in `streams/`. It holds no functions, so it can be
 * listed, documented, diffed and golden-tested. `catalog.json`, the warehouse tables and
 * `docs/streams.md` are all derived from it.
 */
export interface StreamDef<Name extends string = string, S extends z.ZodObject = z.ZodObject> {
  /** Table and catalog name: snake_case, at most 63 characters. Never renamed. */
  readonly name: Name;
  /** What one row is, in one sentence; becomes the table's comment. */
  readonly description: string;
  /** Page of the vendor's documentation that the schema was read from. */
  readonly docs: string;
  /** Path below the regional base URL; `{param}` is filled from the parent row. */
  readonly path: string;
  /** Fixed query parameters, beside paging. */
  readonly query?: Readonly<Record<string, string>>;
  /** How the endpoint answers. Default `pages`. */
  readonly listing?: ListingKind;
  readonly schema: S;
  /** Fields that identify a row across runs; never null. */
  readonly primaryKey: readonly string[];
  readonly replication: Replication;
  readonly parent?: ParentRef;
  /** Other places where the API has been seen to put a field, best first; dots go into objects. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** The endpoint repeats rows of this stream: its fields are left out here, not kept as extra. */
  readonly repeats?: StreamDef;
  readonly derive?: Derivation;
  /** Whether it is read when nobody selected streams. Default true. */
  readonly selectedByDefault?: boolean;
  /** Lower ones are read first; default 0. A day's quota may not be enough for all. */
  readonly priority?: number;
  /** How many rows to plan for as long as no run has counted them. */
  readonly expect?: Expectation;
  /** Field of the parent that says how many rows there are below it. */
  readonly count?: string;
  /**
   * Instant or day of a row that stays as it is, for streams that become long: warehouses that bill what
   * they read keep the rows of each month apart.
   */
  readonly partition?: string;
  /**
   * Fields that name somebody whose row it is not, each with all fields that tell of them: to be
   * emptied, and not the row taken out, when that person is forgotten.
   */
  readonly mentions?: Readonly<Record<string, readonly string[]>>;
  readonly seat?: Seat;
}

/** Each row uses a seat of the account, but for those whose field has this value. */
export interface Seat<F extends string = string> {
  readonly field: F;
  readonly except: string;
}

/** A usual account, for a plan made before anything was read. */
export interface Expectation {
  /** Rows whatever the account's size, and rows for each of its seats, in each slice if it has any. */
  readonly rows?: number;
  readonly perSeat?: number;
  /** Share of it that a later run reads again, 0 to 1; all of it unless given. */
  readonly moving?: number;
}

/**
 * Declares a stream. A primary key, cursor, alias or parent binding that names a field which does
 * not exist is a compile error, and so is a `{param}` that nothing fills.
 *
 * @throws RangeError if `name` is not snake_case or is too long for the strictest destination, or
 *   if it needs the rows of a stream that is not read whole on every run.
 */
export function defineStream<
  const Name extends string,
  const Path extends string,
  S extends z.ZodObject,
  P extends z.ZodObject = z.ZodObject,
  D extends z.ZodObject = z.ZodObject,
>(
  def: {
    readonly name: Name;
    readonly description: string;
    readonly docs: `https://${string}`;
    readonly path: Path;
    readonly query?: Readonly<Record<string, string>>;
    readonly listing?: ListingKind;
    readonly schema: S;
    readonly primaryKey: readonly [Field<NoInfer<S>>, ...Field<NoInfer<S>>[]];
    readonly aliases?: Readonly<Partial<Record<Field<NoInfer<S>>, readonly string[]>>>;
    readonly repeats?: StreamDef;
    readonly selectedByDefault?: boolean;
    readonly priority?: number;
    readonly expect?: Expectation;
    readonly partition?: Field<NoInfer<S>>;
    readonly seat?: Seat<Field<NoInfer<S>>>;
    readonly mentions?: Readonly<Partial<Record<Field<NoInfer<S>>, readonly Field<NoInfer<S>>[]>>>;
  } & ([PathParam<Path>] extends [never]
    ? {
        readonly parent?: never;
        readonly derive?: never;
        readonly count?: never;
        readonly replication:
          | { readonly mode: "full_table" }
          | CursorReplication<Field<NoInfer<S>>>
          | (Omit<SliceReplication, "stream" | "param" | "status" | "end"> & {
              readonly stream: StreamDef<string, P>;
              readonly param: Field<NoInfer<P>> & Field<NoInfer<S>>;
              readonly status: Field<NoInfer<P>>;
              readonly end: Field<NoInfer<P>>;
            });
      }
    : {
        readonly parent: {
          readonly stream: StreamDef<string, P>;
          readonly bind: Readonly<Record<PathParam<Path>, Field<NoInfer<P>>>>;
        };
        readonly count?: Field<NoInfer<P>>;
        readonly derive?: {
          readonly stream: StreamDef<string, D>;
          readonly list: Field<NoInfer<D>>;
          readonly key: Field<NoInfer<D>>;
          readonly as: Field<NoInfer<S>>;
          readonly count: Field<NoInfer<P>>;
          readonly except: { readonly field: Field<NoInfer<D>>; readonly value: string };
        };
        readonly replication:
          | { readonly mode: "full_table" }
          | CursorReplication<Field<NoInfer<S>>>
          | {
              readonly mode: "incremental";
              readonly by: "fingerprint";
              readonly of: readonly Field<NoInfer<P>>[];
            };
      }),
): StreamDef<Name, S> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(def.name)) {
    throw new RangeError(`stream name ${def.name}: must be snake_case, at most 63 characters`);
  }
  const made = def as unknown as StreamDef<Name, S>;
  for (const needed of neededBy(made)) {
    // An incremental stream gives only what is new: its other rows would count as gone.
    if (needed.replication.mode === "full_table" && needed.parent === undefined) continue;
    throw new RangeError(`${def.name}: ${needed.name} must be a full listing without a parent`);
  }
  return made;
}

/** Streams whose rows decide what is read of `def`. */
export function neededBy(def: StreamDef): readonly StreamDef[] {
  const { parent, derive, replication: by } = def;
  return [
    ...(parent === undefined ? [] : [parent.stream]),
    ...(derive === undefined ? [] : [derive.stream]),
    ...(by.mode === "incremental" && by.by === "slices" ? [by.stream] : []),
  ];
}
