import { isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";

import { Assembler } from "./assemble.js";
import { malformed } from "./fault.js";

/** Bodies up to this many bytes are decoded at once; larger ones piece by piece. */
export const WHOLE_LIMIT = 8 * 1024 * 1024;

/** Most rows handed on at once from a body that is decoded piece by piece. */
const CHUNK_ROWS = 500;

/** Digits from which an integer may be beyond 2^53. */
const LONG_DIGITS = 16;

/**
 * The value of a whole JSON body. Integers beyond 2^53 come out as `bigint`, numbers that no double
 * can hold (1e309) as their text.
 *
 * @throws Fault `api_contract`, to be retried, if it is not one complete JSON document in UTF-8.
 */
export function parseBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw malformed("answered with bytes that are not UTF-8");
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = bytes.toString("utf8", marked ? 3 : 0);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own error is left out: it quotes the body.
    const what = text.trim() === "" ? "an empty body" : "JSON that is cut off or malformed";
    throw malformed(`answered with ${what}`);
  }
  return mayRound(bytes, text) ? parseExactly(text) : value;
}

function parseExactly(text: string): unknown {
  const assembler = new Assembler();
  assembler.add(text);
  return assembler.end();
}

/** Whether the text may hold a number that JSON.parse does not keep. Errs on the slow side. */
function mayRound(bytes: Uint8Array, text: string): boolean {
  return hasLongDigits(bytes) || /\d[eE]\+?\d{3,}\s*(?:[,}\]]|$)/.test(text);
}

/** A run of 16 digits covers a place whose number divides by 16: one byte in 16 is looked at. */
function hasLongDigits(bytes: Uint8Array): boolean {
  for (let i = LONG_DIGITS - 1; i < bytes.length; i += LONG_DIGITS) {
    if (!isDigit(bytes[i])) continue;
    let first = i;
    let last = i;
    while (isDigit(bytes[first - 1])) first--;
    while (isDigit(bytes[last + 1])) last++;
    if (last - first + 1 >= LONG_DIGITS) return true;
    i = last;
  }
  return false;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/**
 * Rows of a large JSON body, at most 500 at a time; the list as a whole is never in memory.
 *
 * @returns at its end the body without its rows: `[]`, or the object round `data`, or whatever
 *   else the body was.
 * @throws Fault `api_contract`, to be retried, if it is not one complete JSON document in UTF-8;
 *   rows before the fault have been handed on by then.
 */
export async function* parseRows(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly unknown[], unknown> {
  let rows: unknown[] = [];
  const assembler = new Assembler((row) => rows.push(row));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) {
    assembler.add(decoded(decoder, chunk));
    if (rows.length < CHUNK_ROWS) continue;
    const ready = rows;
    rows = [];
    for (let i = 0; i < ready.length; i += CHUNK_ROWS) yield ready.slice(i, i + CHUNK_ROWS);
  }
  assembler.add(decoded(decoder, null));
  const rest = assembler.end();
  if (rows.length > 0) yield rows;
  return rest;
}

function decoded(decoder: TextDecoder, chunk: Uint8Array | null): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw malformed("answered with bytes that are not UTF-8", cause);
  }
}
