/**
 * Why something failed, named by what can be done about it.
 *
 * - `config`       the user must edit the configuration or the command; nothing was fetched
 * - `auth`         KnowBe4 refused the key: nothing can be read
 * - `forbidden`    KnowBe4 refuses this one endpoint to the key; the others may be fine
 * - `unavailable`  network fault, time-out, 5xx, or somebody else's page in place of KnowBe4's
 * - `quota`        the API's quota is spent; progress is kept
 * - `api_contract` the API answered with something the stream does not declare
 * - `bad_record`   one row breaks the schema; its neighbours are fine
 * - `destination`  the warehouse, the disk or the pipe refused a write
 * - `state`        the state given is not one we can continue from
 * - `locked`       another run holds the destination
 * - `cancelled`    a signal asked us to stop
 * - `internal`     an invariant of ours broke
 */
export type ErrorKind =
  | "config"
  | "auth"
  | "forbidden"
  | "unavailable"
  | "quota"
  | "api_contract"
  | "bad_record"
  | "destination"
  | "state"
  | "locked"
  | "cancelled"
  | "internal";

/** What a failure of some kind does to a run. */
export interface Recovery {
  /** What is given up once retrying is over. Read by `core/sync.ts` only. */
  readonly scope: "record" | "stream" | "run";
  /** Exit status if this is the worst thing that happened. Read by `cli/` only. */
  readonly exitCode: number;
  /** `failure_type` of Airbyte's trace message. */
  readonly airbyte: "config_error" | "transient_error" | "system_error";
  /** What the exit status means, for `docs/errors.md`. */
  readonly meaning: string;
}

/**
 * The one place that decides. A new kind does not compile until it has a line here.
 *
 * Ordered from bad to worse: of several failures in a run the last one here gives the exit code.
 */
export const RECOVERY: Readonly<Record<ErrorKind, Recovery>> = {
  quota: {
    scope: "run",
    exitCode: 5,
    airbyte: "transient_error",
    meaning: "The API's quota is spent. What was read is kept; the next run goes on from there.",
  },
  unavailable: {
    scope: "stream",
    exitCode: 4,
    airbyte: "transient_error",
    meaning: "KnowBe4 could not be reached, or went on failing after every retry.",
  },
  forbidden: {
    scope: "stream",
    exitCode: 3,
    airbyte: "config_error",
    meaning: "The key is good, but KnowBe4 refuses it this endpoint.",
  },
  bad_record: {
    scope: "record",
    exitCode: 6,
    airbyte: "system_error",
    meaning: "More rows than `max_rejects` allows do not fit their stream's schema.",
  },
  api_contract: {
    scope: "stream",
    exitCode: 6,
    airbyte: "system_error",
    meaning: "The source answered with something that its contract does not allow.",
  },
  auth: {
    scope: "run",
    exitCode: 3,
    airbyte: "config_error",
    meaning: "KnowBe4 refused the API key.",
  },
  config: {
    scope: "run",
    exitCode: 2,
    airbyte: "config_error",
    meaning: "The command line, a file or a setting is wrong. Nothing was fetched.",
  },
  state: {
    scope: "run",
    exitCode: 8,
    airbyte: "config_error",
    meaning: "The state is not one that this version can continue from. Nothing was fetched.",
  },
  locked: {
    scope: "run",
    exitCode: 9,
    airbyte: "transient_error",
    meaning: "Another process holds the destination.",
  },
  destination: {
    scope: "run",
    exitCode: 7,
    airbyte: "system_error",
    meaning: "The destination refused a write: warehouse, disk or table.",
  },
  cancelled: {
    scope: "run",
    exitCode: 130,
    airbyte: "transient_error",
    meaning: "A signal stopped the run (128 + its number). What was committed stays.",
  },
  internal: {
    scope: "run",
    exitCode: 1,
    airbyte: "system_error",
    meaning: "A bug in this program.",
  },
};

/** Facts about a failure as data, for logs and tests. Never a secret, never a person's data. */
export type ErrorContext = Readonly<Record<string, string | number | null>>;

/**
 * The only error thrown on purpose. Anything else that escapes is a bug, reported as `internal`.
 *
 * `message` says what failed and on what, in one line, without secrets and without advice.
 * `hint` says what the reader can do, in the imperative. `cause` is the original error, never a
 * copy of its text.
 */
export class ConnectorError extends Error {
  override readonly name = "ConnectorError";
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly context: ErrorContext;

  constructor(
    kind: ErrorKind,
    message: string,
    options: {
      readonly hint?: string;
      readonly context?: ErrorContext;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
    this.context = options.context ?? {};
  }
}

/** Wraps whatever was thrown: a ConnectorError as it is, anything else as a bug of ours. */
export function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  // The text of a foreign error may quote a row or a header, so only its type is repeated.
  const type = error instanceof Error ? error.name : typeof error;
  return new ConnectorError("internal", `unexpected ${type}`, {
    hint: "run again with --log-level debug and report the stack",
    cause: error,
  });
}

/** The worse of two failures, in the order of {@link RECOVERY}. */
export function worse(
  a: ConnectorError | undefined,
  b: ConnectorError | undefined,
): ConnectorError | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const order = Object.keys(RECOVERY);
  return order.indexOf(b.kind) > order.indexOf(a.kind) ? b : a;
}
