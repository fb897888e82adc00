import { accountOf, type SimulatedAccount } from "./account/account.js";
import { createWorld, type WorldOptions } from "./account/world.js";
import { Api, type ApiOptions, type SeenRequest } from "./http/api.js";
import type { FaultRule } from "./http/fault.js";
import { listen } from "./http/server.js";

export type { SimulatedAccount } from "./account/account.js";
export type { StreamName } from "./account/streams.js";
export { HOSTILE, type Fault, type FaultRule } from "./http/fault.js";

export interface SimulatorOptions extends WorldOptions, Partial<Omit<ApiOptions, "cap">> {
  /** Port on 127.0.0.1; 0, if left out, takes a free one. */
  readonly port?: number;
  /** The most rows per page, whatever is asked for: 500, as in the API, unless given. */
  readonly pageCap?: number;
  /** Milliseconds before each answer. */
  readonly latencyMs?: number;
}

/** An account over HTTP, and what a test wants to know of it and do to it. */
export interface Simulator {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly apiKey: string;
  readonly account: SimulatedAccount;
  /** The last ten thousand requests of the API, oldest first. */
  readonly requests: readonly SeenRequest[];
  readonly requestCount: number;
  /** Lets whole days pass. */
  advance(days: number): void;
  addFault(rule: FaultRule): void;
  /** Takes all faults back, with what they did to lists for good. */
  clearFaults(): void;
  /** Ends all connections at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Source: KnowBe4's reference, "Pagination". */
const MAX_PAGE_SIZE = 500;
const API_KEY = "simulated-api-key";

/**
 * Starts an account of invented people behind the API's endpoints, on loopback only.
 *
 * The same options make the same account, byte for byte, on every machine.
 *
 * @throws RangeError for numbers that an account or a page cannot have; Node's error for a port
 *   that is taken.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, pageCap = MAX_PAGE_SIZE, latencyMs = 0, apiKey = API_KEY } = options;
  if (!Number.isInteger(pageCap) || pageCap < 1) throw new RangeError(`pageCap: ${pageCap} rows`);
  const world = createWorld(options);
  const account = accountOf(world);
  const api = new Api(world, {
    apiKey,
    cap: pageCap,
    paging: options.paging ?? "both",
    cursorIn: options.cursorIn ?? "header",
    quota: options.quota ?? {},
    faults: options.faults ?? [],
    now: options.now ?? Date.now,
  });
  const listening = await listen(api, account, { port, latencyMs });
  return {
    url: listening.url,
    apiKey,
    account,
    get requests() {
      return api.requests;
    },
    get requestCount() {
      return api.requestCount;
    },
    advance: (days) => account.advance(days),
    addFault: (rule) => api.addFault(rule),
    clearFaults: () => api.clearFaults(),
    [Symbol.asyncDispose]: () => listening.close(),
  };
}
