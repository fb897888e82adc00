import { setTimeout as sleep } from "node:timers/promises";

// From outside this repository: from "knowbe4-connector".
import {
  defineStream,
  EMPTY_STATE,
  fields,
  iso,
  makePlan,
  SingerWriter,
  sync,
  type Clock,
  type Listing,
  type Page,
  type PageSource,
  type State,
  type SyncResult,
} from "../../src/index.js";
import { z } from "zod";

const { day, id, text } = fields;

/** A parent: every branch of a library. */
const branches = defineStream({
  name: "branches",
  description: "One row per branch of the library.",
  docs: "https://library.example/api",
  path: "/branches",
  primaryKey: ["branch_id"],
  replication: { mode: "full_table" },
  schema: z.object({ branch_id: id("The branch."), city: text("Where it stands.") }),
});

/** A child: one request per branch, and only loans since the last run are handed on. */
const loans = defineStream({
  name: "loans",
  description: "One row per book that was lent.",
  docs: "https://library.example/api",
  path: "/branches/{branch_id}/loans",
  parent: { stream: branches, bind: { branch_id: "branch_id" } },
  primaryKey: ["branch_id", "loan_id"],
  replication: {
    mode: "incremental",
    by: "cursor",
    cursor: "lent_on",
    lookbackDays: 2,
    fullQuery: {},
    fullAfterDays: 365,
  },
  schema: z.object({
    branch_id: id("The branch that lent it."),
    loan_id: id("The loan, within its branch."),
    title: text("What was lent."),
    lent_on: day("When it was lent."),
  }),
});

const LIBRARY = [branches, loans];

/** Reads the library's API: lists of JSON objects, the next page under `?page=`, until one is empty. */
function librarySource(baseUrl: string, clock: Clock): PageSource {
  return {
    memory: { paging: null },
    async *pages(listing: Listing, signal: AbortSignal): AsyncGenerator<Page> {
      for (let page = 1; ; page += 1) {
        const query = new URLSearchParams({ ...listing.query, page: String(page) });
        const answer = await fetch(`${baseUrl}${listing.path}?${query.toString()}`, { signal });
        if (!answer.ok) throw new Error(`${listing.endpoint} answered ${String(answer.status)}`);
        const items = (await answer.json()) as unknown[];
        if (items.length === 0) return;
        yield { items, receivedAt: iso(clock.now()) };
      }
    },
  };
}

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** One run: every stream of the library as Singer messages. */
export async function runLibrary(
  baseUrl: string,
  out: NodeJS.WritableStream,
  state: State = EMPTY_STATE,
): Promise<SyncResult> {
  const never = new AbortController().signal;
  const selections = LIBRARY.map(({ name }) => ({
    stream: name,
    deselected: new Set<string>(),
    fullRefresh: false,
  }));
  return sync({
    runId: "library",
    plan: makePlan(LIBRARY, selections, state),
    source: librarySource(baseUrl, clock),
    sink: new SingerWriter(out),
    settings: {
      concurrency: 2,
      pageSize: 100,
      lookbackDays: 30,
      reverifyDays: 30,
      maxRejects: 0,
      startDate: null,
    },
    clock,
    emit: () => undefined,
    stop: never,
    kill: never,
  });
}
