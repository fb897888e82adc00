import { digest } from "../core/digest.js";
import { ConnectorError } from "../core/errors.js";
import { isObject } from "../core/json.js";
import type { Page } from "../core/ports.js";
import { ACCOUNT_PATH, isUnreachable, type Client } from "./client.js";

/** Failures that say nothing about the account, and would meet the request in hand as well. */
const SAYS_NOTHING = new Set(["auth", "quota", "cancelled", "config"]);

/**
 * Which account a state belongs to. One request per run, whose answer also serves the stream that
 * reads the account.
 */
export class Identity {
  readonly #client: Client;
  /** Digest that the state holds, if it does. */
  readonly #expected: string | undefined;
  #digest: string | undefined;
  #answer: Page | null = null;
  #asking: Promise<void> | undefined;

  constructor(client: Client, expected: string | undefined) {
    this.#client = client;
    this.#expected = expected;
  }

  /** For the state: never the name, never the key. */
  get digest(): string | undefined {
    return this.#digest ?? this.#expected;
  }

  /**
   * Makes sure, once per run, that the account is the one that the state is of.
   *
   * @param stream that is about to be read, for messages.
   * @throws ConnectorError `state` if it is another one; as `Client.read`, if nothing can be read.
   */
  async check(stream: string, signal: AbortSignal): Promise<void> {
    this.#asking ??= this.#ask(stream, signal);
    try {
      await this.#asking;
    } catch (error) {
      // Asked for again by whoever comes next: a failure of the network may be over by then.
      this.#asking = undefined;
      throw error;
    }
  }

  /** The account as it was just read, once: who reads the stream need not ask again. */
  take(): Page | null {
    const answer = this.#answer;
    this.#answer = null;
    return answer;
  }

  async #ask(stream: string, signal: AbortSignal): Promise<void> {
    const call = { stream, endpoint: ACCOUNT_PATH, path: ACCOUNT_PATH, query: {}, position: "" };
    let answer: Page | undefined;
    try {
      const parts = this.#client.read({ ...call, shape: "object" }, signal);
      for await (const { items, receivedAt } of parts) answer = { items, receivedAt };
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      if (SAYS_NOTHING.has(error.kind) || isUnreachable(error)) throw error;
      this.#warn("cannot be asked which one it is");
      return;
    }
    const account = answer?.items[0];
    if (answer === undefined || !isObject(account)) return;
    this.#answer = answer;
    const name = account["name"];
    if (typeof name !== "string" || name === "") {
      this.#warn("has no name");
      return;
    }
    const found = digest([this.#client.place, name]);
    if (this.#expected !== undefined && found !== this.#expected) throw another(stream);
    this.#digest = found;
  }

  #warn(what: string): void {
    if (this.#expected === undefined) return;
    const message = `the account ${what}: that the state is of the same one is not verified`;
    this.#client.emit({ type: "warning", stream: null, message });
  }
}

function another(stream: string): ConnectorError {
  const message = `${stream}: the state is of another account or region than the key`;
  return new ConnectorError("state", message, {
    hint: "check api_key and region, or give each account a state or destination of its own; if the account was renamed, see docs/quota.md",
  });
}
