import { BROWSERS, LOCATIONS } from "../data/company.js";
import { TEMPLATES, type Template } from "../data/content.js";
import type { Row } from "./json.js";
import { guid } from "./guid.js";
import type { Person } from "./population.js";
import { at, below, DRAW, mix, pick, unit, waiting } from "./random.js";
import { hasFailed, tallyOf, type Events, type Tally } from "./tally.js";
import { isOpen, templateFor, type PhishingTest } from "./tests.js";
import { DAY_MS, HOUR_MS, instantOf, instantOrNull, MINUTE_MS, SECOND_MS } from "./time.js";
import { isActive, isErased, leavesAt, nowOf, type World } from "./world.js";

const FIRST_RECIPIENT_ID = 3_077_000_000;
/** Recipient ids of one test; people's indexes times seven must fit. */
const IDS_PER_TEST = 10_000_000;
/** People who have just joined know less. */
const NEW_FOR_MS = 90 * DAY_MS;

export function recipientId(test: PhishingTest, index: number): number {
  return FIRST_RECIPIENT_ID + test.k * IDS_PER_TEST + index * 7;
}

/** Indexes of the people a test was sent to, ascending; they do not change once it has started. */
export function recipientsOf(world: World, test: PhishingTest): Int32Array {
  return world.memos.recipients(test.k, "", () => {
    if (test.isError) return new Int32Array(0);
    const indexes: number[] = [];
    for (const person of world.population.people) {
      if (person.joinedAt > test.startsAt) continue;
      if (test.department !== null && person.department !== test.department) continue;
      if (isActive(world, person, test.startsAt)) indexes.push(person.index);
    }
    return Int32Array.from(indexes);
  });
}

/** What a test's recipients did up to now. */
export function tallyOfTest(world: World, test: PhishingTest): Tally {
  const cleared = world.overrides.cleared.get(test.k)?.size ?? 0;
  const stamp = isOpen(test, nowOf(world)) ? `open ${world.version}` : `closed ${cleared}`;
  return world.memos.tallies(test.k, stamp, () => tallyOf(allEvents(world, test)));
}

/** What happened to one recipient up to now. The person must have been sent the test. */
export function eventsOf(world: World, test: PhishingTest, person: Person): Events {
  const base = mix(world.seed, DRAW.recipient, test.k, person.index);
  const events = naturalEvents(test, person, base);
  const id = recipientId(test, person.index);
  const { clicks, cleared } = world.overrides;
  forget(events, Math.min(nowOf(world), test.endsAt, leavesAt(world, person)));
  const extra = clicks.size === 0 ? undefined : clicks.get(id);
  if (extra !== undefined) {
    events.opened ??= extra;
    events.clicked ??= extra;
  }
  if (cleared.get(test.k)?.has(id) === true) clearFailures(events);
  return events;
}

/** One row of `/v1/phishing/security_tests/{pst_id}/recipients`. */
export function recipientRow(world: World, test: PhishingTest, person: Person): Row {
  const e = eventsOf(world, test, person);
  const base = mix(world.seed, DRAW.recipient, test.k, person.index);
  return {
    recipient_id: recipientId(test, person.index),
    pst_id: test.id,
    user: isErased(world, person)
      ? null
      : {
          id: person.id,
          provisioning_guid: guid(world.seed, person.index),
          first_name: person.first,
          last_name: person.last,
          email: person.email,
        },
    template: templateRow(templateFor(test, base)),
    scheduled_at: instantOf(e.scheduled),
    delivered_at: instantOrNull(e.delivered),
    opened_at: instantOrNull(e.opened),
    clicked_at: instantOrNull(e.clicked),
    replied_at: instantOrNull(e.replied),
    attachment_opened_at: instantOrNull(e.attachment),
    macro_enabled_at: instantOrNull(e.macro),
    data_entered_at: instantOrNull(e.data),
    qr_code_scanned: instantOrNull(e.qrCode),
    reported_at: instantOrNull(e.reported),
    bounced_at: instantOrNull(e.bounced),
    ...deviceOf(person, e, base),
  };
}

export function templateRow(template: Template): Row {
  return { id: 11_400 + TEMPLATES.indexOf(template) * 13, name: template.name };
}

function* allEvents(world: World, test: PhishingTest): Generator<Events> {
  for (const index of recipientsOf(world, test)) {
    yield eventsOf(world, test, at(world.population.people, index));
  }
}

function naturalEvents(test: PhishingTest, person: Person, base: number): Events {
  const scheduled =
    test.startsAt + below(test.sendDays, base, 0) * DAY_MS + unit(base, 1) * 8 * HOUR_MS;
  const events: Events = {
    scheduled,
    delivered: null,
    opened: null,
    clicked: null,
    replied: null,
    attachment: null,
    macro: null,
    data: null,
    qrCode: null,
    reported: null,
    bounced: null,
  };
  if (unit(base, 2) < 0.004) {
    events.bounced = scheduled + 30 * SECOND_MS;
    return events;
  }
  const delivered = scheduled + (2 + below(90, base, 3)) * SECOND_MS;
  events.delivered = delivered;
  const template = templateFor(test, base);
  const isNew = test.startsAt - person.joinedAt < NEW_FOR_MS ? 1.5 : 1;
  const falls = unit(base, 4) < test.clickRate * template.pull * person.credulous * isNew;
  const report = test.reportRate * person.vigilant * (falls ? 0.2 : 1);
  const reports = unit(base, 5) < report;
  if (!falls && !reports && unit(base, 6) > 0.45) return events;
  const opened = delivered + MINUTE_MS + waiting(7 * HOUR_MS, base, 7);
  events.opened = opened;
  if (falls)
    addFailures(events, template, opened + 5 * SECOND_MS + waiting(MINUTE_MS, base, 8), base);
  if (reports) events.reported = opened + 2 * MINUTE_MS + waiting(20 * MINUTE_MS, base, 9);
  return events;
}

function addFailures(events: Events, { lure }: Template, fellAt: number, base: number): void {
  const further = fellAt + (8 + below(60, base, 10)) * SECOND_MS;
  const goesOn = unit(base, 11) < 0.4;
  if (lure === "reply") events.replied = fellAt + 3 * MINUTE_MS;
  else if (lure === "attachment") events.attachment = fellAt;
  else if (lure === "macro") {
    events.attachment = fellAt;
    if (goesOn) events.macro = further;
  } else if (lure === "qr_code") {
    events.qrCode = fellAt;
    if (goesOn) events.data = further;
  } else {
    events.clicked = fellAt;
    if (lure === "credentials" && goesOn) events.data = further;
  }
}

/** Leaves out what has not happened by then, or never will. */
function forget(e: Events, until: number): void {
  if (e.delivered !== null && e.delivered > until) e.delivered = null;
  if (e.bounced !== null && e.bounced > until) e.bounced = null;
  if (e.opened === null) return;
  if (e.opened > until) e.opened = null;
  if (e.clicked !== null && e.clicked > until) e.clicked = null;
  if (e.replied !== null && e.replied > until) e.replied = null;
  if (e.attachment !== null && e.attachment > until) e.attachment = null;
  if (e.macro !== null && e.macro > until) e.macro = null;
  if (e.data !== null && e.data > until) e.data = null;
  if (e.qrCode !== null && e.qrCode > until) e.qrCode = null;
  if (e.reported !== null && e.reported > until) e.reported = null;
}

function clearFailures(e: Events): void {
  e.clicked = e.replied = e.attachment = e.macro = e.data = e.qrCode = null;
}

function deviceOf(person: Person, e: Events, base: number): Row {
  if (e.opened === null && !hasFailed(e)) {
    return { ip: null, ip_location: null, browser: null, browser_version: null, os: null };
  }
  const { name, network, country } = at(LOCATIONS, person.location);
  const { browser, version, os } = pick(BROWSERS, base, 12);
  return {
    ip: `${network}.${1 + below(254, base, 13)}`,
    ip_location: name === "Remote" ? country : name,
    browser,
    browser_version: version,
    os,
  };
}
