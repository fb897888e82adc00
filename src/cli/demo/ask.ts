import { CATALOG } from "../../loaders/duckdb/dialect.js";
import { duckDbWarehouse } from "../../loaders/duckdb/warehouse.js";
import pc from "picocolors";

import { answerText } from "./answers.js";
import { QUESTIONS } from "./questions.js";

/** Every question of the demo with its answer out of the file. */
export async function askAll(path: string, schema: string): Promise<string> {
  const tempDir = `${path}.spool/tmp`;
  const warehouse = duckDbWarehouse({ path, schema, memoryLimit: "128MB", tempDir });
  await using session = await warehouse.open("read");
  const named = `${CATALOG}."${schema.replaceAll('"', '""')}"`;
  let text = "";
  for (const question of QUESTIONS) {
    const rows = await session.query(question.title, question.sql.replaceAll("{schema}", named));
    text += `${pc.bold(question.title)}\n\n${answerText(question, rows)}\n\n`;
  }
  return text;
}
