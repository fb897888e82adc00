import { startSimulator, type StreamName } from "../../src/simulator/index.js";

/** Rows of one page: the most that the API gives. */
export const PAGE_ROWS = 500;

/** Pages of each stream that are rendered beforehand; after that they come again with other ids. */
const TEMPLATES = 8;

/** Ids have ten digits, so that they can be written over one another. */
const FIRST_ID = 1_000_000_000;

/** One page as it goes over the wire, and where the ids of its rows stand in it. */
interface Template {
  readonly bytes: Buffer;
  readonly places: readonly number[];
}

/** A listing too long to be kept: full pages, each made out of one that is. */
export interface LongListing {
  readonly rows: number;
  /** @param index of the page, from 0. */
  page(index: number): Buffer;
}

/** A listing that fits into one page. */
export type ShortListing = readonly unknown[];

/** An account that answers at once, however large it is. */
export interface StaticAccount {
  readonly long: ReadonlyMap<string, LongListing>;
  readonly short: ReadonlyMap<string, ShortListing>;
}

type Item = Readonly<Record<string, unknown>>;

/**
 * An account of about so many rows: one in twenty is a person, half are enrollments, the others
 * are recipients of nine tests that went to everybody. Rows are the simulator's own, and come again
 * after some thousand of them under other ids.
 *
 * @param rows a multiple of 10,000.
 */
export async function staticAccount(rows: number): Promise<StaticAccount> {
  if (rows <= 0 || rows % 10_000 !== 0) throw new RangeError(`${rows}: not a multiple of 10,000`);
  await using simulator = await startSimulator({ users: 4_200, tests: 9 });
  const all = (stream: StreamName): Item[] => [...simulator.account.rows(stream)];
  const some = (stream: StreamName): Item[] => {
    const items = [...first(simulator.account.rows(stream), TEMPLATES * PAGE_ROWS)];
    if (items.length % PAGE_ROWS === 0 && items.length > 0) return items;
    throw new Error(`${stream}: ${items.length} rows are no full pages`);
  };
  const people = some("users");
  const users = rows / 20;
  const tests = all("security_tests").map((test): Item => ({ ...test, scheduled_count: users }));
  const recipients = longListing("recipient_id", some("security_test_recipients"), users);
  return {
    long: new Map([
      ["/v1/users", longListing("id", people, users)],
      ["/v1/training/enrollments", longListing("enrollment_id", some("enrollments"), rows / 2)],
      ...tests.map(({ pst_id }) => {
        return [`/v1/phishing/security_tests/${String(pst_id)}/recipients`, recipients] as const;
      }),
    ]),
    short: new Map([
      ["/v1/training/campaigns", all("training_campaigns")],
      ["/v1/phishing/security_tests", tests],
      ["/v1/groups", counted(all("groups"), people, users)],
    ]),
  };
}

/** Groups with as many members as the people list, so that memberships need not be asked for. */
function counted(groups: readonly Item[], people: readonly Item[], users: number): ShortListing {
  const members = new Map<unknown, number>();
  for (const [index, { groups: listed, status }] of people.entries()) {
    if (status === "archived" || !Array.isArray(listed)) continue;
    const times = Math.floor((users - index - 1) / people.length) + 1;
    for (const id of listed) members.set(id, (members.get(id) ?? 0) + times);
  }
  return groups.map((group) => ({ ...group, member_count: members.get(group["id"]) ?? 0 }));
}

function longListing(key: string, items: readonly Item[], rows: number): LongListing {
  const templates: Template[] = [];
  for (let from = 0; from < items.length; from += PAGE_ROWS) {
    templates.push(templateOf(key, items.slice(from, from + PAGE_ROWS)));
  }
  return {
    rows,
    page: (index) => {
      const template = templates[index % templates.length];
      if (template === undefined) throw new RangeError(`page ${index}`);
      const bytes = Buffer.from(template.bytes);
      const id = FIRST_ID + index * PAGE_ROWS;
      for (const [row, place] of template.places.entries()) {
        bytes.write(String(id + row), place, "latin1");
      }
      return bytes;
    },
  };
}

function templateOf(key: string, items: readonly Item[]): Template {
  const places: number[] = [];
  const parts: Buffer[] = [];
  let size = 0;
  for (const item of items) {
    const text = JSON.stringify({ ...item, [key]: FIRST_ID });
    const part = Buffer.from(`${size === 0 ? "[" : ","}${text}`);
    places.push(size + part.indexOf(`"${key}":${String(FIRST_ID)}`) + key.length + 3);
    parts.push(part);
    size += part.length;
  }
  return { bytes: Buffer.concat([...parts, Buffer.from("]")]), places };
}

function* first<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken === count) return;
    taken += 1;
    yield item;
  }
}
