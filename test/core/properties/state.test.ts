import fc from "fast-check";
import { expect, test } from "vitest";

import { ConnectorError } from "../../../src/core/errors.js";
import { encodeIds } from "../../../src/core/idset.js";
import {
  applyCheckpoints,
  parseState,
  type Bookmark,
  type State,
} from "../../../src/core/state.js";

/** Any state that we write is read again; anything else is refused and nothing breaks. */

const instant = fc
  .date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());
const cursor = instant.map((at) => at.slice(0, 10));
const part = fc.record(
  {
    print: fc.stringMatching(/^[0-9a-f]{16}$/),
    readAt: instant,
    rows: fc.maxSafeNat(),
    overSince: fc.option(instant),
  },
  { requiredKeys: ["print", "readAt", "rows"] },
);
const bookmark = fc.record(
  {
    completedAt: fc.option(instant),
    cursor: fc.option(cursor),
    known: fc.array(fc.nat()).map(encodeIds),
    parts: fc.dictionary(fc.oneof(fc.nat().map(String), fc.string()), part),
    scannedAt: fc.option(instant),
    paging: fc.constantFrom("cursor", "page", null),
    foreign: fc.jsonValue(),
  },
  { requiredKeys: ["completedAt"] },
) as fc.Arbitrary<Bookmark>;
const bookmarks = fc.dictionary(fc.string(), bookmark);
const anyState: fc.Arbitrary<State> = bookmarks.map((b) => ({ version: 1, bookmarks: b }));

test("any state comes back from its text as it was", () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const text = JSON.stringify(state);

      expect(JSON.stringify(parseState(JSON.parse(text), "state"))).toBe(text);
    }),
  );
});

test("any JSON is read as a state or refused as one, and nothing else happens", () => {
  const near = fc.record(
    {
      version: fc.oneof(fc.constant(1), fc.jsonValue()),
      bookmarks: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), bookmarks, fc.jsonValue()),
    },
    { requiredKeys: [] },
  );

  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), (value) => {
      try {
        expect(parseState(value, "state").version).toBe(1);
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectorError);
        expect(error).toMatchObject({ kind: "state" });
      }
    }),
  );
});

test("checkpoints change only the streams that they name, and never the state given", () => {
  const checkpoints = fc.array(fc.record({ stream: fc.string(), bookmark }));

  fc.assert(
    fc.property(anyState, checkpoints, (state, acknowledged) => {
      const before = JSON.stringify(state);

      const after = applyCheckpoints(state, acknowledged);

      expect(JSON.stringify(state)).toBe(before);
      const names = new Set([
        ...Object.keys(state.bookmarks),
        ...acknowledged.map((c) => c.stream),
      ]);
      expect(new Set(Object.keys(after.bookmarks))).toEqual(names);
      for (const name of names) {
        const last = acknowledged.findLast((c) => c.stream === name)?.bookmark;
        const kept = Object.getOwnPropertyDescriptor(state.bookmarks, name)?.value as unknown;
        expect(Object.getOwnPropertyDescriptor(after.bookmarks, name)?.value).toBe(last ?? kept);
      }
    }),
  );
});
