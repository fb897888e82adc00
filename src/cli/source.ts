import {
  baseUrl,
  checkConnection,
  createClient,
  createSource,
  type AccountFacts,
} from "../api/index.js";
import type { Config } from "../config/schema.js";
import type { Emit } from "../core/events.js";
import type { PageSource } from "../core/ports.js";
import { memoryOf, type State } from "../core/state.js";
import type { Io } from "./io.js";
import { version } from "./version.js";

/** The API of the configured account. */
export interface RealSource {
  /** @param state of the last run: how listings are paged and the last day's requests are in it. */
  pages(state: State): PageSource;
  check(signal: AbortSignal): Promise<AccountFacts>;
}

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
  };
}
