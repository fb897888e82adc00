import { ConnectorError } from "../../core/errors.js";
import { isObject } from "../../core/json.js";
import { outrun } from "../outrun.js";
import { OUTRUN } from "./dialect.js";

/** What BigQuery said of a request or a job, without the client's wrapping. */
export interface Fault {
  /** HTTP status; undefined for a job that failed and for a broken connection. */
  readonly status: number | undefined;
  /** BigQuery's word for it, as `rateLimitExceeded`; empty if it said none. */
  readonly reason: string;
  /** May quote rows: only looked into, never shown. */
  readonly message: string;
}

/** Reads an error of the client, or the `errorResult` of a job. */
export function faultOf(error: unknown): Fault {
  const found = isObject(error) ? error : {};
  const errors: readonly unknown[] = Array.isArray(found["errors"]) ? found["errors"] : [];
  const first = errors.find(isObject);
  const code = Number(found["code"]);
  const message = error instanceof Error ? error.message : found["message"];
  return {
    status: Number.isInteger(code) && code >= 100 ? code : undefined,
    reason: word(first?.["reason"]) ?? word(found["reason"]) ?? word(found["code"]) ?? "",
    message: [message, ...errors.filter(isObject).map((e) => e["message"])].join("\n"),
  };
}

function word(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Faults that pass: BigQuery's own words for them. */
const PASSING = new Set([
  "backendError",
  "internalError",
  "jobBackendError",
  "jobInternalError",
  "jobRateLimitExceeded",
  "rateLimitExceeded",
  "tableUnavailable",
  "timeout",
]);

/** Whether the same again may succeed. */
export function isPassing({ status, reason, message }: Fault): boolean {
  if (PASSING.has(reason) || /aborted due to concurrent update/i.test(message)) return true;
  return status !== undefined && (status === 408 || status === 429 || status >= 500);
}

/** Whether nobody can say whether a request arrived. */
export function isUnanswered({ status, reason, message }: Fault): boolean {
  const text = `${reason} ${message}`;
  return status === undefined && /ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|socket hang up/.test(text);
}

/** What gives a permission, as a person grants it. */
const ROLES: readonly (readonly [sign: RegExp, role: string, on: "project" | "dataset"])[] = [
  [/bigquery\.jobs\.create/, "roles/bigquery.jobUser", "project"],
  [/bigquery\.datasets\.create/, "roles/bigquery.user", "project"],
  [/bigquery\.(datasets|tables)\./, "roles/bigquery.dataEditor", "dataset"],
];

/** Where it is, for what is to be granted. */
export interface Place {
  readonly project: string;
  readonly dataset: string;
}

/** The role that a refusal asks for. */
export function roleFor({ message }: Fault, { project, dataset }: Place): string {
  const [, role, on] = ROLES.find(([sign]) => sign.test(message)) ?? [
    undefined,
    "roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser",
    "project",
  ];
  return `give ${role} on ${on} ${on === "project" ? project : `${project}.${dataset}`}`;
}

interface Known {
  readonly sign: (fault: Fault) => boolean;
  readonly what: (fault: Fault, place: Place) => string;
  readonly hint: (fault: Fault, place: Place) => string;
}

const by =
  (reason: string, more = /(?:)/) =>
  (fault: Fault) =>
    fault.reason === reason && more.test(fault.message);

/** Trouble that a person can do something about. */
const KNOWN: readonly Known[] = [
  {
    sign: ({ message }) => /default credentials|Unable to detect a Project Id/i.test(message),
    what: () => "no credentials",
    hint: () => "set destination.key_file, or log in with gcloud auth application-default login",
  },
  {
    sign: ({ status, message }) =>
      status === 401 ||
      /invalid_grant|invalid_client|Invalid JWT|UNAUTHENTICATED|DECODER routines|PEM/i.test(
        message,
      ),
    what: () => "the credentials are refused",
    hint: () => "make a new key for the service account, and set destination.key_file to it",
  },
  {
    sign: ({ message }) => /iam\.serviceAccounts\.getAccessToken|Permission 'iam\./.test(message),
    what: () => "the credentials may not act as destination.impersonate",
    hint: () => "give them roles/iam.serviceAccountTokenCreator on that service account",
  },
  {
    sign: by("accessDenied", /has not been used in project|API.*disabled|SERVICE_DISABLED/i),
    what: (_, { project }) => `the BigQuery API is off in project ${project}`,
    hint: (_, { project }) => `gcloud services enable bigquery.googleapis.com --project ${project}`,
  },
  {
    sign: by("accessDenied"),
    what: ({ message }) => {
      const permission = /bigquery\.\w+\.\w+/.exec(message)?.[0];
      return permission === undefined ? "permission denied" : `${permission} is not allowed`;
    },
    hint: roleFor,
  },
  {
    sign: by("notFound", /Not found: (Project|Dataset|Table|Job)/i),
    what: ({ message }, place) => {
      const [, kind = "", name = ""] = /Not found: (\w+) ([\w.:-]+)/i.exec(message) ?? [];
      return `${kind.toLowerCase()} ${name === "" ? place.dataset : name} does not exist`;
    },
    hint: () => "check destination.project, destination.dataset and destination.location",
  },
  {
    sign: ({ reason, message }) => reason === "quotaExceeded" || /Quota exceeded/.test(message),
    what: () => "a quota of the project is spent",
    hint: () =>
      "run again later: rows that were read wait in the spool; see the quotas of BigQuery",
  },
  {
    sign: ({ reason, message }) =>
      reason === "bytesBilledLimitExceeded" || /limit for bytes billed/i.test(message),
    what: () => "a statement would be billed for more than destination.max_bytes_billed",
    hint: () => "raise it, or leave it out",
  },
  {
    sign: by("billingNotEnabled"),
    what: (_, { project }) =>
      `project ${project} has no billing, without which tables take no changes`,
    hint: () => "link a billing account to the project",
  },
];

/** Texts that name tables and columns and never a value. */
const SAFE =
  /(Unrecognized name: \w+|Name \w+ not found inside \w+|Column \w+ is not present in table [\w.:-]+|No such field: \w+|Required field \w+ cannot be null|exceeds the maximum allowed size)/;

/**
 * A fault of BigQuery as ours. Its own text may quote rows and is kept as the cause only.
 *
 * @param purpose what was being done.
 */
export function failure(place: Place, purpose: string, error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const fault = faultOf(error);
  if (fault.message.includes(OUTRUN)) return outrun();
  const where = `destination ${place.project}.${place.dataset}`;
  const known = KNOWN.find(({ sign }) => sign(fault));
  if (known !== undefined) {
    return new ConnectorError(
      "destination",
      `${where}: ${purpose} failed: ${known.what(fault, place)}`,
      { hint: known.hint(fault, place), context: { reason: fault.reason }, cause: error },
    );
  }
  const word = /^\w+$/.test(fault.reason) ? fault.reason : "unknown fault";
  const detail = SAFE.exec(fault.message)?.[0];
  return new ConnectorError(
    "destination",
    `${where}: ${purpose} failed: ${detail === undefined ? word : `${word}: ${detail}`}`,
    {
      hint: "rows that were read wait in the spool; the next run commits them",
      context: { reason: fault.reason },
      cause: error,
    },
  );
}
