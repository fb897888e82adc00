import { jsonParser } from "stream-json/core/parser.js";
import { getManyValues, isMany, none } from "stream-chain/core";

import { malformed } from "./fault.js";

type Token = { readonly name: string; readonly value?: unknown };

interface Frame {
  readonly container: unknown[] | Record<string, unknown>;
  /** Name of the member that comes next, in an object. */
  key: string;
}

/** Most characters without a complete row: what one row may take in memory. */
const ROW_LIMIT = 64 * 1024 * 1024;

/** Characters handed to the tokenizer at once: bounds the list of tokens it answers with. */
const SLICE = 65_536;

/**
 * Builds values from JSON text that comes in pieces, with integers beyond 2^53 as `bigint`.
 *
 * With `onRow`, the elements of the outermost list, or of the outermost object's `data`, are handed
 * over one by one and not kept, so that the list never is in memory as a whole.
 */
export class Assembler {
  readonly #tokenize = jsonParser({ streamValues: false });
  readonly #onRow: ((row: unknown) => void) | undefined;
  readonly #stack: Frame[] = [];
  #rows: unknown[] | undefined;
  #root: unknown;
  #sinceRow = 0;

  constructor(onRow?: (row: unknown) => void) {
    this.#onRow = onRow;
  }

  /** @throws Fault if the text is not JSON, or a row is too large to be held. */
  add(text: string): void {
    for (let from = 0; from < text.length; from += SLICE) {
      this.#tokens(text.slice(from, from + SLICE));
    }
    this.#sinceRow += text.length;
    if (this.#onRow !== undefined && this.#sinceRow > ROW_LIMIT) {
      throw malformed(`answered with a row of more than ${String(ROW_LIMIT / 1024 / 1024)} MB`);
    }
  }

  /** The whole value, its rows left out where they were handed over. @throws Fault if it is cut off. */
  end(): unknown {
    this.#tokens(none);
    if (this.#stack.length > 0) throw malformed("answered with JSON that is cut off");
    return this.#root;
  }

  #tokens(text: string | typeof none): void {
    let tokens: unknown;
    try {
      tokens = this.#tokenize(text as string);
    } catch {
      // The parser's own error is left out: it may quote the body.
      throw malformed("answered with JSON that is cut off or malformed");
    }
    if (isMany(tokens)) for (const token of getManyValues(tokens)) this.#take(token as Token);
  }

  #take(token: Token): void {
    switch (token.name) {
      case "startObject":
        this.#open({});
        return;
      case "startArray":
        this.#open([]);
        return;
      case "endObject":
      case "endArray":
        this.#close();
        return;
      case "keyValue": {
        const frame = this.#stack.at(-1);
        if (frame !== undefined) frame.key = token.value as string;
        return;
      }
      case "numberValue":
        this.#place(exactNumber(token.value as string));
        return;
      default:
        this.#place(token.value);
    }
  }

  #open(container: Frame["container"]): void {
    const parent = this.#stack.at(-1);
    const outermost =
      parent === undefined ||
      (this.#stack.length === 1 && parent.key === "data" && !Array.isArray(parent.container));
    if (this.#onRow !== undefined && outermost && Array.isArray(container)) this.#rows = container;
    this.#stack.push({ container, key: "" });
  }

  #close(): void {
    const closed = this.#stack.pop();
    if (closed === undefined) return;
    if (closed.container === this.#rows) this.#rows = undefined;
    this.#place(closed.container);
  }

  #place(value: unknown): void {
    const frame = this.#stack.at(-1);
    if (frame === undefined) {
      this.#root = value;
    } else if (!Array.isArray(frame.container)) {
      setOwn(frame.container, frame.key, value);
    } else if (frame.container === this.#rows) {
      this.#sinceRow = 0;
      this.#onRow?.(value);
    } else {
      frame.container.push(value);
    }
  }
}

/** As JSON.parse does it: `__proto__` is a member like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") {
    object[key] = value;
    return;
  }
  const member = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, key, member);
}

/**
 * A JSON number without loss: `bigint` where a double would round an integer, the text itself
 * where a double has no such number, so that checking the row finds it and nothing passes as null.
 */
function exactNumber(text: string): number | bigint | string {
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(text) ? value : BigInt(text);
}
