import { Bytes } from "../core/bytes.js";
import { OBSERVED_AT } from "../core/columns.js";
import { ConnectorError } from "../core/errors.js";
import { stringify } from "../core/json.js";
import type { RecordBatch, Row } from "../core/record.js";
import { Pipe } from "./pipe.js";

/** Bytes that are gathered before they are written. More saves nothing, less costs calls. */
const CHUNK = 65_536;

/** Room beside them for the line that goes beyond: most are shorter. */
const LINE = 16_384;

/** Longest message line, in bytes. Meltano refuses more than half its `elt.buffer_size`. */
const LINE_LIMIT = 50 * 1024 * 1024;

/** Characters that JSON leaves as they are and some readers of lines take for a line's end. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;
const LINE_END_BYTES = ["\u0085", "\u2028", "\u2029"].map((c) => Buffer.from(c));

/**
 * Where a protocol's lines leave: gathers text, waits for its reader, and tells which receipts are
 * out of the house.
 */
export class Outlet<Receipt> {
  readonly #pipe: Pipe<Receipt>;
  /** Lines not yet handed to the pipe, and the receipts that they cover. */
  readonly #lines = new Bytes(CHUNK + LINE);
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
    this.#lines.add(text);
    return this.#lines.length >= CHUNK;
  }

  /**
   * Gathers a line for each row, its JSON between a head and a tail, and hands on what fills up.
   *
   * @throws ConnectorError `bad_record` for a row that no reader of lines would take.
   */
  async addRows(batch: RecordBatch, head: string, tail: string): Promise<void> {
    const { stream, rows, observedAt } = batch;
    const observed =
      observedAt === null ? "" : `"${OBSERVED_AT.name}":${JSON.stringify(observedAt)}`;
    for (const row of rows) {
      const text = rowText(row, stream);
      this.#lines.add(head);
      this.#lines.addObject(text, `${text === "{}" || observed === "" ? "" : ","}${observed}}`);
      if (this.add(`${tail}\n`)) await this.push();
    }
  }

  /** The receipt is confirmed with what has been gathered so far. */
  cover(receipt: Receipt): void {
    this.#covered.push(receipt);
  }

  /** Hands on what was gathered, after the reader has taken what came before. */
  async push(): Promise<void> {
    // Taken out at once: what is added while this waits belongs to the next push.
    const lines = this.#lines.take();
    const covered = this.#covered;
    this.#covered = [];
    // Waiting before a write and not after it lets the next lines be made while these are taken.
    if (this.#pipe.lags) await this.#pipe.drained();
    this.#pipe.write(onOneLine(lines), covered);
  }

  /** Hands on what was gathered if that takes no waiting. For lines that come between rows. */
  pushIfFree(): void {
    if (this.#pipe.lags) return;
    const covered = this.#covered;
    this.#covered = [];
    this.#pipe.write(onOneLine(this.#lines.take()), covered);
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
    this.#lines.take();
    this.#covered = [];
  }
}

function rowText(row: Row, stream: string): string {
  const text = stringify(row);
  if (text.length > LINE_LIMIT / 3) checkLength(text, stream);
  return text;
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
function onOneLine(lines: Buffer): Buffer {
  if (!LINE_END_BYTES.some((end) => lines.includes(end))) return lines;
  const escaped = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return Buffer.from(lines.toString("utf8").replace(LINE_ENDS, escaped));
}
