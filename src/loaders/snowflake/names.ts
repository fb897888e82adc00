/** An identifier, exactly: in quotes no word is reserved and no letter changes. */
export function exactly(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A name of ours as Snowflake has it: upper case, so that people can write it without quotes. Only
 * ASCII letters, as Snowflake does itself, so that no two names fall together that `table.ts` told apart.
 */
function upper(name: string): string {
  return name.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** A name of ours as it stands in SQL. */
export function quoted(name: string): string {
  return exactly(upper(name));
}

/** A name that a person has set: read as Snowflake reads it, so in double quotes it is meant as it stands. */
export function nameOf(setting: string): string {
  const exact = /^"(.+)"$/s.exec(setting)?.[1];
  return exact === undefined ? upper(setting) : exact.replaceAll('""', '"');
}

/** A text as it stands in SQL, where a backslash begins an escape. */
export function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** An instant, given as ISO 8601. */
export function instant(at: string): string {
  return `${literal(at)}::TIMESTAMP_TZ`;
}
