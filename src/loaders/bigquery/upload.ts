import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { linesOf } from "../lines.js";
import { members } from "../members.js";
import { onDisk } from "../spool.js";
import type { Table } from "../table.js";

/** Text is compressed in pieces of about so many characters. */
const CHUNK = 256 * 1024;

/** Digits that a double always holds. Longer integers must come as text, or BigQuery rounds them. */
const EXACT_DIGITS = 15;

/**
 * Writes a spooled file as BigQuery takes it: compressed, JSON values as text, long integers as
 * text. Values are moved and never read, so nothing is rounded on the way.
 */
export async function packed(from: string, to: string, table: Table): Promise<void> {
  const nested = new Set(table.columns.filter((c) => c.type === "json").map((c) => c.name));
  const whole = new Set(table.columns.filter((c) => c.type === "integer").map((c) => c.name));
  async function* text(): AsyncIterable<string> {
    let chunk = "";
    for await (const line of linesOf(from)) {
      chunk += `${loadable(line, nested, whole)}\n`;
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = "";
    }
    yield chunk;
  }
  await onDisk(async () => {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await pipeline(text, createGzip({ level: 1 }), createWriteStream(to, { mode: 0o600 }));
  });
}

/** One spooled line as BigQuery takes it. */
export function loadable(
  line: string,
  nested: ReadonlySet<string>,
  whole: ReadonlySet<string>,
): string {
  let out = "";
  let done = 0;
  for (const { name, from, to } of members(line)) {
    const isNested = nested.has(name);
    if (!isNested && !(whole.has(name) && to - from > EXACT_DIGITS)) continue;
    const value = line.slice(from, to);
    if (value === "null") continue;
    out += line.slice(done, from) + (isNested ? JSON.stringify(value) : `"${value}"`);
    done = to;
  }
  return out + line.slice(done);
}
