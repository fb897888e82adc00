import { expect, test } from "vitest";

import type { State } from "../../src/core/state.js";
import { run, type Ran } from "../support/run.js";
import { notFound, scriptedSource, type Script } from "../support/source.js";

/** Reading a listing by those slices that can still change. */

interface Course {
  readonly course_id: number;
  readonly status?: string;
  readonly end_date?: string | null;
  readonly name?: string;
}

const open = (course_id: number): Course => ({ course_id, status: "Open" });
const over = (course_id: number, end_date: string | null = "2026-01-31T00:00:00Z"): Course => ({
  course_id,
  status: "Closed",
  end_date,
});

/** An account with some enrolments in each course; `page` rows to a page. */
function account(courses: readonly Course[], each = 4, page = 2): Script {
  const rowsOf = (course_id: number) =>
    Array.from({ length: each }, (_, i) => ({ enrolment_id: course_id * 100 + i, course_id }));
  const pages = (rows: readonly object[]) =>
    Array.from({ length: Math.max(1, Math.ceil(rows.length / page)) }, (_, i) =>
      rows.slice(i * page, (i + 1) * page),
    );
  return {
    "/v1/courses": [courses],
    "/v1/enrolments": pages(courses.flatMap((c) => rowsOf(c.course_id))),
    ...Object.fromEntries(
      courses.map((c) => [
        `/v1/enrolments?course_id=${String(c.course_id)}`,
        pages(rowsOf(c.course_id)),
      ]),
    ),
  };
}

const read = (script: Script, at: number, state?: State, settings: object = {}): Promise<Ran> =>
  run({
    streams: ["enrolments"],
    script,
    at,
    settings: { pageSize: 2, ...settings },
    ...(state === undefined ? {} : { state }),
  });

/** Courses whose enrolments were asked for; `all` for the whole listing. */
const asked = (ran: Ran): readonly string[] => [
  ...new Set(
    ran.requests
      .filter((r) => r.startsWith("/v1/enrolments"))
      .map((r) => /course_id=(\d+)/.exec(r)?.[1] ?? "all"),
  ),
];

const BASE = [open(1), over(2), over(3), over(4)];

test("the first run is one scan of the whole listing", async () => {
  const ran = await read(account(BASE), 0);

  expect(asked(ran)).toEqual(["all"]);
  expect(ran.rows("enrolments")).toHaveLength(16);
  expect(ran.bookmark("enrolments")?.scannedAt).toBe("2026-06-01T00:00:00.000Z");
  expect(ran.bookmark("enrolments")?.parts?.["2"]).toMatchObject({ rows: 4 });
});

test("later only open slices are read, and closed ones left alone", async () => {
  const first = await read(account(BASE), 0);

  const ran = await read(account(BASE), 1, first.state);

  expect(asked(ran)).toEqual(["1"]);
  expect(ran.bookmark("enrolments")?.completedAt).toBe("2026-06-02T00:00:00.000Z");
  expect(ran.bookmark("enrolments")?.scannedAt).toBe("2026-06-01T00:00:00.000Z");
});

test("a slice that ended within the look-back is read, one that ended before is not", async () => {
  const courses = [over(1, "2026-05-25T00:00:00Z"), over(2), over(3), over(4)];
  const first = await read(account(courses), 0);

  const within = await read(account(courses), 2, first.state);
  const beyond = await read(account(courses), 3, first.state);

  expect(asked(within)).toEqual(["1"]); // lookbackDays is 10, it ended 7 days before the first run
  expect(asked(beyond)).toEqual([]);
});

test("a slice that closes is read once more although it ended long ago", async () => {
  const first = await read(account(BASE), 0);
  const closed = account([over(1), over(2), over(3), over(4)]);

  const ran = await read(closed, 1, first.state);
  const next = await read(closed, 2, ran.state);

  expect(asked(ran)).toEqual(["1"]);
  expect(asked(next)).toEqual([]);
});

test("a closed slice that was edited or reopened is read again", async () => {
  const first = await read(account(BASE), 0);

  const ran = await read(
    account([over(1), { ...over(2), name: "Renamed" }, open(3), over(4)], 1),
    1,
    first.state,
  );

  expect(asked(ran)).toEqual(["1", "2", "3"]);
});

test("a new slice is read, whatever its status", async () => {
  const first = await read(account(BASE), 0);

  const ran = await read(account([...BASE, over(5)]), 1, first.state);

  expect(asked(ran)).toEqual(["1", "5"]);
  expect(ran.bookmark("enrolments")?.parts?.["5"]).toMatchObject({ rows: 4 });
});

test("the whole listing is read where that takes fewer requests", async () => {
  const many = Array.from({ length: 6 }, (_, i) => open(i + 1));
  const first = await read(account(many, 1), 0);

  const ran = await read(account(many, 1), 1, first.state);

  expect(asked(ran)).toEqual(["all"]); // 6 rows are 3 pages, 6 slices are 6
  expect(ran.bookmark("enrolments")?.scannedAt).toBe("2026-06-02T00:00:00.000Z");
});

test("by page, the empty page at the end of each slice counts", async () => {
  const courses = [open(1), open(2), over(3), over(4), over(5), over(6)];
  const script = account(courses, 1);
  const first = await read(script, 0);
  const by = (paging: "page" | "cursor") =>
    run({
      streams: ["enrolments"],
      source: scriptedSource(script, { memory: { paging } }),
      state: first.state,
      at: 1,
      settings: { pageSize: 2 },
    });

  const byCursor = await by("cursor");
  const byPage = await by("page");

  expect(asked(byCursor)).toEqual(["1", "2"]); // 2 requests against 3
  expect(asked(byPage)).toEqual(["all"]); // 4 against 4
});

test("after reverify_days everything is scanned again", async () => {
  const first = await read(account(BASE), 0);

  const before = await read(account(BASE), 29, first.state);
  const after = await read(account(BASE), 30, before.state);

  expect(asked(before)).toEqual(["1"]);
  expect(asked(after)).toEqual(["all"]);
});

test("a scan made while the clock was years ahead does not put the next one off", async () => {
  const ahead = await run({
    streams: ["enrolments"],
    script: account(BASE),
    at: "2036-06-01T00:00:00.000Z",
  });

  const ran = await read(account(BASE), 0, ahead.state);

  expect(asked(ran)).toEqual(["all"]);
});

test("a slice without an end counts its look-back from when it was first seen to be over", async () => {
  const courses = [over(1, null), over(2), over(3), over(4)];
  const first = await read(account(courses), 0);

  const within = await read(account(courses), 9, first.state);
  const beyond = await read(account(courses), 10, within.state);

  expect(asked(within)).toEqual(["1"]);
  expect(asked(beyond)).toEqual([]);
});

test("a scan does not begin the look-back of a slice without an end anew", async () => {
  const courses = [over(1, null), over(2), over(3), over(4)];
  const first = await read(account(courses), 0);
  const scanned = await read(account(courses), 30, first.state);

  const ran = await read(account(courses), 31, scanned.state);

  expect(asked(scanned)).toEqual(["all"]);
  expect(asked(ran)).toEqual([]);
});

test("rows of no slice, or of one that is not listed, are read by every scan and counted", async () => {
  const script = {
    ...account(BASE),
    "/v1/enrolments": [[{ enrolment_id: 1 }, { enrolment_id: 2, course_id: 99 }]],
  };

  const ran = await read(script, 0);

  expect(ran.rows("enrolments")).toHaveLength(2);
  expect(ran.bookmark("enrolments")?.parts?.[""]).toMatchObject({ rows: 2 });
});

test("rows of no slice are part of what a scan costs", async () => {
  const loose = Array.from({ length: 6 }, (_, i) => ({ enrolment_id: i + 1 }));
  const courses = account([open(1), open(2)], 1);
  const script = { ...courses, "/v1/enrolments": [...(courses["/v1/enrolments"] ?? []), loose] };
  const first = await read(script, 0);

  const ran = await read(script, 1, first.state);

  expect(asked(ran)).toEqual(["1", "2"]); // 2 requests against the 4 pages of 8 rows
});

test("a slice that went away between list and read is skipped and said", async () => {
  const first = await read(account(BASE), 0);
  const script = {
    ...account([...BASE, over(5)]),
    "/v1/enrolments?course_id=1": [notFound()],
  };

  const ran = await read(script, 1, first.state);

  expect(ran.status("enrolments")).toBe("complete");
  expect(ran.warnings).toEqual(["course_id 1 has gone since it was listed: skipped"]);
});

test("a slice listed twice, because it moved between pages, is read once", async () => {
  const first = await read(account(BASE), 0);
  const script = { ...account(BASE), "/v1/courses": [BASE, [open(1)]] };

  const ran = await read(script, 1, first.state);

  expect(ran.requests.filter((r) => r === "/v1/enrolments?course_id=1")).toHaveLength(1);
});

test("a slice that is no longer listed is forgotten", async () => {
  const first = await read(account(BASE), 0);

  const ran = await read(account([open(1), over(2)]), 1, first.state);

  expect(Object.keys(ran.bookmark("enrolments")?.parts ?? {})).toEqual(["1", "2"]);
});

test("a slice without a key fails the run rather than leaving its rows unread", async () => {
  const first = await read(account(BASE), 0);
  const script = { ...account(BASE), "/v1/courses": [[{ status: "Open" }]] };

  const ran = await read(script, 1, first.state);

  expect(ran.status("enrolments")).toBe("skipped");
  expect(ran.error?.kind).toBe("bad_record");
});
