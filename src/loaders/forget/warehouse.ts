import { ConnectorError } from "../../core/errors.js";
import { parseState, type State } from "../../core/state.js";
import { isPrepared, schemaIn } from "../commit.js";
import type { Dialect, LoadRecord, Statement } from "../dialect.js";
import type { KeptState } from "../store.js";
import type { Session } from "../warehouse.js";
import { isAnything, type Forgetting, type Forgotten, type ForgottenTable } from "./forget.js";
import { changedBookmarks, personOf, type Finder, type Person } from "./person.js";
import { forgetting, searchedIn, type Searched } from "./sql.js";

/** Where a person is looked for. */
interface Site {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly sql: ReturnType<typeof forgetting>;
  readonly searched: readonly Searched[];
  readonly states: Readonly<Record<string, State & { readonly kept: number }>>;
}

/** Reads the state of a pipeline, as `sqlStore` does. */
export type ReadKept = (session: Session, pipeline: string) => Promise<KeptState>;

/** Counts what a warehouse has of a person. */
export async function findPerson(
  session: Session,
  dialect: Dialect,
  request: Forgetting,
  readKept: ReadKept,
): Promise<Forgotten> {
  const site = await siteOf(session, dialect, request, readKept);
  if (site === null) return { tables: [], bookmarks: 0 };
  const person = await personOf(request.wanted, finderOf(site));
  return counted(site, request, person);
}

/**
 * Erases a person: all of it in one transaction, which moves the state of every pipeline too. A run
 * that is under way and has read the person before finds it moved, and must begin again.
 *
 * @throws ConnectorError `locked` if a run has committed meanwhile; `destination`.
 */
export async function erasePerson(
  session: Session,
  dialect: Dialect,
  request: Forgetting,
  readKept: ReadKept,
  record: LoadRecord,
): Promise<Forgotten> {
  const site = await siteOf(session, dialect, request, readKept);
  if (site === null) return { tables: [], bookmarks: 0 };
  const person = await personOf(request.wanted, finderOf(site));
  const found = await counted(site, request, person);
  if (!isAnything(found)) return found;
  await session.transact(statements(site, request, person, found, record), record.loadId);
  const left = await counted({ ...site, states: {} }, request, person);
  if (isAnything(left)) {
    throw new ConnectorError("destination", "forget: rows of the person came while it worked", {
      hint: "see what else writes into these tables, and run it again",
    });
  }
  return found;
}

async function siteOf(
  session: Session,
  dialect: Dialect,
  { streams }: Forgetting,
  readKept: ReadKept,
): Promise<Site | null> {
  const schema = await schemaIn(session, dialect);
  if (!isPrepared(schema)) return null;
  const states: Record<string, State & { readonly kept: number }> = {};
  for (const answer of await session.query("reading the state", dialect.pipelines())) {
    const pipeline = String(answer["pipeline"]);
    const { version, bookmarks } = await readKept(session, pipeline);
    const state = parseState({ version: 1, bookmarks }, `_kb4_state of pipeline ${pipeline}`);
    states[pipeline] = { ...state, kept: version };
  }
  const searched = searchedIn(schema, streams);
  return { session, dialect, sql: forgetting(dialect.words), searched, states };
}

function finderOf({ session, sql, searched }: Site): Finder {
  const asking =
    (name: "idsOf" | "emailsOf", field: string) =>
    async (values: readonly string[]): Promise<readonly string[]> => {
      const found = new Set<string>();
      for (const it of searched) {
        const query = sql[name](it, values);
        if (query === null) continue;
        for (const row of await session.query(`looking into ${it.table}`, query)) {
          found.add(String(row[field]));
        }
      }
      return [...found];
    };
  return { idsOf: asking("idsOf", "id"), emailsOf: asking("emailsOf", "email") };
}

async function counted(
  { session, sql, searched, states }: Site,
  { streams, wanted }: Forgetting,
  person: Person,
): Promise<Forgotten> {
  const count = async (table: string, query: string): Promise<number> => {
    const [answer] = await session.query(`counting in ${table}`, query);
    return Number(answer?.["n"]);
  };
  const tables: ForgottenTable[] = [];
  for (const it of searched) {
    const query = sql.countRows(it, person);
    const rows = query === null ? null : await count(it.table, query);
    let mentions = 0;
    for (const one of sql.countMentions(it, person)) mentions += await count(it.table, one);
    tables.push({ table: it.table, rows: it.own.length === 0 ? null : (rows ?? 0), mentions });
  }
  const rejects = sql.countRejects(streams, person);
  const rows = rejects === null ? 0 : await count("_kb4_rejects", rejects);
  tables.push({ table: "_kb4_rejects", rows, mentions: 0 });
  const changed = Object.values(states).map((state) =>
    Object.keys(changedBookmarks(state, streams, person, wanted.hash)),
  );
  return { tables, bookmarks: changed.flat().length };
}

function statements(
  { dialect, sql, searched, states }: Site,
  { streams, wanted }: Forgetting,
  person: Person,
  found: Forgotten,
  record: LoadRecord,
): readonly Statement[] {
  const { loadId, committedAt: at } = record;
  const moves = Object.entries(states).filter(([, { kept }]) => kept > 0);
  const touched = found.tables.filter(({ rows, mentions }) => (rows ?? 0) + mentions > 0);
  return [
    ...moves.flatMap(([pipeline, state]) => {
      const bookmarks = changedBookmarks(state, streams, person, wanted.hash);
      const checkpoints = Object.entries(bookmarks).map(([stream, bookmark]) => ({
        stream,
        bookmark,
      }));
      return dialect.moveState({ pipeline, loadId, from: state.kept, checkpoints, at });
    }),
    ...searched.flatMap((it) => sql.erase(it, person)),
    ...sql.eraseRejects(streams, person),
    ...dialect.recordLoad(
      record,
      touched.map(({ table: stream }) => ({
        ...{ stream, mode: "forget", staged: 0, rejected: 0, proof: null, relation: null },
      })),
    ),
  ];
}
