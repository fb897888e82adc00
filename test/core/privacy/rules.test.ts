import { expect, test } from "vitest";
import { z } from "zod";

import type { ConnectorError } from "../../../src/core/errors.js";
import { compilePrivacy } from "../../../src/core/privacy/privacy.js";
import {
  PRESET_RULES,
  PRESETS,
  TAGS,
  type PrivacySettings,
} from "../../../src/core/privacy/rules.js";
import { columnsOf } from "../../../src/core/columns.js";
import { STREAMS } from "../../../streams/index.js";

const KEY = "0123456789abcdef";

function compile(settings: Partial<PrivacySettings>) {
  return compilePrivacy({ preset: "full", rules: {}, ...settings }, STREAMS);
}

function problems(settings: Partial<PrivacySettings>): readonly string[] {
  try {
    compile(settings);
  } catch (error) {
    expect((error as ConnectorError).kind).toBe("config");
    return (error as ConnectorError).message.split("\n");
  }
  return [];
}

test.each<[string, Partial<PrivacySettings>, string]>([
  [
    "an unknown stream",
    { rules: { "user.email": "drop" } },
    'config: privacy.rules.user.email: unknown stream "user": did you mean "users"?',
  ],
  [
    "an unknown column",
    { rules: { "users.emial": "drop" } },
    'config: privacy.rules.users.emial: unknown column "emial": did you mean "email"?',
  ],
  [
    "an unknown member",
    { rules: { "enrollments.user.emial": "drop" } },
    'config: privacy.rules.enrollments.user.emial: unknown column "emial": did you mean "email"?',
  ],
  [
    "an unknown tag",
    { rules: { emial: "drop" } },
    'config: privacy.rules.emial: unknown PII tag "emial": did you mean "email"?',
  ],
  [
    "a stream in place of a column",
    { rules: { users: "drop" } },
    "config: privacy.rules.users names a stream: name one of its columns, or deselect it",
  ],
  [
    "an unknown action",
    { rules: { email: "hide" } },
    "config: privacy.rules.email must be one of keep, drop, hash, mask, truncate_ip",
  ],
  [
    "a key that is dropped",
    { rules: { "users.id": "drop" } },
    "config: privacy.rules.users.id: drop is not possible, users.id identifies the rows: set users.id to hash, or deselect the stream",
  ],
  [
    "a key that is masked",
    { rules: { "users.id": "mask" } },
    "config: privacy.rules.users.id: mask is not possible, users.id identifies the rows: set users.id to hash, or deselect the stream",
  ],
  [
    "a cursor that is hashed",
    { key: KEY, rules: { "risk_score_history.date": "hash" } },
    "config: privacy.rules.risk_score_history.date: hash is not possible, risk_score_history.date identifies the rows: set it to keep",
  ],
  [
    "a number that is no address",
    { rules: { "users.current_risk_score": "truncate_ip" } },
    "config: privacy.rules.users.current_risk_score: truncate_ip needs text, users.current_risk_score is number",
  ],
  [
    "a tag that is no address",
    { rules: { email: "truncate_ip" } },
    "config: privacy.rules.email: truncate_ip is for address; use drop, hash or mask",
  ],
  [
    "a rule for unknown fields other than drop",
    { rules: { "users._extra": "hash" } },
    "config: privacy.rules.users._extra can only be drop",
  ],
  [
    "a rule for the time of the run",
    { rules: { "users._observed_at": "drop" } },
    "config: privacy.rules.users._observed_at: it holds no personal data; leave it out",
  ],
  [
    "a hash without a key",
    { preset: "pseudonymous" },
    "config: privacy.key is missing: users.id is to be hashed; set it to a random text that is kept, or privacy.key_file",
  ],
  [
    "a key that can be guessed",
    { preset: "pseudonymous", key: "short" },
    "config: privacy.key is shorter than 16 characters: use a random one",
  ],
])("%s is one line that says what to do", (_, settings, line) => {
  expect(problems(settings)).toEqual([line]);
});

test("a tag that would take keys names each of them, and rules for them settle it", () => {
  const dropped = problems({ rules: { identifier: "drop" }, key: KEY });
  const settled = problems({
    key: KEY,
    rules: {
      identifier: "drop",
      "users.id": "hash",
      "group_members.user_id": "hash",
      "user_risk_score_history.user_id": "hash",
    },
  });

  expect(dropped).toHaveLength(3);
  expect(settled).toEqual([]);
});

test("no preset with a key is refused, and every tag has an action in each", () => {
  for (const preset of PRESETS) expect(problems({ preset, key: KEY })).toEqual([]);
  for (const { tags } of Object.values(PRESET_RULES)) {
    expect(Object.keys(tags).sort()).toEqual([...TAGS].sort());
  }
});

test("columns that a preset names exist", () => {
  const paths = new Set(STREAMS.flatMap((d) => columnsOf(d).map((c) => `${d.name}.${c.name}`)));

  for (const { columns } of Object.values(PRESET_RULES)) {
    expect(Object.keys(columns).filter((name) => !paths.has(name))).toEqual([]);
  }
});

test("a column's rule wins over its object's, that over a tag's, and that over the preset", () => {
  const privacy = compile({
    preset: "pseudonymous",
    key: KEY,
    rules: { email: "drop", "enrollments.user": "mask", "enrollments.user.email": "keep" },
  });
  const users = STREAMS.find((d) => d.name === "users")!;
  const enrollments = STREAMS.find((d) => d.name === "enrollments")!;
  const action = (def: typeof users, path: string) =>
    privacy.fields(def).find((f) => f.path === path)?.action;

  expect(action(users, "email")).toBe("drop");
  expect(action(users, "id")).toBe("hash");
  expect(action(enrollments, "user.first_name")).toBe("mask");
  expect(action(enrollments, "user.email")).toBe("keep");
});

test("without rules nothing is compiled for any stream: it costs nothing", () => {
  const privacy = compile({});

  expect(STREAMS.map((def) => privacy.of(def))).toEqual(STREAMS.map(() => undefined));
  for (const def of STREAMS) expect(privacy.columnsOf(def)).toEqual(columnsOf(def));
});

test("rows go on with fields that a later version declares, not with rules that concern them", () => {
  const users = STREAMS.find((d) => d.name === "users")!;
  const { extension: _, ...fewer } = users.schema.shape;
  const earlier = { ...users, schema: z.object(fewer) };
  const printOf = (def: typeof users, settings: Partial<PrivacySettings> = {}) =>
    compilePrivacy({ preset: "pseudonymous", key: KEY, rules: {}, ...settings }, [
      ...STREAMS.filter((d) => d.name !== "users"),
      def,
    ]).of(def)?.print;

  expect(printOf(earlier)).toBe(printOf(users));
  expect(printOf(users, { rules: { "account.type": "drop" } })).toBe(printOf(users));
  const others = [
    printOf(users),
    printOf(users, { preset: "aggregate-only" }),
    printOf(users, { rules: { "users.phone_number": "hash" } }),
    printOf(users, { rules: { work: "drop" } }),
    printOf(users, { rules: { work: "mask" } }),
    printOf(users, { key: "another key of the tests" }),
  ];
  expect(new Set(others).size).toBe(others.length);
});
