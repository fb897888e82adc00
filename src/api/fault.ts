import type { ErrorContext, ErrorKind } from "../core/errors.js";

/** What went wrong with one attempt at a request, and whether another one can help. */
export interface FaultFacts {
  /** Kind of the error if no attempt succeeds. */
  readonly kind: ErrorKind;
  /** What happened, as it goes on after `users: GET /v1/users`: "answered 503". */
  readonly what: string;
  /** `limited`: the server wants fewer requests, so all of them are held back. */
  readonly retry: "never" | "backoff" | "limited";
  /** How long the server asks to wait, in ms, if it says. */
  readonly waitMs?: number;
  readonly hint?: string;
  readonly context?: ErrorContext;
  /** Never an error that quotes the body: it holds people's data. */
  readonly cause?: unknown;
}

/** A failed attempt. Never leaves `api/`: `retry.ts` tries again or makes a ConnectorError of it. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly facts: FaultFacts;

  constructor(facts: FaultFacts) {
    super(facts.what, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.facts = facts;
  }
}

/** The body is not JSON, or not all of it: cut off on the way, most likely, so worth a retry. */
export function malformed(what: string, cause?: unknown): Fault {
  return new Fault({ kind: "api_contract", what, retry: "backoff", cause });
}
