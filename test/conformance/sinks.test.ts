import type { Row } from "../../src/core/record.js";
import { parseExactly } from "../../src/protocols/singer/exact.js";
import { SingerWriter } from "../../src/protocols/singer/writer.js";
import { bigQueryDesk, ENDPOINT, SKIPPED } from "../loaders/bigquery/support.js";
import { desk } from "../loaders/support.js";
import { jsonlDesk } from "../loaders/jsonl/support.js";
import { memoryOut } from "../protocols/singer/support.js";
import { describeHistory } from "./history.js";
import { describeSink } from "./sink.js";

describeSink("the Singer writer", async ({ pace }) => {
  const out = memoryOut(pace === "slow" ? { slow: true } : {});
  return {
    take: () => out.take(),
    sink: () => new SingerWriter(out),
    durable: async (stream) =>
      out.text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => parseExactly(line) as { type: string; stream: string; record: Row })
        .filter((message) => message.type === "RECORD" && message.stream === stream)
        .map((message) => message.record),
  };
});

describeSink("the DuckDB loader", async () => {
  const { loader, query } = await desk();
  return {
    sink: () => loader(),
    durable: async (stream) => {
      const found = await query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'knowbe4'",
      );
      if (!found.some((row) => row["table_name"] === stream)) return [];
      return query(
        `SELECT * EXCLUDE (_kb4_load_id, _kb4_extracted_at, _kb4_row_hash, _kb4_deleted_at) FROM ${stream}`,
      );
    },
  };
});

describeSink("the JSONL loader", async () => {
  const { loader, rows } = await jsonlDesk();
  return {
    sink: () => loader(),
    durable: async (stream) =>
      (await rows(stream)).map(({ _kb4_load_id, _kb4_extracted_at, _kb4_row_hash, ...row }) => row),
  };
});

describeSink(
  `the BigQuery loader${SKIPPED}`,
  async () => {
    const { loader, tables, query } = await bigQueryDesk();
    return {
      sink: () => loader(),
      durable: async (stream) => {
        if (!(await tables()).includes(stream)) return [];
        return query(
          `SELECT * EXCEPT (_kb4_load_id, _kb4_extracted_at, _kb4_row_hash, _kb4_deleted_at) FROM {d}.${stream}`,
        );
      },
    };
  },
  {
    isThere: ENDPOINT !== undefined,
    timeout: 240_000,
    cannotHold: ["integers beyond 64 bits in JSON"],
  },
);

describeHistory("the DuckDB loader", async () => {
  const { loader, query } = await desk();
  return {
    loader: (options) => loader(options),
    rows: (relation) => query(`SELECT * FROM ${relation} ORDER BY ALL`),
  };
});

describeHistory(
  `the BigQuery loader${SKIPPED}`,
  async () => {
    const { loader, query } = await bigQueryDesk();
    return {
      loader: (options) => loader(options),
      rows: (relation) => query(`SELECT * FROM {d}.${relation}`),
    };
  },
  { isThere: ENDPOINT !== undefined, timeout: 240_000 },
);
