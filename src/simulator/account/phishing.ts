import { LANDING_PAGES, TEMPLATES } from "../data/content.js";
import { ALL_USERS, departmentGroup, groupRef } from "./groups.js";
import { round, type Row } from "./json.js";
import { at } from "./random.js";
import { tallyOfTest, templateRow } from "./recipients.js";
import { isOpen, testsOf, type PhishingTest } from "./tests.js";
import { DAY_MS, instantOf, instantOrNull } from "./time.js";
import { nowOf, type World } from "./world.js";

/** A phishing campaign: the tests that were run for it, oldest first. */
export interface PhishingCampaign {
  readonly id: number;
  readonly tests: readonly PhishingTest[];
}

const NOTHING_LINKED: Row = { id: null, name: null };

/** Campaigns by id. */
export function campaignsOf(world: World): readonly PhishingCampaign[] {
  const campaigns = new Map<number, PhishingTest[]>();
  for (const test of testsOf(world)) {
    const tests = campaigns.get(test.campaignId) ?? [];
    campaigns.set(test.campaignId, [...tests, test]);
  }
  return [...campaigns].map(([id, tests]) => ({ id, tests })).sort((a, b) => a.id - b.id);
}

/** One row of `/v1/phishing/security_tests`. */
export function testRow(world: World, test: PhishingTest): Row {
  const tally = tallyOfTest(world, test);
  const landing = landingPage(test);
  return {
    campaign_id: test.campaignId,
    pst_id: test.id,
    status: statusOf(world, test),
    name: test.campaignName,
    groups: [groupOf(world, test)],
    phish_prone_percentage: phishProne(world, test),
    started_at: test.isError ? null : instantOf(test.startsAt),
    duration: test.sendDays + test.trackDays,
    categories: categoriesOf(test),
    template: test.template === null ? NOTHING_LINKED : templateRow(test.template),
    // The reference says one name and recorded answers the other.
    ...(test.k % 4 === 1 ? { "landing-page": landing } : { landing_page: landing }),
    scheduled_count: test.isError ? null : tally.scheduled,
    delivered_count: tally.delivered,
    opened_count: tally.opened,
    clicked_count: tally.clicked,
    replied_count: tally.replied,
    attachment_open_count: tally.attachment,
    macro_enabled_count: tally.macro,
    data_entered_count: tally.data,
    qr_code_scanned_count: tally.qrCode,
    reported_count: tally.reported,
    bounced_count: tally.bounced,
  };
}

/** One row of `/v1/phishing/campaigns`. */
export function campaignRow(world: World, { id, tests }: PhishingCampaign): Row {
  const first = at(tests, 0);
  const last = at(tests, tests.length - 1);
  const isMonthly = first.department === null && !first.isError;
  return {
    campaign_id: id,
    name: first.campaignName,
    groups: [groupOf(world, first)],
    last_phish_prone_percentage: phishProne(world, last),
    last_run: last.isError ? null : instantOf(last.startsAt),
    status: campaignStatus(world, last, isMonthly),
    hidden: first.k % 16 === 5,
    send_duration: `${last.sendDays} Business Days`,
    track_duration: `${last.trackDays} Days`,
    frequency: isMonthly ? "Monthly" : "One Time",
    difficulty_filter: isMonthly ? [1, 2, 3, 4, 5] : [4, 2],
    create_date: instantOf(first.startsAt - 3 * DAY_MS),
    psts_count: tests.length,
    psts: tests.map((test) => ({
      pst_id: test.id,
      status: statusOf(world, test),
      start_date: instantOrNull(test.isError ? null : test.startsAt),
      users_count: test.isError ? null : tallyOfTest(world, test).scheduled,
      phish_prone_percentage: phishProne(world, test),
    })),
  };
}

function statusOf(world: World, test: PhishingTest): string {
  if (test.isError) return "Error";
  return isOpen(test, nowOf(world)) ? "Active" : "Closed";
}

/** A monthly campaign goes on until its year is over. */
function campaignStatus(world: World, last: PhishingTest, isMonthly: boolean): string {
  const now = nowOf(world);
  const isThisYear = new Date(now).getUTCFullYear() === new Date(last.startsAt).getUTCFullYear();
  return isMonthly && isThisYear ? "Active" : statusOf(world, last);
}

/** Failed recipients of those delivered, a fraction from 0 to 1. */
function phishProne(world: World, test: PhishingTest): number {
  const { delivered, failed } = tallyOfTest(world, test);
  return delivered === 0 ? 0 : round(failed / delivered, 3);
}

function groupOf(world: World, { department }: PhishingTest): Row {
  return department === null ? ALL_USERS : groupRef(world, departmentGroup(department));
}

function categoriesOf({ template }: PhishingTest): readonly Row[] {
  const names = [...new Set(TEMPLATES.map(({ category }) => category))];
  const chosen = template === null ? names.slice(0, 4) : [template.category];
  return chosen.map((name) => ({ category_id: 935 + names.indexOf(name) * 6, name }));
}

function landingPage({ k, template }: PhishingTest): Row {
  const position = template?.lure === "reply" ? 0 : k % LANDING_PAGES.length;
  return { id: position === 0 ? 0 : 210 + position, name: at(LANDING_PAGES, position) };
}
