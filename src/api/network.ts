import { proxyRefusal } from "./classify.js";
import { Fault, malformed } from "./fault.js";
import { withoutSecrets } from "./redact.js";

/** Codes of OpenSSL's and Node's faults with certificates and handshakes. */
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)/;

const DNS = /^(?:ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/;

const HINT_DNS =
  "check the machine's name servers and its connection, and HTTPS_PROXY if it needs a proxy";
const HINT_TLS =
  "if a proxy or firewall re-signs TLS here, put its CA certificate into a file and name it in NODE_EXTRA_CA_CERTS";

/** Within a body: it ends too early, whoever broke it off, or is not packed as its headers say. */
const BROKEN_BODY =
  /^(?:Z_|ERR__ERROR_|HPE_|ECONNRESET$|UND_ERR_SOCKET$|UND_ERR_RES_CONTENT_LENGTH_MISMATCH$)/;

const NO_CONNECTION = /^(?:ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/**
 * What the connection, a body or the unpacking threw, as a fault.
 *
 * @param at `status`: of the answer whose body was being read; null if no answer had come.
 */
export function networkFault(
  error: unknown,
  at: {
    readonly host: string;
    readonly status: number | null;
    readonly secrets: readonly string[];
  },
): Fault {
  const { host, status, secrets } = at;
  const cause = withoutSecrets(error, secrets);
  const codes = [...codesOf(error)];
  const context = { host, code: codes[0] ?? null };
  const refusedBy = [...messagesOf(error)].map(proxyStatus).find((found) => found !== null);
  if (refusedBy != null) return proxyRefusal(refusedBy, cause);
  const tls = codes.find((code) => TLS.test(code));
  if (tls !== undefined) {
    const what = `could not trust ${host} (${tls})`;
    return new Fault({ kind: "unavailable", what, retry: "never", hint: HINT_TLS, context, cause });
  }
  const dns = codes.find((code) => DNS.test(code));
  if (dns !== undefined) {
    const what = `found no address of ${host} (${dns})`;
    return new Fault({
      kind: "unavailable",
      what,
      retry: "backoff",
      hint: HINT_DNS,
      context,
      cause,
    });
  }
  const why = codes[0] === undefined ? "" : ` (${codes[0]})`;
  const broken = codes.find((code) => BROKEN_BODY.test(code));
  if (status !== null && broken !== undefined) {
    return malformed(`answered with a body that is cut off or does not unpack (${broken})`, cause);
  }
  const isOut = codes.some((code) => NO_CONNECTION.test(code));
  const what = `${isOut ? "could not connect" : "lost the connection"} to ${host}${why}`;
  return new Fault({ kind: "unavailable", what, retry: "backoff", context, cause });
}

/**
 * Status with which a proxy refused us, from the text of undici, which has no code for it. Statuses
 * from 500 on are not counted: the proxy may find its way later.
 */
function proxyStatus(text: string): number | null {
  const status = /Proxy response \((4\d\d)\)/.exec(text)?.[1];
  return status === undefined ? null : Number(status);
}

/** No byte came for too long. */
export function silence(host: string, ms: number): Fault {
  const what = `heard nothing from ${host} for ${String(ms / 1000)} s`;
  return new Fault({ kind: "unavailable", what, retry: "backoff", context: { host } });
}

/** The error, its causes, and what an error over several addresses holds. */
function* chain(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > 4) return;
  yield error;
  yield* chain(error.cause, depth + 1);
  if (error instanceof AggregateError) for (const e of error.errors) yield* chain(e, depth + 1);
}

function* codesOf(error: unknown): Generator<string> {
  for (const e of chain(error)) {
    if ("code" in e && typeof e.code === "string") yield e.code;
  }
}

function* messagesOf(error: unknown): Generator<string> {
  for (const e of chain(error)) yield e.message;
}
