import { onTestFinished } from "vitest";

import {
  startSimulator,
  type SimulatedAccount,
  type Simulator,
  type SimulatorOptions,
  type StreamName,
} from "../../src/simulator/index.js";

/** What a test looks into without declaring it. */
type Parsed = ReturnType<typeof JSON.parse>;

/** A row, or any other object. */
export type Seen = Record<string, Parsed>;

/** A small account that lives as long as the test. */
export async function simulated(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({
    users: 60,
    tests: 8,
    trainingCampaigns: 6,
    ...options,
  });
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  return simulator;
}

/** One answer, read to its end. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** `/v1/groups/{id}` with the ids of a row. */
export function fill(path: string, row: Seen): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => String(row[name]));
}

/** Asks as the holder of the account does. */
export async function get(simulator: Simulator, path: string): Promise<Got> {
  const response = await ask(simulator, path);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}

/** The same, up to the headers. */
export async function ask(simulator: Simulator, path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${simulator.apiKey}` };
  return fetch(simulator.url + path, { headers, redirect: "manual" });
}

/** The JSON of an answer. */
export async function body(simulator: Simulator, path: string): Promise<Parsed> {
  return JSON.parse((await get(simulator, path)).text);
}

/** Rows of a list, page by page, until a page is empty. */
export async function* byPage(simulator: Simulator, path: string): AsyncGenerator<Seen[]> {
  for (let page = 1; ; page++) {
    const rows: Seen[] = await body(simulator, withQuery(path, `page=${page}&per_page=500`));
    if (rows.length === 0) return;
    yield rows;
  }
}

/** Rows of a list, page by page, until there is no next cursor. */
export async function* byCursor(simulator: Simulator, path: string): AsyncGenerator<Seen[]> {
  for (let cursor: string | null = "true"; cursor !== null;) {
    const got = await get(simulator, withQuery(path, `cursor=${cursor}&per_page=500`));
    yield JSON.parse(got.text);
    cursor = got.headers.get("x-next-cursor");
  }
}

/** All rows of a list. */
export async function all(simulator: Simulator, path: string): Promise<Seen[]> {
  const rows: Seen[] = [];
  for await (const page of byCursor(simulator, path)) rows.push(...page);
  return rows;
}

/** Rows of a stream as the account knows them. */
export function known(account: SimulatedAccount, stream: StreamName): Seen[] {
  return [...account.rows(stream)];
}

/** A request that brings rows of a stream, and what is added to each of them. */
type Source = readonly [path: string, added: Seen];

const lists =
  (parent: StreamName, field: string, path: (id: number) => string, added?: string) =>
  (account: SimulatedAccount): Source[] =>
    known(account, parent).map((row) => [
      path(row[field]),
      added === undefined ? {} : { [added]: row[field] },
    ]);

const one = (path: string) => (): Source[] => [[path, {}]];

/** Where the rows of each stream come from. */
export const SOURCES: Readonly<Record<StreamName, (account: SimulatedAccount) => Source[]>> = {
  account: one("/v1/account"),
  users: one("/v1/users"),
  groups: one("/v1/groups"),
  group_members: lists("groups", "id", (id) => `/v1/groups/${id}/members`, "group_id"),
  enrollments: one(
    "/v1/training/enrollments?include_campaign_id=true&include_store_purchase_id=true&include_employee_number=true",
  ),
  campaigns: one("/v1/phishing/campaigns"),
  security_tests: one("/v1/phishing/security_tests"),
  security_test_recipients: lists(
    "security_tests",
    "pst_id",
    (id) => `/v1/phishing/security_tests/${id}/recipients`,
  ),
  risk_score_history: one("/v1/account/risk_score_history?full=true"),
  training_campaigns: one("/v1/training/campaigns?exclude_percentages=true"),
  store_purchases: one("/v1/training/store_purchases"),
  policies: one("/v1/training/policies"),
  group_risk_score_history: lists(
    "groups",
    "id",
    (id) => `/v1/groups/${id}/risk_score_history?full=true`,
    "group_id",
  ),
  user_risk_score_history: lists(
    "users",
    "id",
    (id) => `/v1/users/${id}/risk_score_history?full=true`,
    "user_id",
  ),
};

export const STREAM_NAMES = Object.keys(SOURCES) as StreamName[];

/** Streams whose lists come in pages. */
export const PAGED = STREAM_NAMES.filter((s) => s !== "account" && !s.endsWith("history"));

function withQuery(path: string, query: string): string {
  return path + (path.includes("?") ? "&" : "?") + query;
}
