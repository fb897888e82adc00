import { isUtf8 } from "node:buffer";

import { ConnectorError } from "../../core/errors.js";

/** A line of text and its number, counted from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** A fault in what another tap wrote. Says where and what, and never quotes it. */
export function faulty(line: number, what: string, hint?: string): ConnectorError {
  return new ConnectorError("api_contract", `line ${String(line)}: ${what}`, {
    ...(hint === undefined ? {} : { hint }),
    context: { line },
  });
}

/**
 * Splits bytes into lines, leaving out empty ones; holds one line at most.
 *
 * @throws ConnectorError `api_contract` for a line longer than `limit` bytes, or not UTF-8.
 */
export async function* linesOf(
  input: AsyncIterable<string | Uint8Array>,
  limit: number,
): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let held = 0;
  let number = 1;
  const take = (part: Buffer): void => {
    held += part.length;
    if (held > limit) throw faulty(number, `longer than ${String(limit / 1024 / 1024)} MiB`);
    parts.push(part);
  };
  const line = (): Line | undefined => {
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    parts = [];
    held = 0;
    if (!isUtf8(bytes)) throw faulty(number, "not UTF-8");
    const text = bytes.toString("utf8").trim();
    number += 1;
    return text === "" ? undefined : { number: number - 1, text };
  };
  for await (const piece of input) {
    const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as Uint8Array);
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const whole = line();
      if (whole !== undefined) yield whole;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  const last = line();
  if (last !== undefined) yield last;
}
