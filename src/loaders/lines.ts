import { createReadStream } from "node:fs";

/** Bytes read at once. */
const CHUNK = 256 * 1024;

/**
 * Lines of a spooled file. Only a line feed ends one: other separators, which readline knows too,
 * stand unescaped in people's texts.
 */
export async function* linesOf(path: string): AsyncIterable<string> {
  const input = createReadStream(path, { highWaterMark: CHUNK, encoding: "utf8" });
  let rest = "";
  for await (const chunk of input as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
