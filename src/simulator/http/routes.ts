import { enrollmentById, enrollmentRow } from "../account/enrollments.js";
import { groupById, groupRow } from "../account/groups.js";
import { EMPTY } from "../account/listing.js";
import * as lists from "../account/listings.js";
import { campaignRow, campaignsOf, testRow } from "../account/phishing.js";
import {
  accountHistory,
  groupHistory,
  personHistory,
  type StreamName,
} from "../account/streams.js";
import { testById } from "../account/tests.js";
import { userRow } from "../account/users.js";
import {
  fieldsIn,
  findEnrollments,
  findRecipient,
  findTrainingCampaigns,
  findUsers,
  isCallback,
  list,
  object,
  oneOf,
  personOf,
  recent,
  statusIn,
  withPercentage,
  type Ask,
  type Found,
} from "./find.js";

interface Route {
  /** `#` stands for a number. */
  readonly path: string;
  readonly stream: StreamName;
  /** Undefined for an id that is not in the account. */
  readonly find: (ask: Ask) => Found | undefined;
}

const ROUTES: readonly Route[] = [
  { path: "/v1/account", stream: "account", find: ({ world }) => object(world, lists.accountRow) },
  {
    path: "/v1/account/risk_score_history",
    stream: "risk_score_history",
    find: (ask) => recent(ask, accountHistory(ask.world)),
  },
  { path: "/v1/users", stream: "users", find: findUsers },
  {
    path: "/v1/users/#",
    stream: "users",
    find: ({ world, ids }) => object(personOf(world, ids[0]), (p) => userRow(world, p)),
  },
  {
    path: "/v1/users/#/risk_score_history",
    stream: "user_risk_score_history",
    find: (ask) => {
      const person = personOf(ask.world, ask.ids[0]);
      return person && recent(ask, personHistory(ask.world, person));
    },
  },
  {
    path: "/v1/groups",
    stream: "groups",
    find: ({ world, query }) => list(lists.groupListing(world, statusIn(query))),
  },
  {
    path: "/v1/groups/#",
    stream: "groups",
    find: ({ world, ids }) => object(groupById(ids[0] ?? -1), (group) => groupRow(world, group)),
  },
  {
    path: "/v1/groups/#/members",
    stream: "group_members",
    find: ({ world, ids }) => {
      const group = groupById(ids[0] ?? -1);
      return group && list(lists.userListing(world, { group }));
    },
  },
  {
    path: "/v1/groups/#/risk_score_history",
    stream: "group_risk_score_history",
    find: (ask) => {
      const group = groupById(ask.ids[0] ?? -1);
      return group && recent(ask, groupHistory(ask.world, group));
    },
  },
  {
    path: "/v1/phishing/campaigns",
    stream: "campaigns",
    find: ({ world, query }) => list(isCallback(query) ? EMPTY : lists.campaignListing(world)),
  },
  {
    path: "/v1/phishing/campaigns/#",
    stream: "campaigns",
    find: ({ world, ids }) => {
      const campaign = campaignsOf(world).find(({ id }) => id === ids[0]);
      return campaign && { kind: "single", row: campaignRow(world, campaign) };
    },
  },
  {
    path: "/v1/phishing/security_tests",
    stream: "security_tests",
    find: ({ world, query }) => list(isCallback(query) ? EMPTY : lists.testListing(world)),
  },
  {
    path: "/v1/phishing/campaigns/#/security_tests",
    stream: "security_tests",
    find: ({ world, query, ids }) => {
      const listing = lists.testListing(world, ids[0] ?? -1);
      return listing.size === 0 ? undefined : list(isCallback(query) ? EMPTY : listing);
    },
  },
  {
    path: "/v1/phishing/security_tests/#",
    stream: "security_tests",
    find: ({ world, ids }) => {
      const test = testById(world, ids[0] ?? -1);
      return test && { kind: "single", row: testRow(world, test) };
    },
  },
  {
    path: "/v1/phishing/security_tests/#/recipients",
    stream: "security_test_recipients",
    find: ({ world, ids }) => {
      const test = testById(world, ids[0] ?? -1);
      return test && list(lists.recipientListing(world, test));
    },
  },
  {
    path: "/v1/phishing/security_tests/#/recipients/#",
    stream: "security_test_recipients",
    find: ({ world, ids }) => findRecipient(world, testById(world, ids[0] ?? -1), ids[1] ?? -1),
  },
  {
    path: "/v1/training/store_purchases",
    stream: "store_purchases",
    find: () => list(lists.purchaseListing()),
  },
  {
    path: "/v1/training/store_purchases/#",
    stream: "store_purchases",
    find: ({ ids }) => oneOf(lists.purchaseListing(), ids[0]),
  },
  { path: "/v1/training/policies", stream: "policies", find: () => list(lists.policyListing()) },
  {
    path: "/v1/training/policies/#",
    stream: "policies",
    find: ({ ids }) => oneOf(lists.policyListing(), ids[0]),
  },
  { path: "/v1/training/campaigns", stream: "training_campaigns", find: findTrainingCampaigns },
  {
    path: "/v1/training/campaigns/#",
    stream: "training_campaigns",
    find: ({ world, ids }) => oneOf(lists.trainingListing(world, withPercentage(world)), ids[0]),
  },
  { path: "/v1/training/enrollments", stream: "enrollments", find: findEnrollments },
  {
    path: "/v1/training/enrollments/#",
    stream: "enrollments",
    find: ({ world, query, ids }) =>
      object(enrollmentById(world, ids[0] ?? -1), (e) => enrollmentRow(world, e, fieldsIn(query))),
  },
];

const BY_PATH: ReadonlyMap<string, Route> = new Map(ROUTES.map((route) => [route.path, route]));

/** An endpoint, and the numbers in a path of it. */
export interface FoundRoute extends Route {
  readonly ids: readonly number[];
}

/** The endpoint of a path; undefined for a path that the API does not have. */
export function findRoute(path: string): FoundRoute | undefined {
  const ids: number[] = [];
  const pattern = path.replace(/\/(\d+)/g, (_, id: string) => {
    ids.push(Number(id));
    return "/#";
  });
  const route = BY_PATH.get(pattern);
  return route && { ...route, ids };
}
