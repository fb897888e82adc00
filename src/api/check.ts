import { ConnectorError } from "../core/errors.js";
import { isObject, type JsonObject } from "../core/json.js";
import type { Call } from "./attempt.js";
import { ACCOUNT_PATH, type Client } from "./client.js";
import { REGION_HINT } from "./regions.js";

/** What the API tells about the account that a key belongs to. */
export interface AccountFacts {
  readonly name: string;
  /** `paid` or `trial`, as far as is known. */
  readonly type: string | null;
  /** "Diamond", for example; trial accounts have none. */
  readonly subscriptionLevel: string | null;
  /** Licensed users; trial accounts do not say. */
  readonly seats: number | null;
}

const USERS_PATH = "/v1/users";

/**
 * Finds out, in two requests, whether the key reads the account.
 *
 * @throws ConnectorError `auth` (the key is refused), `config` (an answer without an account: the
 *   region is another one), `forbidden` (the plan has no API), `unavailable` (DNS, TLS, proxy,
 *   KnowBe4 down), `quota`, `cancelled`.
 */
export async function checkConnection(client: Client, signal: AbortSignal): Promise<AccountFacts> {
  const account = await accountOf(client, signal);
  const name = text(account["name"]);
  if (name === null) throw wrongRegion("without an account's name");
  const seats = account["number_of_seats"];
  const users = { ...callOf(USERS_PATH), query: { per_page: "1" }, shape: "rows" } as const;
  for await (const _ of client.read({ ...users, itemKey: String }, signal));
  return {
    name,
    type: text(account["type"]),
    subscriptionLevel: text(account["subscription_level"]),
    seats: typeof seats === "number" && Number.isSafeInteger(seats) ? seats : null,
  };
}

async function accountOf(client: Client, signal: AbortSignal): Promise<JsonObject> {
  try {
    const parts = client.read({ ...callOf(ACCOUNT_PATH), shape: "object" }, signal);
    for await (const { items } of parts) if (isObject(items[0])) return items[0];
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== "api_contract") throw error;
    const { status } = error.context;
    if (status === 404) throw wrongRegion("404", error);
    if (status === 200) throw wrongRegion("without an account", error);
    throw error;
  }
  throw wrongRegion("without an account");
}

function wrongRegion(what: string, cause?: unknown): ConnectorError {
  const message = `check: GET ${ACCOUNT_PATH} answered ${what}`;
  const hint = `set region to the one the account is in; ${REGION_HINT}`;
  return new ConnectorError("config", message, { hint, context: { setting: "region" }, cause });
}

function callOf(path: string): Omit<Call, "shape"> {
  return { stream: "check", endpoint: path, path, query: {}, position: "" };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
