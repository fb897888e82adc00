import { ConnectorError } from "../core/errors.js";
import { stringify } from "../core/json.js";
import type { Row } from "../core/record.js";
import { Pipe } from "./pipe.js";

/** Characters that are gathered before they are written. More saves nothing, less costs calls. */
export const CHUNK = 65_536;

/** Longest message line, in bytes. Meltano refuses more than half its `elt.buffer_size`. */
const LINE_LIMIT = 50 * 1024 * 1024;

/** Characters that JSON leaves as they are and some readers of lines take for a line's end. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

/**
 * Where a protocol's lines leave: gathers text, waits for its reader, and tells which receipts are
 * out of the house.
 */
export class Outlet<Receipt> {
  readonly #pipe: Pipe<Receipt>;
  /** Lines not yet handed to the pipe, and the receipts that they cover. */
  #text = "";
  #covered: Receipt[] = [];

  /** @param out usually stdout; it is never closed. */
  constructor(out: NodeJS.WritableStream) {
    this.#pipe = new Pipe(out);
  }

  /** Ends waiting when the run is killed. */
  watch(signal: AbortSignal): void {
    this.#pipe.watch(signal);
  }

  /** @throws ConnectorError if a write has failed. */
  check(): void {
    this.#pipe.check();
  }

  /** Gathers whole lines. True if so much has gathered that {@link push} is due. */
  add(text: string): boolean {
    this.#text += text;
    return this.#text.length >= CHUNK;
  }

  /** The receipt is confirmed with what has been gathered so far. */
  cover(receipt: Receipt): void {
    this.#covered.push(receipt);
  }

  /** Hands on what was gathered, after the reader has taken what came before. */
  async push(): Promise<void> {
    // Taken out at once: what is added while this waits belongs to the next push.
    const text = this.#text;
    const covered = this.#covered;
    this.#text = "";
    this.#covered = [];
    // Waiting before a write and not after it lets the next lines be made while these are taken.
    if (this.#pipe.lags) await this.#pipe.drained();
    this.#pipe.write(onOneLine(text), covered);
  }

  /** Hands on what was gathered if that takes no waiting. For lines that come between rows. */
  pushIfFree(): void {
    if (this.#pipe.lags) return;
    const text = this.#text;
    const covered = this.#covered;
    this.#text = "";
    this.#covered = [];
    this.#pipe.write(onOneLine(text), covered);
  }

  /** Hands on everything, waits until it has left, and returns the receipts of what did. */
  async settle(): Promise<readonly Receipt[]> {
    await this.push();
    await this.#pipe.settled();
    return this.#pipe.take();
  }

  /** Receipts of what has left since the last call. */
  take(): readonly Receipt[] {
    return this.#pipe.take();
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.#text = "";
    this.#covered = [];
  }
}

/**
 * A row as JSON text without its closing brace, so that more fields can follow.
 *
 * @param observed text of the last field, `_observed_at` as a rule; empty for none.
 * @throws ConnectorError `bad_record` for a row that no reader of lines would take.
 */
export function rowText(row: Row, stream: string, observed: string): string {
  const text = stringify(row);
  if (text.length > LINE_LIMIT / 3) checkLength(text, stream);
  if (observed === "") return text.slice(0, -1);
  return text.slice(0, -1) + (text.length === 2 ? observed : `,${observed}`);
}

function checkLength(text: string, stream: string): void {
  const bytes = Buffer.byteLength(text);
  // A kilobyte for what stands round the row.
  if (bytes <= LINE_LIMIT - 1024) return;
  const size = `${String(Math.ceil(bytes / 1024 / 1024))} MiB`;
  throw new ConnectorError("bad_record", `${stream}: a row of ${size} is too long for a message`, {
    hint: "leave out the field that is this large; Meltano reads lines of at most 50 MiB",
    context: { stream, bytes },
  });
}

/** Escapes line ends that JSON does not; looking for each first is far cheaper than replacing. */
function onOneLine(text: string): string {
  if (!text.includes("\u0085") && !text.includes("\u2028") && !text.includes("\u2029")) return text;
  return text.replace(LINE_ENDS, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
