import { CATALOG } from "../../loaders/duckdb/dialect.js";
import { duckDbWarehouse } from "../../loaders/duckdb/warehouse.js";
import type { Destination } from "../../config/schema.js";
import pc from "picocolors";

import { answerText } from "./answers.js";
import { QUESTIONS } from "./questions.js";

/** Every question of the demo with its answer out of the file. */
export async function askAll(destination: Destination): Promise<string> {
  const { path, schema, memory_limit: memoryLimit } = destination;
  const warehouse = duckDbWarehouse({ path, schema, memoryLimit, tempDir: `${path}.spool/tmp` });
  await using session = await warehouse.open("read");
  const named = `${CATALOG}."${schema.replaceAll('"', '""')}"`;
  let text = "";
  for (const question of QUESTIONS) {
    const rows = await session.query(question.title, question.sql.replaceAll("{schema}", named));
    text += `${pc.bold(question.title)}\n\n${answerText(question, rows)}\n\n`;
  }
  return text;
}
