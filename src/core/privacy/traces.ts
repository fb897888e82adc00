import { columnsOf, type Column } from "../columns.js";
import type { StreamDef } from "../stream.js";
import { isBelowPeople, type Seal } from "./seal.js";

/** Where a row says whom it is about. */
export interface Trace {
  readonly column: string;
  /** Member of the object in the column, or of each object of its list; null for the value itself. */
  readonly member: string | null;
  readonly isList: boolean;
  readonly tells: "id" | "email";
}

/** Where rows of a stream name people. */
export interface Traces {
  readonly stream: string;
  /** Whose row it is. */
  readonly own: readonly Trace[];
  /** Who else is named, and the columns that tell of them. */
  readonly mentions: readonly {
    readonly by: readonly Trace[];
    readonly clear: readonly string[];
  }[];
  /** Paths to the person's id in rows as the API gives them. */
  readonly raw: readonly (readonly string[])[];
  /** What a bookmark of the stream may know of people, and how it is sealed; null for nothing. */
  readonly state: { readonly seal: Seal | null } | null;
}

/** Where rows of a stream name people, by the declared PII tags. */
export function tracesOf(def: StreamDef, seal: Seal | null): Traces {
  const columns = columnsOf(def);
  const mentions = Object.entries(def.mentions ?? {});
  const ofOthers = new Set(mentions.flatMap(([by, clear]) => [by, ...clear]));
  const own = columns.filter((c) => !ofOthers.has(c.name)).flatMap(tracesIn);
  const plain = own.filter((t) => t.tells === "id" && t.member === null);
  return {
    stream: def.name,
    own,
    mentions: mentions.map(([by, clear]) => ({
      by: columns.filter((c) => c.name === by).flatMap(tracesIn),
      clear,
    })),
    raw: plain.flatMap(({ column }) => [
      [column],
      ...(def.aliases?.[column] ?? []).map((alias) => alias.split(".")),
    ]),
    state: isBelowPeople(def) ? { seal } : null,
  };
}

function tracesIn(column: Column): readonly Trace[] {
  const isList = column.list === true;
  const found: Trace[] = [];
  const look = ({ pii, type }: Column, member: string | null): void => {
    if (pii === "email") found.push({ column: column.name, member, isList, tells: "email" });
    if (pii !== "identifier" || type !== "integer") return;
    found.push({ column: column.name, member, isList, tells: "id" });
  };
  look(column, null);
  for (const member of column.members ?? []) look(member, member.name);
  return found;
}
