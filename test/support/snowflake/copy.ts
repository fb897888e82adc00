import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { textRows, type Answer } from "./answer.js";
import { namesIn } from "./ddl.js";
import type { Engine } from "./engine.js";
import { compilation, SnowflakeFault } from "./fault.js";
import { items, Reader, type Token } from "./lexer.js";
import { staged } from "./places.js";
import type { Session } from "./session.js";
import { encoded, text, typeNext } from "./translate.js";

/** Options of the one kind of file that is known here. */
const FORMAT = [
  "TYPE = JSON COMPRESSION = GZIP STRIP_OUTER_ARRAY = FALSE STRIP_NULL_VALUES = FALSE ENABLE_OCTAL = FALSE",
  "ALLOW_DUPLICATE = FALSE TRIM_SPACE = FALSE NULL_IF = ( ) DATE_FORMAT = AUTO TIMESTAMP_FORMAT = AUTO",
  "REPLACE_INVALID_CHARACTERS = FALSE",
].join(" ");

/** Largest document that Snowflake reads, in bytes. */
const LARGEST = 16 * 1024 * 1024;

/** `COPY INTO table (columns) FROM (SELECT $1['key']::TYPE, … FROM '@stage/path/')`. */
export async function copyInto(engine: Engine, session: Session, reader: Reader): Promise<Answer> {
  reader.expect("INTO");
  const relation = await engine.changing(session, reader.chain(), "INSERT");
  const names = namesIn(reader.parenthesis());
  reader.expect("FROM");
  const query = new Reader(reader.parenthesis());
  query.expect("SELECT");
  const fields = items(query.until("FROM")).map(fieldOf);
  query.expect("FROM");
  const { folder, below } = staged(session, query.text());
  reader.expect("FILE_FORMAT", "=");
  const format = written(reader.parenthesis());
  if (format !== FORMAT) throw compilation(`unexpected '${format}'.`);
  reader.expect("ON_ERROR", "=", "ABORT_STATEMENT");
  if (!reader.isDone || fields.length !== names.length) throw compilation("a list is too short");

  const files = await readdir(join(folder, below)).catch(() => []);
  const fresh = files.toSorted().filter((file) => !relation.loaded.has(`${below}${file}`));
  if (fresh.length === 0) {
    return textRows(["status"], [["Copy executed with 0 files processed."]]);
  }
  return engine.together(session, async () => {
    const rows: (readonly string[])[] = [];
    for (const file of fresh) {
      const path = join(folder, below, file);
      const loaded = await load(session, relation.duckdb, names, fields, path);
      rows.push([`${below}${file}`, "LOADED", loaded, loaded, "1", "0"]);
    }
    for (const file of fresh) relation.loaded.add(`${below}${file}`);
    const columns = ["file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen"];
    return textRows(columns, rows);
  });
}

interface Field {
  readonly key: string;
  readonly type: string;
}

async function load(
  session: Session,
  table: string,
  names: readonly string[],
  fields: readonly Field[],
  path: string,
): Promise<string> {
  const columns = fields.map(({ key, type }) => `${text(key)}: ${text(type)}`);
  // Where the document has a null, a VARIANT has one of its own.
  const values = fields.map(({ key, type }) => {
    const name = `"${key.replaceAll('"', '""')}"`;
    return type === "JSON" ? `coalesce(${name}, 'null'::JSON)` : name;
  });
  refuseLarge(gunzipSync(await readFile(path)));
  const { rowsChanged } = await session.connection.run(
    `INSERT INTO ${table} (${names.map(encoded).join(", ")}) SELECT ${values.join(", ")} FROM read_json(${text(path)},
    format = 'newline_delimited', compression = 'gzip', maximum_object_size = ${String(LARGEST)}, columns = {${columns.join(", ")}})`,
  );
  return String(rowsChanged);
}

/** @throws SnowflakeFault if a line is larger than a document may be. */
function refuseLarge(lines: Buffer): void {
  if (lines.length <= LARGEST) return;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf("\n", start);
    if (end === -1 || end - start > LARGEST) {
      throw new SnowflakeFault(
        "100069",
        "22P02",
        `Error parsing JSON: document is too large, max size ${String(LARGEST)} bytes`,
      );
    }
    start = end + 1;
  }
}

function fieldOf(tokens: readonly Token[]): Field {
  const reader = new Reader(tokens);
  reader.expect("$1", "[");
  const key = reader.text();
  reader.expect("]");
  if (reader.isDone) return { key, type: "JSON" };
  reader.expect("::");
  return { key, type: typeNext(reader).duckdb };
}

function written(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text).join(" ");
}
