import {
  baseUrl,
  checkConnection,
  createClient,
  createSource,
  firstPage,
  type AccountFacts,
} from "../api/index.js";
import type { Config } from "../config/schema.js";
import type { Emit } from "../core/events.js";
import type { Listing, PageSource } from "../core/ports.js";
import type { SyncPlan } from "../core/plan.js";
import type { StreamDef } from "../core/stream.js";
import { memoryOf, type SourceMemory, type State } from "../core/state.js";
import type { Io } from "./io.js";
import { version } from "./version.js";

/** The API of the configured account. */
export interface RealSource {
  /** @param state of the last run: how listings are paged and the last day's requests are in it. */
  pages(state: State): PageSource;
  check(signal: AbortSignal): Promise<AccountFacts>;
  /** What two requests tell about the work ahead; also that the state is of this account. */
  look(state: State, plan: SyncPlan, signal: AbortSignal): Promise<Ahead>;
}

/** What is known of an account before it is read. */
export interface Ahead {
  readonly seats: number | null;
  readonly allowance: number | null;
  readonly left: number | null;
  readonly paging: SourceMemory["paging"];
  /** Rows of the listing whose counters tell most, by its stream. */
  readonly parents: ReadonlyMap<StreamDef, readonly unknown[]>;
}

/** Whose seats the daily quota depends on. */
const ACCOUNT = { stream: "plan", endpoint: "/v1/account", path: "/v1/account" };

/** Connects a configuration to the API; nothing is sent until something is read. */
export function realSource(config: Config, io: Io, emit: Emit): RealSource {
  const { rate_limit: limit, retry } = config;
  const client = createClient({
    baseUrl: baseUrl({ region: config.region, apiUrl: config.api_url }),
    apiKey: config.api_key,
    clock: io.clock,
    random: io.random,
    emit,
    rateLimit: {
      perSecond: limit.per_second,
      perMinute: limit.per_minute,
      perDay: limit.per_day,
      reserve: limit.reserve,
    },
    onQuotaExhausted: config.on_quota_exhausted,
    retry: { maxAttempts: retry.max_attempts, maxSeconds: retry.max_seconds },
    requestTimeoutMs: config.request_timeout * 1000,
    pageSize: config.page_size,
    pagination: config.pagination,
    userAgent: `knowbe4-connector/${version()}`,
    env: io.env,
  });
  return {
    pages: (state) => createSource(client, { earlier: memoryOf(state), identify: true }),
    check: (signal) => checkConnection(client, signal),
    look: async (state, plan, signal) => {
      const pages = createSource(client, { earlier: memoryOf(state), identify: true });
      const account: Listing = { ...ACCOUNT, query: {}, kind: "object", itemKey: () => "" };
      for await (const _ of pages.pages(account, signal));
      // The parents whose own counters say how many rows there are below them.
      const child = plan.streams.find(({ def, emit }) => emit && def.count !== undefined);
      const parent = child?.def.parent?.stream;
      const found = parent === undefined ? null : await firstPage(client, parent.path, signal);
      const { allowance, remaining } = client.quota;
      return {
        seats: client.memory.seats ?? null,
        allowance,
        left: remaining,
        paging: found?.paging ?? null,
        // A page that is not the whole listing would tell too little.
        parents: new Map(
          parent === undefined || found === null || found.items.length >= client.pageSize
            ? []
            : [[parent, found.items]],
        ),
      };
    },
  };
}
