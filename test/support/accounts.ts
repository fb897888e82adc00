import fc from "fast-check";

import { notFound, type Script } from "./source.js";

/** One account: what each stream of `streams.ts` holds, in pages. */
export interface Account {
  readonly people: readonly { readonly id: number; readonly teams: readonly number[] }[];
  /** Teams; the count of some is wrong. */
  readonly teams: readonly { readonly id: number; readonly lie: number }[];
  /** Exams with the number of their results; -1 for one that is gone when it is read. */
  readonly exams: readonly { readonly exam_id: number; readonly results: number }[];
  /** Courses with the number of their enrolments. */
  readonly courses: readonly {
    readonly course_id: number;
    readonly status: string;
    readonly enrolments: number;
  }[];
  readonly dates: readonly string[];
  readonly pageSize: number;
}

const ids = (max: number) => fc.uniqueArray(fc.integer({ min: 1, max }), { maxLength: max });

/** Any small account. */
export const anyAccount: fc.Arbitrary<Account> = fc.record({
  people: fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 9 }), teams: ids(4) }), {
    maxLength: 6,
    selector: (p) => p.id,
  }),
  teams: fc.uniqueArray(
    fc.record({ id: fc.integer({ min: 1, max: 4 }), lie: fc.constantFrom(0, 0, 1) }),
    { maxLength: 4, selector: (t) => t.id },
  ),
  // All of them gone would be another story: the endpoint's.
  exams: fc
    .uniqueArray(
      fc.record({
        exam_id: fc.integer({ min: 1, max: 9 }),
        results: fc.integer({ min: -1, max: 4 }),
      }),
      { maxLength: 6, selector: (e) => e.exam_id },
    )
    .filter((exams) => exams.length < 3 || exams.some((e) => e.results >= 0)),
  courses: fc.uniqueArray(
    fc.record({
      course_id: fc.integer({ min: 1, max: 9 }),
      status: fc.constantFrom("Open", "Closed"),
      enrolments: fc.nat(4),
    }),
    { maxLength: 5, selector: (c) => c.course_id },
  ),
  dates: fc.uniqueArray(fc.constantFrom("2026-05-29", "2026-05-30", "2026-05-31", "2026-06-01")),
  pageSize: fc.integer({ min: 1, max: 3 }),
});

/** What the account answers. */
export function scriptOf(account: Account): Script {
  const { people, teams, exams, courses, dates, pageSize } = account;
  const pages = (rows: readonly object[]) =>
    Array.from({ length: Math.max(1, Math.ceil(rows.length / pageSize)) }, (_, i) =>
      rows.slice(i * pageSize, (i + 1) * pageSize),
    );
  const dated = dates.map((date) => ({ date, score: 1.5 }));
  const members = (team: number) => people.filter((p) => p.teams.includes(team));
  const enrolled = (c: Account["courses"][number]) =>
    range(c.enrolments).map((i) => ({
      enrolment_id: c.course_id * 10 + i,
      course_id: c.course_id,
    }));
  return {
    "/v1/people": pages(people),
    "/v1/teams": pages(
      teams.map((t) => ({ id: t.id, member_count: members(t.id).length + t.lie })),
    ),
    "/v1/exams": pages(exams.map((e) => ({ exam_id: e.exam_id, passed_count: e.results }))),
    "/v1/courses": pages(courses),
    "/v1/enrolments": pages(courses.flatMap(enrolled)),
    "/v1/scores": [dated],
    ...Object.fromEntries([
      ...courses.map((c) => [
        `/v1/enrolments?course_id=${String(c.course_id)}`,
        pages(enrolled(c)),
      ]),
      ...teams.map((t) => [`/v1/teams/${String(t.id)}/members`, pages(members(t.id))]),
      ...teams.map((t) => [`/v1/teams/${String(t.id)}/scores`, [dated]]),
      ...exams.map((e) => [
        `/v1/exams/${String(e.exam_id)}/results`,
        e.results < 0 ? [notFound()] : pages(range(e.results).map((i) => ({ result_id: i }))),
      ]),
    ]),
  };
}

/** Keys of every row that a complete read hands on, `stream key` each. */
export function keysOf(account: Account): ReadonlySet<string> {
  const { people, teams, exams, courses, dates } = account;
  return new Set([
    ...people.map((p) => `people ${String(p.id)}`),
    ...teams.flatMap((t) =>
      people
        .filter((p) => p.teams.includes(t.id))
        .map((p) => `members ${String(t.id)},${String(p.id)}`),
    ),
    ...exams.flatMap((e) =>
      range(e.results).map((i) => `results ${String(e.exam_id)},${String(i)}`),
    ),
    ...courses.flatMap((c) =>
      range(c.enrolments).map((i) => `enrolments ${String(c.course_id * 10 + i)}`),
    ),
    ...dates.map((date) => `scores ${date}`),
    ...teams.flatMap((t) => dates.map((date) => `team_scores ${String(t.id)},${date}`)),
  ]);
}

function range(length: number): readonly number[] {
  return Array.from({ length: Math.max(0, length) }, (_, i) => i);
}
