/** Where a member of a line stands: from the name's opening quote to the end of its value. */
export interface Member {
  readonly name: string;
  /** First character of the value. */
  readonly from: number;
  /** After its last one. */
  readonly to: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [123, 125, 91, 93];

/**
 * The members of a spooled line, an object as `stringify` writes it: without spaces. Values are
 * found and not read, so that a number keeps every digit.
 */
export function members(line: string): readonly Member[] {
  const found: Member[] = [];
  for (let at = 1; at < line.length - 1;) {
    const nameEnd = afterText(line, at);
    const from = nameEnd + 1;
    const to = afterValue(line, from);
    const name = line.slice(at + 1, nameEnd - 1);
    found.push({
      name: name.includes("\\") ? (JSON.parse(`"${name}"`) as string) : name,
      from,
      to,
    });
    at = to + 1;
  }
  return found;
}

/** After the closing quote of the text that begins here. */
function afterText(line: string, at: number): number {
  for (let end = line.indexOf('"', at + 1); ; end = line.indexOf('"', end + 1)) {
    if (end === -1) return line.length;
    let slashes = 0;
    while (line.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
}

function afterValue(line: string, from: number): number {
  let depth = 0;
  for (let at = from; at < line.length;) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) {
      at = afterText(line, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
    } else if (code === COMMA && depth === 0) return at;
    at += 1;
  }
  return line.length;
}
