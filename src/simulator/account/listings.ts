import { COMPANIES, DEPARTMENTS } from "../data/company.js";
import { MODULES, POLICIES } from "../data/content.js";
import {
  enrollmentAt,
  enrollmentId,
  enrollmentRow,
  enrollmentsOf,
  slotsOf,
  storePurchaseOf,
  type Enrollment,
  type EnrollmentFields,
} from "./enrollments.js";
import { groupRow, GROUPS, membersOf, type Group } from "./groups.js";
import type { Row } from "./json.js";
import { concatenated, listingOf, type Listing } from "./listing.js";
import { campaignRow, campaignsOf, testRow } from "./phishing.js";
import type { Person } from "./population.js";
import { at } from "./random.js";
import { recipientId, recipientRow, recipientsOf } from "./recipients.js";
import { accountRisk } from "./risk.js";
import { testsOf, type PhishingTest } from "./tests.js";
import { addMonths, dateOf } from "./time.js";
import {
  policyId,
  policyRow,
  purchaseId,
  purchaseRow,
  trainingCampaignRow,
  trainingCampaignsOf,
  type TrainingCampaign,
} from "./training.js";
import { isVisible, userRow } from "./users.js";
import { isActive, nowOf, type World } from "./world.js";

export type Status = "active" | "archived";

/** The one object of `/v1/account`. */
export function accountRow(world: World): Row {
  const { name, domain } = at(COMPANIES, world.seed);
  const now = nowOf(world);
  const admins = world.population.people.filter(
    (p) => at(DEPARTMENTS, p.department).name === "Information Security" && isActive(world, p, now),
  );
  return {
    name,
    type: "paid",
    domains: [domain, `mail.${domain}`],
    admins: admins.slice(0, 2).map(({ id, first, last, email }) => ({
      id,
      first_name: first,
      last_name: last,
      email,
    })),
    subscription_level: "Diamond",
    subscription_end_date: dateOf(addMonths(world.dayZero, 19)),
    number_of_seats: world.size,
    current_risk_score: accountRisk(world, world.day),
  };
}

export interface UserFilter {
  readonly status?: Status;
  readonly group?: Group;
}

export function userListing(world: World, { status, group }: UserFilter = {}): Listing {
  const key = `users ${status ?? "all"} ${group?.id ?? "all"}`;
  return world.memos.listings(key, String(world.version), () => {
    const now = nowOf(world);
    const { people } = world.population;
    const from =
      group === undefined
        ? people
        : Array.from(membersOf(world, group), (index) => at(people, index));
    const chosen = from.filter(
      (p) =>
        isVisible(world, p) &&
        (status === undefined || isActive(world, p, now) === (status === "active")),
    );
    return listingOf(
      chosen,
      ({ id }) => id,
      (person) => userRow(world, person),
    );
  });
}

export function groupListing(world: World, status?: Status): Listing {
  const groups = GROUPS.filter((group) => status === undefined || group.status === status);
  return listingOf(
    groups,
    ({ id }) => id,
    (group) => groupRow(world, group),
  );
}

export function campaignListing(world: World): Listing {
  return listingOf(
    campaignsOf(world),
    ({ id }) => id,
    (campaign) => campaignRow(world, campaign),
  );
}

/** Tests of all campaigns, or of one. */
export function testListing(world: World, campaignId?: number): Listing {
  const tests = testsOf(world);
  return listingOf(
    campaignId === undefined ? tests : tests.filter((test) => test.campaignId === campaignId),
    ({ id }) => id,
    (test) => testRow(world, test),
  );
}

export function recipientListing(world: World, test: PhishingTest): Listing {
  const { people } = world.population;
  return listingOf(
    recipientsOf(world, test),
    (index) => recipientId(test, index),
    (index) => recipientRow(world, test, at(people, index)),
  );
}

export function purchaseListing(): Listing {
  return listingOf([...MODULES.keys()], purchaseId, purchaseRow);
}

export function policyListing(): Listing {
  return listingOf([...POLICIES.keys()], policyId, policyRow);
}

export function trainingListing(
  world: World,
  row = (campaign: TrainingCampaign) => trainingCampaignRow(world, campaign),
): Listing {
  return listingOf(trainingCampaignsOf(world), ({ id }) => id, row);
}

export interface EnrollmentFilter {
  readonly campaignId?: number;
  readonly storePurchaseId?: number;
  readonly person?: Person;
  readonly withoutArchived: boolean;
}

export function enrollmentListing(
  world: World,
  filter: EnrollmentFilter,
  fields: EnrollmentFields,
): Listing {
  const { person, ...others } = filter;
  const key = `enrollments ${JSON.stringify([person?.id, others, fields])}`;
  return world.memos.listings(key, String(world.version), () =>
    makeEnrollmentListing(world, filter, fields),
  );
}

function makeEnrollmentListing(
  world: World,
  filter: EnrollmentFilter,
  fields: EnrollmentFields,
): Listing {
  const { campaignId, storePurchaseId, person, withoutArchived } = filter;
  const now = nowOf(world);
  const passes = (e: Enrollment): boolean =>
    (campaignId === undefined || e.campaign.id === campaignId) &&
    (storePurchaseId === undefined || storePurchaseOf(e) === storePurchaseId) &&
    (!withoutArchived || isActive(world, e.person, now));
  const row = (e: Enrollment): Row => enrollmentRow(world, e, fields);
  if (person !== undefined) {
    return listingOf(enrollmentsOf(world, person).filter(passes), ({ id }) => id, row);
  }
  const isPartial = storePurchaseId !== undefined || withoutArchived;
  const campaigns = trainingCampaignsOf(world);
  const wanted = campaigns.filter(({ id }) => campaignId === undefined || id === campaignId);
  return concatenated(
    wanted.map((campaign) => {
      const all = slotsOf(world, campaign);
      const isWanted = (slot: number): boolean => passes(enrollmentAt(world, campaign, slot));
      return listingOf(
        isPartial ? all.filter(isWanted) : all,
        (slot) => enrollmentId(campaign, slot),
        (slot) => row(enrollmentAt(world, campaign, slot)),
      );
    }),
  );
}
