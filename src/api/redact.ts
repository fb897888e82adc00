/** What stands in the place of a secret. */
const REDACTED = "[REDACTED]";

/** Shorter secrets are left alone: replacing every "a" would only tell which letter it was. */
const SHORTEST = 4;

/**
 * A text without the given secrets, however they are written in it (as they are, in an address, in
 * JSON), and without anything that looks like a bearer token.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    const spellings = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
    for (const spelling of new Set(spellings)) clean = clean.replaceAll(spelling, REDACTED);
  }
  return clean.replace(/\b(Bearer:?\s+)[^\s"'\\,;]+/gi, `$1${REDACTED}`);
}

/**
 * The error itself if no secret is in its text, else one that says the same without them: for the
 * `cause` of an error, whose stack a person may read.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Error)) return undefined;
  const text = `${error.stack ?? ""}\n${error.message}`;
  const cause = error.cause === undefined ? undefined : withoutSecrets(error.cause, secrets);
  if (redact(text, secrets) === text && cause === error.cause) return error;
  const clean = new Error(redact(error.message, secrets), { cause });
  clean.name = error.name;
  return clean;
}
