import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { said, type Answer } from "./answer.js";
import type { Engine } from "./engine.js";
import { compilation, SnowflakeFault, unknownObject } from "./fault.js";
import { Reader, tokensOf } from "./lexer.js";
import { fullName, type Session } from "./session.js";

/** `CREATE SCHEMA`. */
export async function createSchema(
  engine: Engine,
  session: Session,
  reader: Reader,
): Promise<Answer> {
  const isOptional = reader.takes("IF", "NOT", "EXISTS");
  const [database = "", schema = ""] = reader.chain();
  if (
    !engine.catalog.databases.has(database) ||
    !engine.catalog.sees(session.role, "DATABASE", database)
  ) {
    throw unknownObject("Database", `"${database}"`);
  }
  engine.catalog.require(session.role, "CREATE SCHEMA", "DATABASE", database);
  const name = `${database}.${schema}`;
  if (engine.catalog.schemas.has(name)) {
    if (isOptional) return said(`${schema} already exists, statement succeeded.`);
    throw new SnowflakeFault("002002", "42710", `Object '${schema}' already exists.`);
  }
  await engine.addSchema(database, schema);
  engine.catalog.own(session.role, "SCHEMA", name);
  return said(`Schema ${schema} successfully created.`);
}

/** `CREATE TEMPORARY STAGE`. */
export async function createStage(
  engine: Engine,
  session: Session,
  reader: Reader,
  { isTemporary }: { readonly isTemporary: boolean },
): Promise<Answer> {
  if (!isTemporary) throw compilation("only temporary stages are known here");
  const isOptional = reader.takes("IF", "NOT", "EXISTS");
  const [database, schema, stage] = fullName(session, reader.chain());
  engine.catalog.schema(session.role, database, schema);
  engine.catalog.require(session.role, "CREATE STAGE", "SCHEMA", `${database}.${schema}`);
  const name = [database, schema, stage].join("\0");
  if (session.stages.has(name) && !isOptional) {
    throw new SnowflakeFault("002002", "42710", `Object '${stage}' already exists.`);
  }
  if (!session.stages.has(name)) {
    const folder = join(
      engine.folder,
      `session-${String(session.id)}`,
      String(session.stages.size),
    );
    await mkdir(folder, { recursive: true });
    session.stages.set(name, folder);
  }
  return said(`Stage area ${stage} successfully created.`);
}

/** `PUT`: the driver copies the file itself. */
export function put(session: Session, reader: Reader): Answer {
  const path = reader.text();
  const { folder, below } = staged(session, reader.text());
  const options = reader
    .rest()
    .map((token) => token.text)
    .join(" ");
  if (options !== "SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE OVERWRITE = TRUE") {
    throw compilation(`unexpected '${options}'.`);
  }
  return { kind: "upload", from: path, to: join(folder, below) };
}

/** The folder of a stage's path. @throws SnowflakeFault */
export function staged(
  session: Session,
  path: string,
): { readonly folder: string; readonly below: string } {
  const reader = new Reader(tokensOf(path.replace(/^@/, "").replace(/\/.*$/s, "")));
  const chain = reader.chain();
  const name = fullName(session, chain).join("\0");
  const folder = session.stages.get(name);
  if (folder === undefined) throw unknownObject("Stage", name.split("\0").join("."));
  const below = /\/(.*)$/s.exec(path)?.[1] ?? "";
  return { folder, below };
}
