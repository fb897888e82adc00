import { open, rm, type FileHandle } from "node:fs/promises";

import { members } from "../members.js";
import { META, SEQUENCE } from "../table.js";

/** Text is handed to the system in pieces of about so many characters. */
const CHUNK = 256 * 1024;

/** A spooled line as it stands in a table: with its load, without its place in it. */
export function tabled(line: string, loadId: string): string {
  const at = line.lastIndexOf(`"${SEQUENCE.name}":`);
  const rest = line.indexOf(",", at);
  return `${line.slice(0, at)}"${META[0].name}":"${loadId}"${line.slice(rest)}`;
}

/** What tells a row from others, and one version of it from the next. */
export function identityOf(
  line: string,
  key: readonly string[],
): { readonly key: string; readonly digest: string } {
  let digest = "";
  const values = new Map<string, string>();
  for (const { name, from, to } of members(line)) {
    if (name === META[2].name) digest = line.slice(from, to);
    else if (key.includes(name)) values.set(name, line.slice(from, to));
  }
  return { key: key.map((name) => values.get(name) ?? "null").join(","), digest };
}

/** Writes lines; nothing is kept of a file that was not closed by {@link LineFile.seal}. */
export class LineFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #text = "";
  #rows = 0;
  #isSealed = false;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<LineFile> {
    return new LineFile(path, await open(path, "w", 0o600));
  }

  get rows(): number {
    return this.#rows;
  }

  async add(line: string): Promise<void> {
    this.#text += `${line}\n`;
    this.#rows += 1;
    if (this.#text.length >= CHUNK) await this.#write();
  }

  /** Puts the lines on the disk for good. */
  async seal(): Promise<void> {
    await this.#write();
    await this.#file.sync();
    this.#isSealed = true;
  }

  async #write(): Promise<void> {
    await this.#file.writeFile(this.#text);
    this.#text = "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (!this.#isSealed) await rm(this.#path, { force: true });
  }
}
