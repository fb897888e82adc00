import { Readable } from "node:stream";

import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../../src/core/errors.js";
import { readMessages, type SingerMessage } from "../../../src/protocols/singer/reader.js";

/** Messages of any tap, read for `knowbe4 load`. */

const SCHEMA = {
  type: "SCHEMA",
  stream: "people",
  schema: { type: "object", properties: { id: { type: "integer" }, name: { type: "string" } } },
  key_properties: ["id"],
};

const record = (fields: unknown, more: object = {}) => ({
  type: "RECORD",
  stream: "people",
  record: fields,
  ...more,
});

async function read(...lines: readonly unknown[]) {
  const text = lines.map((l) => `${typeof l === "string" ? l : JSON.stringify(l)}\n`).join("");
  return readBytes(Buffer.from(text));
}

async function readBytes(...chunks: readonly Uint8Array[]) {
  const messages: SingerMessage[] = [];
  const warnings: string[] = [];
  for await (const message of readMessages(Readable.from(chunks), {
    warn: (warning) => warnings.push(warning),
  })) {
    messages.push(message);
  }
  return { messages, warnings };
}

async function failureOf(reading: Promise<unknown>): Promise<ConnectorError> {
  const failed = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(ConnectorError);
  return failed as ConnectorError;
}

describe("messages", () => {
  test("are typed, and say on which line they stand", async () => {
    const time = "2026-11-23T22:07:19.883692+00:00";
    const { messages } = await read(
      { type: "STATE", value: { bookmarks: {} } },
      { ...SCHEMA, bookmark_properties: ["id"] },
      "",
      record({ id: 1, name: null }, { time_extracted: time, version: 3 }),
      record({ id: 2 }),
    );

    expect(messages).toEqual([
      { type: "STATE", line: 1, value: { bookmarks: {} } },
      {
        type: "SCHEMA",
        line: 2,
        stream: "people",
        schema: SCHEMA.schema,
        keyProperties: ["id"],
        bookmarkProperties: ["id"],
      },
      {
        type: "RECORD",
        line: 4,
        stream: "people",
        record: { id: 1, name: null },
        timeExtracted: time,
      },
      { type: "RECORD", line: 5, stream: "people", record: { id: 2 }, timeExtracted: null },
    ]);
  });

  test("may come in pieces that end anywhere, with a mark at the start and no end of line", async () => {
    const bytes = Buffer.from(
      `\ufeff${JSON.stringify(SCHEMA)}\r\n${JSON.stringify(record({ id: 1, name: "Łucja 🦊" }))}`,
    );
    const pieces = [...bytes].map((byte) => Uint8Array.of(byte));

    const { messages } = await readBytes(...pieces);

    expect(messages[1]).toMatchObject({ record: { id: 1, name: "Łucja 🦊" } });
  });

  test("keep integers beyond 2^53, and text that only looks like them", async () => {
    const { messages } = await read(
      SCHEMA,
      '{"type":"RECORD","stream":"people","record":{"id":9007199254740993,"a":[-123456789012345678901],' +
        '"b":"9007199254740993","c":9007199254740992.5,"d":1e20,"e":"\\"9007199254740993\\\\",' +
        '"f":"\\u0069nt:9007199254740993","g":"int:x","h":9007199254740991}}',
    );

    expect(messages[1]).toMatchObject({
      record: {
        id: 9007199254740993n,
        a: [-123456789012345678901n],
        b: "9007199254740993",
        c: 9007199254740992,
        d: 1e20,
        e: '"9007199254740993\\',
        f: "int:9007199254740993",
        g: "int:x",
        h: 9007199254740991,
      },
    });
  });

  test("a stream may have no key, and its schema may change", async () => {
    const { messages } = await read(
      { ...SCHEMA, key_properties: [] },
      record({ name: "A" }),
      SCHEMA,
      record({ id: 1 }),
    );
    expect(messages.map((m) => m.type)).toEqual(["SCHEMA", "RECORD", "SCHEMA", "RECORD"]);
  });

  test("ACTIVATE_VERSION is ignored, with one warning per stream", async () => {
    const activate = { type: "ACTIVATE_VERSION", stream: "people", version: 1 };
    const { messages, warnings } = await read(SCHEMA, activate, activate);

    expect(messages).toHaveLength(1);
    expect(warnings).toEqual([
      'line 2: ACTIVATE_VERSION of "people" is ignored: rows that it would remove stay',
    ]);
  });

  test("a line of 50 MiB is read, a longer one is refused before it is held", async () => {
    const head = '{"type":"STATE","value":"';
    const line = (bytes: number) =>
      Buffer.from(`${head}${"x".repeat(bytes - head.length - 2)}"}\n`);
    const limit = 50 * 1024 * 1024;

    expect((await readBytes(line(limit))).messages).toHaveLength(1);
    const error = await failureOf(readBytes(line(limit + 1)));
    expect(error.message).toBe("line 1: longer than 50 MiB");
  });

  test("a line that never ends is given up at the limit", async () => {
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          given += 1;
          yield Buffer.alloc(1024 * 1024, 120);
        }
      })(),
    );
    const reading = (async () => {
      for await (const _ of readMessages(endless, { warn: () => undefined }));
    })();

    expect((await failureOf(reading)).message).toBe("line 1: longer than 50 MiB");
    expect(given).toBeLessThan(80);
  });
});

describe("faults name the line and quote nothing of it", () => {
  const canary = "canary";
  test.each<[string, readonly unknown[]]>([
    ["line 1: not JSON", [`{"type":"RECORD","record":{"name":"${canary}"`]],
    ["line 1: not JSON", ['{"a":NaN}']],
    ["line 1: not a JSON object", [`["${canary}"]`]],
    ["line 1: no type", [{ stream: canary }]],
    ["line 1: unknown type of message", [{ type: canary }]],
    ["line 1: type must be written in upper case: SCHEMA", [{ ...SCHEMA, type: "schema" }]],
    ["line 2: type must be written in upper case: RECORD", [SCHEMA, { type: "Record" }]],
    ['line 1: RECORD of "people" before its SCHEMA', [record({ id: 1, name: canary })]],
    ["line 1: SCHEMA without stream", [{ ...SCHEMA, stream: "" }]],
    ['line 1: SCHEMA of "people" without schema', [{ ...SCHEMA, schema: null }]],
    ['line 1: SCHEMA of "people": the schema has no properties', [{ ...SCHEMA, schema: {} }]],
    ['line 1: SCHEMA of "people" without key_properties', [without("key_properties")]],
    [
      'line 1: SCHEMA of "people" without key_properties',
      [{ ...SCHEMA, key_properties: [canary, 1] }],
    ],
    [
      'line 1: SCHEMA of "people": key property "ident" is not in the schema',
      [{ ...SCHEMA, key_properties: ["ident"] }],
    ],
    ['line 2: RECORD of "people" without record', [SCHEMA, record(canary)]],
    ['line 2: RECORD of "people" without key property "id"', [SCHEMA, record({ name: canary })]],
    ['line 2: RECORD of "people" without key property "id"', [SCHEMA, record({ id: null })]],
    ["line 2: RECORD without stream", [SCHEMA, { type: "RECORD", record: {} }]],
    ["line 1: STATE without value", [{ type: "STATE" }]],
    [
      "line 2: BATCH is not supported: rows must come as RECORD messages",
      [SCHEMA, { type: "BATCH", stream: "people", manifest: [canary] }],
    ],
    ["line 1: nested too deeply", [`{"a":1234567890123456789,"b":${nested(100_000)}}`]],
  ])("%s", async (message, lines) => {
    const error = await failureOf(read(...lines));

    expect(error).toMatchObject({ kind: "api_contract", message });
    expect(`${error.message}${error.hint ?? ""}${String(error.cause)}`).not.toContain(canary);
  });

  test("bytes that are not UTF-8", async () => {
    const error = await failureOf(readBytes(Buffer.from('{"type":"\xff"}\n', "latin1")));
    expect(error.message).toBe("line 1: not UTF-8");
  });
});

function without(key: string) {
  return Object.fromEntries(Object.entries(SCHEMA).filter(([name]) => name !== key));
}

function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
