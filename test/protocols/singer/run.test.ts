import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";

import type { JsonObject } from "../../../src/core/json.js";
import { makePlan, type Selection } from "../../../src/core/plan.js";
import { EMPTY_STATE, parseState, type State } from "../../../src/core/state.js";
import { sync } from "../../../src/core/sync.js";
import { catalogOf } from "../../../src/protocols/singer/catalog.js";
import { defaultSelection, readSelection } from "../../../src/protocols/singer/selection.js";
import { SingerWriter } from "../../../src/protocols/singer/writer.js";
import { STREAMS } from "../../../streams/index.js";
import { fakeClock } from "../../support/clock.js";
import { scriptedSource, type Script } from "../../support/source.js";
import { fixtureOf } from "../../streams/support.js";
import { memoryOut, messagesOf, ofType } from "./support.js";

/** Whole runs: from an account in memory to the lines on stdout. */

/** Every stream answers with its fixture. */
const FLAGS =
  "include_campaign_id=true&include_employee_number=true&include_store_purchase_id=true";
const SCRIPT: Script = {
  "/v1/users": [fixtureOf("users")],
  "/v1/groups": [fixtureOf("groups")],
  "/v1/groups/3142/members": [fixtureOf("group_members")],
  "/v1/groups/3264/members": [[]],
  [`/v1/training/enrollments?${FLAGS}`]: [fixtureOf("enrollments")],
  "/v1/phishing/campaigns": [fixtureOf("campaigns")],
  "/v1/phishing/security_tests": [fixtureOf("security_tests")],
  "/v1/phishing/security_tests/509579/recipients": [fixtureOf("security_test_recipients")],
  "/v1/phishing/security_tests/509580/recipients": [[]],
  "/v1/account/risk_score_history": [fixtureOf("risk_score_history")],
  "/v1/account": [fixtureOf("account").slice(0, 1)],
  "/v1/training/campaigns": [fixtureOf("training_campaigns")],
  "/v1/training/store_purchases": [fixtureOf("store_purchases")],
  "/v1/training/policies": [fixtureOf("policies")],
  "/v1/groups/3142/risk_score_history": [fixtureOf("group_risk_score_history")],
  "/v1/groups/3264/risk_score_history": [[]],
  "/v1/users/667542/risk_score_history": [fixtureOf("user_risk_score_history")],
  "/v1/users/667544/risk_score_history": [[]],
  "/v1/users/7978339432/risk_score_history": [[]],
};

async function tap(selections: readonly Selection[], state: State = EMPTY_STATE) {
  const out = memoryOut();
  const result = await sync({
    runId: "run-1",
    plan: makePlan(STREAMS, selections, state),
    source: scriptedSource(SCRIPT),
    sink: new SingerWriter(out),
    settings: {
      concurrency: 2,
      pageSize: 500,
      lookbackDays: 30,
      reverifyDays: 30,
      maxRejects: 0,
      startDate: null,
    },
    clock: fakeClock(),
    emit: () => undefined,
    stop: new AbortController().signal,
    kill: new AbortController().signal,
  });
  if (result.error !== undefined) throw result.error;
  return { text: out.text, state: result.state };
}

const everything = () =>
  STREAMS.map((def) => ({ stream: def.name, deselected: new Set<string>(), fullRefresh: false }));

function validator(schema: unknown): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (instance: Ajv) => void)(ajv);
  return ajv.compile({ $schema: "http://json-schema.org/draft-07/schema#", ...(schema as object) });
}

test("a small run is the golden one, line by line", async () => {
  const small = ["groups", "group_members", "enrollments", "risk_score_history"];
  const { text } = await tap(defaultSelection(STREAMS).filter((s) => small.includes(s.stream)));

  await expect(text).toMatchFileSnapshot("../../golden/singer/run.jsonl");
});

test("every record is valid by the schema that came before it, and has all of its fields", async () => {
  const { text } = await tap(everything());
  const schemas = new Map<
    unknown,
    { readonly validate: ValidateFunction; readonly names: string[] }
  >();
  const seen = new Set<unknown>();

  for (const message of messagesOf(text)) {
    if (message["type"] === "SCHEMA") {
      const schema = message["schema"] as { readonly properties: object };
      expect(schemas.has(message["stream"])).toBe(false);
      schemas.set(message["stream"], {
        validate: validator(schema),
        names: Object.keys(schema.properties),
      });
    }
    if (message["type"] !== "RECORD") continue;
    const { validate, names } = schemas.get(message["stream"])!;
    seen.add(message["stream"]);
    validate(message["record"]);
    expect(validate.errors ?? []).toEqual([]);
    expect(Object.keys(message["record"] as object)).toEqual(names);
  }
  expect([...seen].sort()).toEqual(STREAMS.map((def) => def.name).sort());
});

test("what the tap wrote last is what it continues from, and reads less", async () => {
  const first = await tap(everything());
  const written = ofType(first.text, "STATE").at(-1)!["value"];
  expect(written).toEqual(JSON.parse(JSON.stringify(first.state)));

  const second = await tap(everything(), parseState(written, "state"));

  expect(messagesOf(second.text)[0]).toEqual({ type: "STATE", value: written });
  const again = new Set(ofType(second.text, "RECORD").map((m) => m["stream"]));
  expect(again).toContain("users");
  expect(again).not.toContain("security_test_recipients");
});

test("a nested field that is deselected is in neither the schema nor any record", async () => {
  const entry = catalogOf(STREAMS).streams.find((s) => s.stream === "enrollments")!;
  const crumbs = [
    "properties.user.properties.email",
    "properties.score",
    "properties.enrollment_id",
  ];
  const metadata = entry.metadata.map((m) =>
    crumbs.includes(m.breadcrumb.join(".")) ? { ...m, metadata: { selected: false } } : m,
  );
  const catalog = { streams: [{ ...entry, metadata }] };

  const { text } = await tap(readSelection(catalog, STREAMS, "catalog.json"));

  const [schema] = ofType(text, "SCHEMA").map((m) => m["schema"] as JsonObject);
  const names = Object.keys(schema!["properties"] as object);
  expect(names).toContain("enrollment_id");
  expect(names).not.toContain("score");
  expect(text).not.toContain("email");
  expect(text).not.toContain("example.com");
  expect(ofType(text, "RECORD")[0]).toMatchObject({ record: { user: { first_name: "Ada" } } });
});

test("two runs with the same answers are the same bytes", async () => {
  expect((await tap(everything())).text).toBe((await tap(everything())).text);
});
