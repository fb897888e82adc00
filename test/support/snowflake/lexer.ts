import { compilation } from "./fault.js";

/** A piece of Snowflake's SQL. */
export interface Token {
  /** `name` is an identifier in quotes; `word` is one without, or a keyword. */
  readonly kind: "word" | "name" | "text" | "number" | "sign";
  /** A word in upper case; a name or text without its quotes and escapes. */
  readonly text: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
};
const PIECE =
  /\s+|--[^\n]*|"((?:[^"]|"")*)"|'((?:[^'\\]|''|\\[\s\S])*)'|([A-Za-z_$][\w$]*)|(\d+(?:\.\d+)?)|(::|<>|!=|<=|>=|\|\||[-+*/%=<>(),.;:[\]@])/gy;

/**
 * Takes SQL apart by Snowflake's rules: words without quotes are upper case, a backslash in a text
 * is an escape.
 *
 * @throws SnowflakeFault for what is none of it.
 */
export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < sql.length) {
    const at = PIECE.lastIndex;
    const piece = PIECE.exec(sql);
    if (piece === null) throw compilation(`syntax error line 1 at position ${String(at)}`);
    const [, name, text, word, number, sign] = piece as (string | undefined)[];
    if (name !== undefined) tokens.push({ kind: "name", text: name.replaceAll('""', '"') });
    else if (text !== undefined) tokens.push({ kind: "text", text: unescaped(text) });
    else if (word !== undefined) tokens.push({ kind: "word", text: word.toUpperCase() });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
  }
  return tokens;
}

function unescaped(text: string): string {
  return text.replace(
    /''|\\u([0-9a-fA-F]{4})|\\([\s\S])/g,
    (all, code: string | undefined, letter: string) => {
      if (all === "''") return "'";
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return ESCAPES[letter] ?? letter;
    },
  );
}

/** Reads tokens from the front. */
export class Reader {
  readonly tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get isDone(): boolean {
    return this.#at >= this.tokens.length;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.#at + ahead];
  }

  next(): Token {
    const token = this.tokens[this.#at];
    if (token === undefined) throw compilation("unexpected end of the statement");
    this.#at += 1;
    return token;
  }

  /** Whether these words come next; takes them if so. */
  takes(...words: readonly string[]): boolean {
    const isNext = words.every((word, i) => {
      const token = this.peek(i);
      return token !== undefined && isA(token, word);
    });
    if (isNext) this.#at += words.length;
    return isNext;
  }

  /** Takes words that must come. */
  expect(...words: readonly string[]): void {
    for (const word of words) {
      if (!this.takes(word)) throw compilation(`unexpected '${this.peek()?.text ?? "<EOF>"}'.`);
    }
  }

  text(): string {
    const token = this.next();
    if (token.kind !== "text") throw compilation(`unexpected '${token.text}'.`);
    return token.text;
  }

  /** A name of up to three parts. */
  chain(): readonly string[] {
    const parts = [this.#identifier()];
    while (this.takes(".")) parts.push(this.#identifier());
    return parts;
  }

  /** What stands between the parenthesis that comes next and its other one. */
  parenthesis(): readonly Token[] {
    this.expect("(");
    const inside: Token[] = [];
    for (let depth = 1; ;) {
      const token = this.next();
      if (isA(token, "(")) depth += 1;
      if (isA(token, ")")) depth -= 1;
      if (depth === 0) return inside;
      inside.push(token);
    }
  }

  /** All that is left. */
  rest(): readonly Token[] {
    const left = this.tokens.slice(this.#at);
    this.#at = this.tokens.length;
    return left;
  }

  /** All up to one of these words outside of any parenthesis. */
  until(...words: readonly string[]): readonly Token[] {
    const found: Token[] = [];
    for (let depth = 0; !this.isDone;) {
      const token = this.next();
      if (depth === 0 && words.some((word) => isA(token, word))) {
        this.#at -= 1;
        return found;
      }
      if (isA(token, "(")) depth += 1;
      if (isA(token, ")")) depth -= 1;
      found.push(token);
    }
    return found;
  }

  #identifier(): string {
    const token = this.next();
    if (token.kind === "name" || token.kind === "word") return token.text;
    throw compilation(`unexpected '${token.text}'.`);
  }
}

/** Whether a token is this word or sign: never a name or a text. */
export function isA(token: Token, word: string): boolean {
  return (token.kind === "word" || token.kind === "sign") && token.text === word;
}

/** Splits at commas outside of any parenthesis. */
export function items(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const reader = new Reader(tokens);
  const found: (readonly Token[])[] = [];
  while (!reader.isDone) {
    found.push(reader.until(","));
    reader.takes(",");
  }
  return found;
}
