import { ConnectorError } from "../../core/errors.js";

interface Known {
  readonly codes: readonly string[];
  /** What is wrong; nothing of Snowflake's own text unless {@link isSafe}. */
  readonly what: string;
  readonly hint: string;
  /** Whether Snowflake's text names objects and never a value. */
  readonly isSafe?: true;
}

const LATER = "rows that were read wait in the spool; the next run commits them";
const GRANTS = "knowbe4 check lists the GRANT statements that are missing";

/** What Snowflake and its driver say of trouble that a person can do something about. */
const KNOWN: readonly Known[] = [
  {
    codes: ["390144", "390145"],
    what: "Snowflake refused the key",
    hint: "check destination.account and destination.user, and that DESC USER shows this key's fingerprint: ALTER USER … SET RSA_PUBLIC_KEY",
  },
  {
    codes: ["390100", "390101", "390102", "390110"],
    what: "Snowflake refused the user or the password",
    hint: "check destination.user; a service user logs in by key or token, not by password",
  },
  {
    codes: ["390303", "390302", "390318", "394400", "394401", "394402", "395090"],
    what: "Snowflake refused the token, or it has expired",
    hint: "set a new one as destination.token, and destination.token_type to what it is",
  },
  {
    codes: ["390189", "390186"],
    what: "the role does not exist or was not granted to the user",
    hint: "correct destination.role, or GRANT ROLE … TO USER …",
  },
  {
    codes: ["390420", "390422", "390429"],
    what: "a network policy keeps this machine out",
    hint: "allow its address in the policy of the user or the account",
  },
  {
    codes: ["390112", "390114", "390111", "390104", "407001", "407002"],
    what: "the session ended",
    hint: LATER,
  },
  {
    codes: ["401001", "401002", "401003", "404"],
    what: "Snowflake could not be reached",
    hint: `check destination.account and the network; ${LATER}`,
  },
  {
    codes: ["000606"],
    what: "the warehouse does not exist or may not be used",
    hint: "correct destination.warehouse, or GRANT USAGE ON WAREHOUSE … TO ROLE …",
  },
  {
    codes: ["000607", "000608", "090064", "090065", "090073"],
    what: "the warehouse is suspended and cannot be resumed",
    hint: `resume it, or raise the quota of its resource monitor; ${LATER}`,
  },
  { codes: ["003001", "003003", "003011"], what: "not permitted", hint: GRANTS, isSafe: true },
  {
    codes: ["002003", "002043"],
    what: "something is missing or not permitted",
    hint: GRANTS,
    isSafe: true,
  },
  {
    codes: ["000904"],
    what: "a column is not what it was",
    hint: "somebody changed the table: change it back, or rename it and run again with --full-refresh",
    isSafe: true,
  },
  {
    codes: ["000604", "000630"],
    what: "it was cancelled, or took longer than allowed",
    hint: `raise destination.statement_timeout, or the size of the warehouse; ${LATER}`,
  },
  {
    codes: ["000625", "000610", "000635"],
    what: "another transaction holds the table",
    hint: LATER,
  },
  {
    codes: ["100069", "100078", "100082", "100145"],
    what: "a row or a text is larger than Snowflake takes",
    hint: "leave the column out at the source; nothing of this load was committed",
  },
  {
    codes: ["100072"],
    what: "a column that must not be null would be",
    hint: "somebody made it NOT NULL: drop the constraint",
  },
  {
    codes: ["100035", "100038", "100039", "100040", "100046", "100065", "100071", "100132"],
    what: "a value does not fit its column",
    hint: "nothing of this load was committed; see docs/destinations/snowflake.md on changed tables",
  },
];

/**
 * A fault of Snowflake or its driver as ours. Its own text may quote rows and is kept as the cause
 * only, but for what names objects alone.
 *
 * @param purpose what was being done.
 */
export function failure(place: string, purpose: string, error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const code = codeOf(error);
  const known = KNOWN.find(({ codes }) => codes.includes(code));
  const context = { code };
  if (known === undefined) {
    const what = code === "" ? "unknown fault" : `Snowflake says ${code}`;
    return new ConnectorError("destination", `destination ${place}: ${purpose} failed: ${what}`, {
      hint: LATER,
      context,
      cause: error,
    });
  }
  const text = error instanceof Error ? error.message : "";
  const detail = known.isSafe === true ? `: ${oneLine(text)}` : "";
  const message = `destination ${place}: ${purpose} failed: ${known.what}${detail}`;
  return new ConnectorError("destination", message, { hint: known.hint, context, cause: error });
}

/** Six digits of Snowflake's, or a word of Node's; empty if there is neither. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  const { code } = error;
  return typeof code === "number" || typeof code === "string" ? String(code) : "";
}

function oneLine(text: string): string {
  return text
    .replace(/^SQL (compilation|access control) error:\s*/, "")
    .replace(/\s+/g, " ")
    .replace(/\.$/, "");
}
