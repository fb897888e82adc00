/** Digits from which an integer may be beyond 2^53. */
const LONG = /\d{16}/;

/**
 * The value of a JSON text, with integers beyond 2^53 as `bigint`.
 *
 * @throws SyntaxError if it is not JSON, RangeError if it is nested too deeply.
 */
export function parseExactly(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  // Only a text that is JSON without marks may be read with them.
  const rounded: unknown = JSON.parse(text);
  let mark = "int:";
  while (holds(text, mark)) mark = `:${mark}`;
  const marked = markIntegers(text, mark);
  if (marked === text) return rounded;
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

/** Whether a string within the text could be taken for a mark; escapes hide it from a search. */
function holds(text: string, mark: string): boolean {
  let found = false;
  JSON.parse(text, (_key, value: unknown) => {
    found ||= typeof value === "string" && value.startsWith(mark);
    return value;
  });
  return found;
}

/** Turns integers that a double would round into marked texts. */
function markIntegers(text: string, mark: string): string {
  const parts: string[] = [];
  let kept = 0;
  let at = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      at = endOfString(text, at);
      continue;
    }
    const number = NUMBER;
    number.lastIndex = at;
    const digits = number.exec(text)?.[0];
    if (digits === undefined) {
      at += 1;
      continue;
    }
    if (/^-?\d{16,}$/.test(digits) && !Number.isSafeInteger(Number(digits))) {
      parts.push(text.slice(kept, at), `"${mark}${digits}"`);
      kept = at + digits.length;
    }
    at += digits.length;
  }
  return parts.join("") + text.slice(kept);
}

const NUMBER = /-?\d[\d.eE+-]*/y;

/** Where a string that begins at `from` is over. */
function endOfString(text: string, from: number): number {
  let end = from;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
  } while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes += 1;
  return slashes % 2 === 1;
}
