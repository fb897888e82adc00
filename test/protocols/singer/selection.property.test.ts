import fc from "fast-check";
import { expect, test } from "vitest";

import { columnsOf } from "../../../src/core/columns.js";
import { automaticFields, prune } from "../../../src/core/plan.js";
import { catalogOf } from "../../../src/protocols/singer/catalog.js";
import { readSelection } from "../../../src/protocols/singer/selection.js";
import { STREAMS } from "../../../streams/index.js";

test("any catalog leaves keys and cursors in, and no field both in and out", () => {
  const def = fc.constantFrom(...STREAMS);
  const word = fc.constantFrom(true, false, "true", "false", null);
  const inclusion = fc.constantFrom("available", "automatic", "unsupported");
  const said = fc.record(
    { selected: word, "selected-by-default": word, inclusion },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(def, fc.array(said), fc.array(fc.nat()), (chosen, words, dropped) => {
      const entry = catalogOf([chosen]).streams[0]!;
      const metadata = entry.metadata.map((m, i) => ({
        ...m,
        metadata: { ...m.metadata, ...words[i % Math.max(1, words.length)] },
      }));
      const properties = Object.entries(entry.schema.properties!).filter(
        (_, i) => !dropped.includes(i),
      );
      const schema = { type: "object", properties: Object.fromEntries(properties) };
      const catalog = { streams: [{ ...entry, metadata, schema }] };

      for (const selection of readSelection(catalog, STREAMS, "c")) {
        const columns = prune(columnsOf(chosen), selection.deselected, automaticFields(chosen));
        const kept = columns.map((c) => c.name);
        expect(kept).toEqual(expect.arrayContaining([...automaticFields(chosen)]));
        for (const name of automaticFields(chosen))
          expect(selection.deselected).not.toContain(name);
        for (const name of selection.deselected) expect(kept).not.toContain(name);
      }
    }),
  );
});
