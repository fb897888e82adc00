import fc from "fast-check";
import { expect, test } from "vitest";

import { stringify, type Json } from "../../../src/core/json.js";
import { parseState, type Bookmark, type State } from "../../../src/core/state.js";
import { readMessages } from "../../../src/protocols/singer/reader.js";
import { SingerWriter } from "../../../src/protocols/singer/writer.js";
import { batch, memoryOut, ofType, runInfo, running } from "./support.js";

/** What the writer writes is what was handed to it, for any rows and any state. */

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "\u0000",
    "\u2028\u2029\u0085",
    '"\\\n\r\t',
    "𝒳🦊e\u0301",
    "ש\u202e",
    "int:1",
    ":int:",
  ),
);
const long = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }).map((n) => (n % 2n ? n : -n));
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    long,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
}));
const row = fc.dictionary(text, value, { maxKeys: 6 }).map((fields) => ({ ...fields, id: 1 }));

test("any rows come back as they were, in order, one per line", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
      const out = memoryOut();
      const writer = new SingerWriter(out);
      await writer.open(runInfo(), running());
      await writer.declare({
        name: "any",
        description: "",
        columns: [{ name: "id", type: "integer", nullable: false, description: "" }],
        primaryKey: ["id"],
        cursor: null,
        whole: true,
      });
      await writer.write(batch("any", rows, { observedAt: null }));
      await writer.flush();

      const read: Json[] = [];
      for await (const message of readMessages(bytesOf(out.text), { warn: () => undefined })) {
        if (message.type === "RECORD") read.push(message.record);
      }
      // Zero has no sign in JSON; text that is equal is a row that is equal.
      expect(read.map(stringify)).toEqual(rows.map((r) => stringify(r)));
      expect(out.text.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(rows.length + 3);
    }),
  );
});

/** Bytes in pieces that fall anywhere, also within a character. */
async function* bytesOf(written: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(written);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

const instant = fc
  .integer({ min: 0, max: 999 })
  .map((minutes) => new Date(Date.UTC(2026, 0, 1, 0, minutes)).toISOString());
const part = fc.record({
  print: fc.string(),
  readAt: instant,
  rows: fc.nat(),
  overSince: fc.option(instant),
});
const bookmark: fc.Arbitrary<Bookmark> = fc.record(
  {
    completedAt: fc.option(instant),
    scannedAt: fc.option(instant),
    cursor: fc.option(instant.map((i) => i.slice(0, 10))),
    parts: fc.dictionary(fc.nat({ max: 5 }).map(String), part),
  },
  { requiredKeys: ["completedAt"] },
);
const stream = fc.constantFrom("users", "enrollments", "security_test_recipients");

test("any states that are written can be merged as Meltano merges them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(stream, bookmark), { maxLength: 6 }), async (claims) => {
      const out = memoryOut();
      const writer = new SingerWriter(out);
      await writer.open(runInfo(), running());
      for (const [name, claimed] of claims) {
        await writer.write(batch(name, [], { checkpoint: { stream: name, bookmark: claimed } }));
      }
      await writer.flush();

      const states = ofType(out.text, "STATE").map((m) => m["value"] as State);
      const merged = parseState(states.reduce<unknown>(merge, {}), "merged");
      for (const [name, last] of new Map(claims)) {
        expect(merged.bookmarks[name]).toMatchObject(last);
      }
    }),
  );
});

/** Meltano's merge: objects key by key, anything else is replaced, nothing is removed. */
function merge(below: unknown, above: unknown): unknown {
  const isPlain = (v: unknown): v is Record<string, unknown> =>
    typeof v === "object" && v !== null && !Array.isArray(v);
  if (!isPlain(below) || !isPlain(above)) return above;
  const merged = { ...below };
  for (const [key, v] of Object.entries(above)) merged[key] = merge(below[key], v);
  return merged;
}
