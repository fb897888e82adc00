import type { Trace, Traces } from "../../core/privacy/traces.js";
import type { Statement } from "../dialect.js";
import type { Schema } from "../evolve.js";
import type { Words } from "../words.js";
import type { Person } from "./person.js";

/** A table of ours that may name people. */
export interface Searched extends Pick<Traces, "own" | "mentions"> {
  readonly table: string;
}

/** What of the streams' traces stands in the schema. Tables that name nobody are among them. */
export function searchedIn(schema: Schema, streams: readonly Traces[]): readonly Searched[] {
  return streams.flatMap(({ stream, own, mentions }): readonly Searched[] => {
    const standing = schema.get(stream);
    if (standing?.kind !== "table" || own.length + mentions.length === 0) return [];
    const has = (column: string) => standing.columns.has(column);
    const kept = mentions.map(({ by, clear }) => ({
      by: by.filter((t) => has(t.column)),
      clear: clear.filter(has),
    }));
    return [
      {
        table: stream,
        own: own.filter((t) => has(t.column)),
        mentions: kept.filter(({ by }) => by.length > 0),
      },
    ];
  });
}

/** SQL that finds a person's rows and takes them out, whichever warehouse: all versions of them. */
export function forgetting(words: Words) {
  const { named, quoted, alias, literal, text, json, member, contains } = words;

  const valueOf = ({ column, member: of }: Trace): string =>
    of === null ? text(quoted(column)) : member(quoted(column), [of]);

  const isOneOf = (trace: Trace, person: Person): readonly string[] => {
    const { column, member: of, isList, tells } = trace;
    const values = tells === "id" ? person.ids : person.emails;
    if (values.length === 0) return [];
    if (!isList) {
      const value = valueOf(trace);
      const same = tells === "id" ? value : `LOWER(TRIM(${value}))`;
      return [`${same} IN (${values.map(literal).join(", ")})`];
    }
    const all = json(quoted(column));
    const head = of === null ? "" : `${JSON.stringify(of)}:`;
    if (tells === "email") {
      return values.map((v) => contains(`LOWER(${all})`, literal(head + JSON.stringify(v))));
    }
    // A number ends where the next member begins or the object ends.
    const parts = values.flatMap((v) =>
      /^\d+$/.test(v) ? [`${head}${v},`, `${head}${v}}`] : [head + JSON.stringify(v)],
    );
    return parts.map((part) => contains(all, literal(part)));
  };

  const anyOf = (conditions: readonly string[]): string | null =>
    conditions.length === 0 ? null : conditions.join(" OR ");

  /**
   * Rows that are the person's; null if the table cannot tell. An address counts only where there is
   * no id: it may have been another's before.
   */
  const theirs = ({ own }: Pick<Searched, "own">, person: Person): string | null => {
    const ids = own.filter((t) => t.tells === "id" && !t.isList);
    const byId = ids.flatMap((t) => isOneOf(t, person));
    const emails = own.filter((t) => t.tells === "email").flatMap((t) => isOneOf(t, person));
    const byEmail = anyOf(emails);
    if (byEmail === null || ids.length === 0) return anyOf([...byId, ...emails]);
    const nobody = ids.map((t) => `${valueOf(t)} IS NULL`).join(" AND ");
    return anyOf([...byId, `(${nobody} AND (${byEmail}))`]);
  };

  /** Rows that name the person and are not theirs. */
  const named_ = (it: Searched, by: readonly Trace[], person: Person): string | null => {
    const names = anyOf(by.flatMap((t) => isOneOf(t, person)));
    const own = theirs(it, person);
    if (names === null || own === null) return names;
    return `(${names}) AND NOT COALESCE(${own}, FALSE)`;
  };

  const count = (table: string, condition: string): string =>
    `SELECT COUNT(*) AS ${alias("n")} FROM ${named(table)} WHERE ${condition}`;

  const rejected = (streams: readonly Traces[], { ids, emails }: Person): string | null => {
    const stream = quoted("stream");
    const byPath = new Map<string, { readonly path: readonly string[]; streams: string[] }>();
    for (const { stream: name, raw } of streams) {
      for (const path of raw) {
        const known = byPath.get(path.join("."));
        if (known === undefined) byPath.set(path.join("."), { path, streams: [name] });
        else known.streams.push(name);
      }
    }
    const list = (values: readonly string[]) => values.map(literal).join(", ");
    const byId = [...byPath.values()].map(
      ({ path, streams: of }) =>
        `(${stream} IN (${list(of)}) AND ${member(quoted("raw"), path)} IN (${list(ids)}))`,
    );
    // Nobody knows where in a row that does not fit an address stands.
    const byEmail = emails.map((email) =>
      contains(`LOWER(${json(quoted("raw"))})`, literal(JSON.stringify(email).slice(1, -1))),
    );
    return anyOf([...(ids.length === 0 ? [] : byId), ...byEmail]);
  };

  return {
    /** Ids of rows with these addresses: `id`. Null if the table has not both. */
    idsOf: ({ table, own }: Searched, emails: readonly string[]): string | null => {
      const id = own.find((t) => t.tells === "id" && !t.isList);
      const by = own.filter((t) => t.tells === "email");
      const condition = anyOf(by.flatMap((t) => isOneOf(t, { ids: [], emails })));
      if (id === undefined || condition === null) return null;
      const value = valueOf(id);
      return `SELECT DISTINCT ${value} AS ${alias("id")} FROM ${named(table)} WHERE ${value} IS NOT NULL AND (${condition})`;
    },
    /** Addresses of rows with these ids: `email`. Null if the table has not both. */
    emailsOf: ({ table, own }: Searched, ids: readonly string[]): string | null => {
      const email = own.find((t) => t.tells === "email" && !t.isList);
      const by = own.filter((t) => t.tells === "id" && !t.isList);
      const condition = anyOf(by.flatMap((t) => isOneOf(t, { ids, emails: [] })));
      if (email === undefined || condition === null) return null;
      const value = valueOf(email);
      return `SELECT DISTINCT ${value} AS ${alias("email")} FROM ${named(table)} WHERE ${value} IS NOT NULL AND (${condition})`;
    },
    /** How many rows are theirs: `n`. Null if the table cannot tell. */
    countRows: (it: Searched, person: Person): string | null => {
      const condition = theirs(it, person);
      return condition === null ? null : count(it.table, condition);
    },
    /** How many rows of others name them: `n`, one query for each way in which they can. */
    countMentions: (it: Searched, person: Person): readonly string[] =>
      it.mentions.flatMap(({ by }) => {
        const condition = named_(it, by, person);
        return condition === null ? [] : [count(it.table, condition)];
      }),
    /** How many rejected rows are theirs or name them: `n`. */
    countRejects: (streams: readonly Traces[], person: Person): string | null => {
      const condition = rejected(streams, person);
      return condition === null ? null : count("_kb4_rejects", condition);
    },
    /** Takes out their rows and empties what names them in others'. */
    erase: (it: Searched, person: Person): readonly Statement[] => {
      const condition = theirs(it, person);
      const purpose = `forgetting in ${it.table}`;
      const cleared = it.mentions.flatMap(({ by, clear }): readonly Statement[] => {
        const where = named_(it, by, person);
        if (where === null || clear.length === 0) return [];
        const set = clear.map((column) => `${quoted(column)} = NULL`).join(", ");
        return [{ purpose, sql: `UPDATE ${named(it.table)} SET ${set} WHERE ${where}` }];
      });
      if (condition === null) return cleared;
      return [...cleared, { purpose, sql: `DELETE FROM ${named(it.table)} WHERE ${condition}` }];
    },
    eraseRejects: (streams: readonly Traces[], person: Person): readonly Statement[] => {
      const condition = rejected(streams, person);
      if (condition === null) return [];
      const sql = `DELETE FROM ${named("_kb4_rejects")} WHERE ${condition}`;
      return [{ purpose: "forgetting rejected rows", sql }];
    },
  };
}
