import { expect, test } from "vitest";

import type { StreamDef } from "../../src/core/stream.js";
import { STREAMS } from "../../streams/index.js";
import { fixtureOf, readAs } from "./support.js";

/** What the API is known to do differently from its reference. */

const stream = (name: string): StreamDef => STREAMS.find((def) => def.name === name)!;

const rowsOf = (name: string) => readAs(stream(name), fixtureOf(name)).rows;

test("an enrollment of a deleted person has no user", () => {
  expect(rowsOf("enrollments")[1]).toMatchObject({ user: null, user_id: null });
});

test("the person of an enrollment is lifted out, and a flat id is read as well", () => {
  expect(rowsOf("enrollments").map((row) => row["user_id"])).toEqual([667542, null, 667544]);
});

test("an employee number that came as a number is text", () => {
  expect(rowsOf("enrollments")[0]).toMatchObject({ user: { employee_number: "19425" } });
});

test("every enrollment is asked for with its foreign keys", () => {
  expect(stream("enrollments").query).toEqual({
    include_campaign_id: "true",
    include_store_purchase_id: "true",
    include_employee_number: "true",
  });
});

test("a landing page is found under both of its names", () => {
  expect(rowsOf("security_tests").map((row) => row["landing_page"])).toEqual([
    { id: 0, name: "Default" },
    { id: 1842, name: "SEI Landing Page" },
  ]);
});

test("a recipient's person is lifted out, and the hyphenated time is read", () => {
  const rows = rowsOf("security_test_recipients");
  expect(rows.map((row) => row["user_id"])).toEqual([667542, null, 667543]);
  expect(rows[1]).toMatchObject({ vulnerable_plugins_at: "2019-04-02T15:02:38.000Z" });
});

test("every counter of a test takes part in its fingerprint", () => {
  const by = stream("security_test_recipients").replication;
  const counters = Object.keys(stream("security_tests").schema.shape).filter((field) =>
    field.endsWith("_count"),
  );
  expect(counters).toHaveLength(13);
  expect(by.mode === "incremental" && by.by === "fingerprint" && [...by.of].sort()).toEqual(
    ["status", "phish_prone_percentage", ...counters].sort(),
  );
});

test("training content is one flat list, under either name", () => {
  const content = rowsOf("training_campaigns").map((row) => row["content"] as readonly object[]);
  expect(content.map((list) => list.length)).toEqual([2, 1]);
  expect(content[0]![1]).toMatchObject({ policy_id: 142, published: true });
});

test("training campaigns are asked for without percentages, which cost the page size", () => {
  expect(stream("training_campaigns").query).toEqual({ exclude_percentages: "true" });
});

test("old names of a directory's fields are read", () => {
  expect(rowsOf("users")[1]).toMatchObject({
    provisioning_managed: true,
    provisioning_guid: "5c0f3b5a-9a34-4a0c-8d0e-3f8b1f5a2f11",
  });
  expect(rowsOf("groups")[1]).toMatchObject({
    provisioning_guid: "abc12345-0000-4000-8000-000000000001",
  });
});

test("a person's groups are ids, expanded or not, and null stays null", () => {
  expect(rowsOf("users").map((row) => row["groups"])).toEqual([[3142, 3264], null, [3142]]);
});

test("purchases and policies are found under both of their ids", () => {
  expect(rowsOf("store_purchases").map((row) => row["store_purchase_id"])).toEqual([6420, 6421]);
  expect(rowsOf("policies").map((row) => row["policy_id"])).toEqual([2420, 2421]);
});

test("the status of a policy is text, also where it came as a number", () => {
  expect(rowsOf("policies").map((row) => row["status"])).toEqual(["1", "published"]);
});

test("a member is two ids; the rest of the person stands in users", () => {
  const { rows, drift } = readAs(stream("group_members"), fixtureOf("group_members"));
  expect(rows).toEqual([
    { group_id: 3142, user_id: 667542, _extra: null },
    { group_id: 3142, user_id: 7978339432, _extra: null },
  ]);
  expect(drift).toEqual([]);
});

test("a trial account has no seats, and says so with null", () => {
  expect(rowsOf("account")[1]).toMatchObject({
    number_of_seats: null,
    subscription_level: null,
    admins: null,
  });
});

test("a field that the API adds is kept", () => {
  const { rows, drift } = readAs(stream("campaigns"), [{ campaign_id: 1, callback: { n: 1 } }]);
  expect(rows[0]).toMatchObject({ _extra: { callback: { n: 1 } } });
  expect(drift).toEqual(["callback"]);
});

test("the histories are whole answers with a week of look-back", () => {
  for (const name of [
    "risk_score_history",
    "group_risk_score_history",
    "user_risk_score_history",
  ]) {
    expect(stream(name)).toMatchObject({
      listing: "whole",
      replication: { by: "cursor", cursor: "date", lookbackDays: 7, fullAfterDays: 150 },
    });
  }
});
