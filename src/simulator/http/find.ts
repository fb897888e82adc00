import { completionOf, type EnrollmentFields } from "../account/enrollments.js";
import { groupById } from "../account/groups.js";
import type { Row } from "../account/json.js";
import { EMPTY, positionAfter, type Listing } from "../account/listing.js";
import {
  enrollmentListing,
  recipientListing,
  trainingListing,
  userListing,
  type EnrollmentFilter,
  type Status,
} from "../account/listings.js";
import { personById, type Person } from "../account/population.js";
import type { PhishingTest } from "../account/tests.js";
import { addMonths, dateOf } from "../account/time.js";
import { trainingCampaignRow, type TrainingCampaign } from "../account/training.js";
import { isVisible } from "../account/users.js";
import { nowOf, type World } from "../account/world.js";

/** What an endpoint answers with, before paging. */
export type Found =
  | { readonly kind: "list"; readonly listing: Listing; readonly cap: number }
  /** All rows at once: these endpoints are not paged. */
  | { readonly kind: "whole"; readonly rows: readonly Row[] }
  | { readonly kind: "object"; readonly row: Row }
  /** An object, in an array of one: the phishing endpoints do this. */
  | { readonly kind: "single"; readonly row: Row };

/** What a request asks for. */
export interface Ask {
  readonly world: World;
  readonly query: URLSearchParams;
  /** Numbers in the path, in order. */
  readonly ids: readonly number[];
}

/** The server lists so few training campaigns at a time while it has to count percentages. */
const CAMPAIGNS_WITH_PERCENTAGES = 10;
const HISTORY_MONTHS = 6;

export function list(listing: Listing, cap = Infinity): Found {
  return { kind: "list", listing, cap };
}

export function object<T>(item: T | undefined, row: (item: T) => Row): Found | undefined {
  return item === undefined ? undefined : { kind: "object", row: row(item) };
}

/** The row of a list whose key is the id. */
export function oneOf(listing: Listing, id: number | undefined): Found | undefined {
  const row = rowIn(listing, id);
  return row && { kind: "object", row };
}

/** Rows of a history: all of them, or the last six months. */
export function recent({ world, query }: Ask, history: Iterable<Row>): Found {
  const rows = [...history];
  if (isTrue(query, "full")) return { kind: "whole", rows };
  const since = dateOf(addMonths(nowOf(world), -HISTORY_MONTHS));
  const from = rows.findIndex(({ date }) => typeof date === "string" && date >= since);
  return { kind: "whole", rows: from === -1 ? [] : rows.slice(from) };
}

export function personOf(world: World, id: number | undefined): Person | undefined {
  const person = personById(world.population, id ?? -1);
  return person !== undefined && isVisible(world, person) ? person : undefined;
}

export function statusIn(query: URLSearchParams): Status | undefined {
  const status = query.get("status");
  return status === "active" || status === "archived" ? status : undefined;
}

/** No test is a callback test. */
export function isCallback(query: URLSearchParams): boolean {
  return query.get("campaign_type") === "callback";
}

export function findUsers({ world, query }: Ask): Found {
  const status = statusIn(query);
  const filter = status === undefined ? {} : { status };
  const groupId = numberIn(query, "group_id");
  if (groupId === undefined) return list(userListing(world, filter));
  const group = groupById(groupId);
  return list(group === undefined ? EMPTY : userListing(world, { ...filter, group }));
}

export function findRecipient(
  world: World,
  test: PhishingTest | undefined,
  id: number | undefined,
): Found | undefined {
  const row = test && rowIn(recipientListing(world, test), id);
  return row && { kind: "single", row };
}

export function findTrainingCampaigns({ world, query }: Ask): Found {
  if (isTrue(query, "exclude_percentages")) return list(trainingListing(world));
  return list(trainingListing(world, withPercentage(world)), CAMPAIGNS_WITH_PERCENTAGES);
}

export function withPercentage(world: World): (campaign: TrainingCampaign) => Row {
  return (campaign) => ({
    ...trainingCampaignRow(world, campaign),
    completion_percentage: completionOf(world, campaign),
  });
}

export function findEnrollments({ world, query }: Ask): Found {
  const campaignId = numberIn(query, "campaign_id");
  const storePurchaseId = numberIn(query, "store_purchase_id");
  const userId = numberIn(query, "user_id");
  const person = personOf(world, userId);
  if (userId !== undefined && person === undefined) return list(EMPTY);
  const filter: EnrollmentFilter = {
    withoutArchived: isTrue(query, "exclude_archived_users"),
    ...(campaignId === undefined ? {} : { campaignId }),
    ...(storePurchaseId === undefined ? {} : { storePurchaseId }),
    ...(person === undefined ? {} : { person }),
  };
  return list(enrollmentListing(world, filter, fieldsIn(query)));
}

export function fieldsIn(query: URLSearchParams): EnrollmentFields {
  return {
    campaignId: isTrue(query, "include_campaign_id"),
    storePurchaseId: isTrue(query, "include_store_purchase_id"),
    employeeNumber: isTrue(query, "include_employee_number"),
  };
}

function rowIn(listing: Listing, id = -1): Row | undefined {
  const position = positionAfter(listing, id - 1);
  return position < listing.size && listing.key(position) === id
    ? listing.row(position)
    : undefined;
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return query.get(name) === "true";
}

/** NaN, which no id equals, for what is no number. */
function numberIn(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  return value === null ? undefined : Number(value);
}
