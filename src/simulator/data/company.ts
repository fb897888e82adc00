export interface Department {
  readonly name: string;
  /** Share of the people, relative to the others. */
  readonly weight: number;
  readonly division: string;
  /** How late its people are with training: 1 is usual, 2 takes twice as long. */
  readonly late: number;
  /** How readily its people fall for a test: 1 is usual. */
  readonly credulous: number;
  readonly head: string;
  readonly manager: string;
  readonly titles: readonly string[];
}

/** The first one is where the account's chief executive sits. */
export const DEPARTMENTS: readonly Department[] = [
  {
    name: "Executive Office",
    weight: 1,
    division: "Corporate",
    late: 1.5,
    credulous: 1.2,
    head: "Chief Executive Officer",
    manager: "Chief of Staff",
    titles: ["Executive Assistant", "Strategy Analyst", "Board Secretary"],
  },
  {
    name: "Finance",
    weight: 8,
    division: "Corporate",
    late: 0.8,
    credulous: 0.9,
    head: "Chief Financial Officer",
    manager: "Finance Manager",
    titles: ["Accountant", "Accounts Payable Clerk", "Financial Analyst", "Payroll Specialist"],
  },
  {
    name: "Human Resources",
    weight: 5,
    division: "Corporate",
    late: 0.6,
    credulous: 1.3,
    head: "VP People",
    manager: "HR Manager",
    titles: ["Recruiter", "HR Business Partner", "Benefits Coordinator", "Learning Specialist"],
  },
  {
    name: "Information Technology",
    weight: 9,
    division: "Corporate",
    late: 0.6,
    credulous: 0.5,
    head: "Chief Information Officer",
    manager: "IT Manager",
    titles: ["Systems Administrator", "Service Desk Analyst", "Network Engineer", "Data Engineer"],
  },
  {
    name: "Information Security",
    weight: 2,
    division: "Corporate",
    late: 0.4,
    credulous: 0.3,
    head: "Chief Information Security Officer",
    manager: "Security Operations Lead",
    titles: ["Security Analyst", "Incident Responder", "GRC Specialist"],
  },
  {
    name: "Legal",
    weight: 2,
    division: "Corporate",
    late: 1.1,
    credulous: 0.7,
    head: "General Counsel",
    manager: "Senior Counsel",
    titles: ["Paralegal", "Contracts Manager", "Compliance Officer"],
  },
  {
    name: "Sales",
    weight: 16,
    division: "Commercial",
    late: 1.9,
    credulous: 1.5,
    head: "VP Sales",
    manager: "Regional Sales Manager",
    titles: [
      "Account Executive",
      "Sales Representative",
      "Inside Sales Specialist",
      "Key Account Manager",
    ],
  },
  {
    name: "Marketing",
    weight: 6,
    division: "Commercial",
    late: 1.2,
    credulous: 1.2,
    head: "Chief Marketing Officer",
    manager: "Marketing Manager",
    titles: ["Content Specialist", "Campaign Manager", "Designer", "Market Analyst"],
  },
  {
    name: "Customer Service",
    weight: 14,
    division: "Commercial",
    late: 1.0,
    credulous: 1.3,
    head: "Director Customer Service",
    manager: "Team Lead Customer Service",
    titles: ["Customer Service Agent", "Claims Handler", "Support Specialist"],
  },
  {
    name: "Engineering",
    weight: 12,
    division: "Product",
    late: 0.8,
    credulous: 0.6,
    head: "VP Engineering",
    manager: "Engineering Manager",
    titles: [
      "Software Engineer",
      "QA Engineer",
      "Site Reliability Engineer",
      "Mechanical Engineer",
    ],
  },
  {
    name: "Operations",
    weight: 12,
    division: "Operations",
    late: 1.4,
    credulous: 1.1,
    head: "Chief Operating Officer",
    manager: "Operations Manager",
    titles: ["Dispatcher", "Planner", "Operations Analyst", "Route Coordinator"],
  },
  {
    name: "Warehouse",
    weight: 13,
    division: "Operations",
    late: 2.2,
    credulous: 1.6,
    head: "Director Warehousing",
    manager: "Shift Supervisor",
    titles: ["Warehouse Associate", "Forklift Operator", "Inventory Clerk", "Receiving Clerk"],
  },
  {
    name: "Procurement",
    weight: 4,
    division: "Operations",
    late: 0.9,
    credulous: 1.0,
    head: "Chief Procurement Officer",
    manager: "Category Manager",
    titles: ["Buyer", "Vendor Manager", "Sourcing Analyst"],
  },
];

export interface Location {
  readonly name: string;
  readonly weight: number;
  readonly country: string;
  readonly language: string;
  /** Start of its telephone numbers; the rest is drawn. */
  readonly dial: string;
  /** First two bytes of its addresses, in the ranges set aside for examples. */
  readonly network: string;
}

export const LOCATIONS: readonly Location[] = [
  {
    name: "Columbus, OH",
    weight: 24,
    country: "US",
    language: "English - United States",
    dial: "+1 614 555",
    network: "198.51.100",
  },
  {
    name: "Tampa, FL",
    weight: 14,
    country: "US",
    language: "English - United States",
    dial: "+1 813 555",
    network: "198.51.100",
  },
  {
    name: "Denver, CO",
    weight: 10,
    country: "US",
    language: "English - United States",
    dial: "+1 303 555",
    network: "198.51.100",
  },
  {
    name: "Toronto",
    weight: 9,
    country: "CA",
    language: "English - Canada",
    dial: "+1 416 555",
    network: "198.51.100",
  },
  {
    name: "Manchester",
    weight: 10,
    country: "GB",
    language: "English - United Kingdom",
    dial: "+44 161 496",
    network: "203.0.113",
  },
  {
    name: "Rotterdam",
    weight: 8,
    country: "NL",
    language: "Dutch - Netherlands",
    dial: "+31 10 555",
    network: "203.0.113",
  },
  {
    name: "Leipzig",
    weight: 7,
    country: "DE",
    language: "German - Germany",
    dial: "+49 341 555",
    network: "203.0.113",
  },
  {
    name: "Lyon",
    weight: 4,
    country: "FR",
    language: "French - France",
    dial: "+33 4 72 55",
    network: "203.0.113",
  },
  {
    name: "Monterrey",
    weight: 5,
    country: "MX",
    language: "Spanish - Latin America",
    dial: "+52 81 555",
    network: "192.0.2",
  },
  {
    name: "Pune",
    weight: 8,
    country: "IN",
    language: "English - United States",
    dial: "+91 20 555",
    network: "192.0.2",
  },
  {
    name: "Remote",
    weight: 5,
    country: "US",
    language: "English - United States",
    dial: "+1 202 555",
    network: "192.0.2",
  },
];

/** Companies that do not exist, with a domain that never will (RFC 2606). */
export const COMPANIES: readonly { readonly name: string; readonly domain: string }[] = [
  { name: "Halvorsen Freight Group", domain: "halvorsenfreight.example" },
  { name: "Meridian Cold Chain", domain: "meridiancold.example" },
  { name: "Bluewater Logistics", domain: "bluewaterlogistics.example" },
  { name: "Castellan Parcel Services", domain: "castellanparcel.example" },
  { name: "Northgate Distribution", domain: "northgatedist.example" },
];

export const BROWSERS: readonly {
  readonly browser: string;
  readonly version: string;
  readonly os: string;
}[] = [
  { browser: "Chrome", version: "137.0", os: "Windows 11" },
  { browser: "Chrome", version: "136.0", os: "macOS 15" },
  { browser: "Edge", version: "137.0", os: "Windows 11" },
  { browser: "Edge", version: "135.0", os: "Windows 10" },
  { browser: "Safari", version: "18.4", os: "iOS 18" },
  { browser: "Firefox", version: "139.0", os: "Windows 11" },
  { browser: "Chrome Mobile", version: "137.0", os: "Android 15" },
];
