/** What a phishing mail wants its reader to do. */
export type Lure = "link" | "credentials" | "attachment" | "macro" | "reply" | "qr_code";

export interface Template {
  readonly name: string;
  readonly category: string;
  readonly lure: Lure;
  /** How convincing it is: 1 is usual. */
  readonly pull: number;
}

export const TEMPLATES: readonly Template[] = [
  {
    name: "Microsoft 365: Password expires today",
    category: "Phishing For Sensitive Information",
    lure: "credentials",
    pull: 1.3,
  },
  { name: "HR: Updated vacation policy", category: "Human Resources", lure: "link", pull: 1.4 },
  { name: "Parcel could not be delivered", category: "Online Services", lure: "link", pull: 1.2 },
  { name: "Overdue invoice attached", category: "Business", lure: "attachment", pull: 0.8 },
  { name: "Zoom: You missed a meeting", category: "Online Services", lure: "link", pull: 1.0 },
  {
    name: "Payroll: Confirm your bank details",
    category: "Human Resources",
    lure: "credentials",
    pull: 1.1,
  },
  { name: "Are you at your desk?", category: "CEO Fraud", lure: "reply", pull: 0.6 },
  { name: "Scan to set up the new authenticator", category: "IT", lure: "qr_code", pull: 0.9 },
  {
    name: "LinkedIn: Your profile was viewed",
    category: "Social Networking",
    lure: "link",
    pull: 0.8,
  },
  { name: "Q3 bonus schedule", category: "Human Resources", lure: "macro", pull: 1.0 },
  {
    name: "SharePoint: A file was shared with you",
    category: "Business",
    lure: "credentials",
    pull: 1.2,
  },
  { name: "DocuSign: Complete your document", category: "Business", lure: "link", pull: 1.1 },
  { name: "IT: Mailbox almost full", category: "IT", lure: "credentials", pull: 0.9 },
  { name: "Parking lot closed on Thursday", category: "Current Events", lure: "link", pull: 1.3 },
  { name: "Wellness survey: two minutes", category: "Human Resources", lure: "link", pull: 1.0 },
  { name: "Purchase order confirmation", category: "Business", lure: "attachment", pull: 0.9 },
];

export const LANDING_PAGES: readonly string[] = [
  "Default",
  "Oops! You clicked on a simulated phishing test",
  "SEI Landing Page",
  "Social Engineering Indicators",
];

export interface TrainingModule {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  /** Minutes; null where the publisher does not say. */
  readonly minutes: number | null;
  readonly publisher: string;
  readonly retired: boolean;
}

export const MODULES: readonly TrainingModule[] = [
  {
    name: "2026 Security Awareness Essentials",
    description: "The basics, once a year: mail, passwords, devices, data.",
    type: "Training Module",
    minutes: 40,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Spot the Phish: Red Flags in Email",
    description: "Seven signs that a mail is not what it says.",
    type: "Training Module",
    minutes: 15,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Passwords and Passphrases",
    description: "How to have many good ones.",
    type: "Training Module",
    minutes: 12,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Multi-Factor Authentication",
    description: "Why a prompt that you did not cause is an alarm.",
    type: "Training Module",
    minutes: 10,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Business Email Compromise",
    description: "Invoices, bank details and bosses in a hurry.",
    type: "Training Module",
    minutes: 18,
    publisher: "The Security Awareness Company",
    retired: false,
  },
  {
    name: "The Inside Man: Episode 1",
    description: "A newcomer in the IT department is not who he seems.",
    type: "Video Module",
    minutes: 9,
    publisher: "Twist & Shout",
    retired: false,
  },
  {
    name: "The Inside Man: Episode 2",
    description: "He is asked for more.",
    type: "Video Module",
    minutes: 8,
    publisher: "Twist & Shout",
    retired: false,
  },
  {
    name: "GDPR for Employees",
    description: "What personal data is and who may see it.",
    type: "Training Module",
    minutes: 25,
    publisher: "El Pescador",
    retired: false,
  },
  {
    name: "PCI Compliance Simplified",
    description: "Handling payment cards.",
    type: "Training Module",
    minutes: 20,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Working From Home Securely",
    description: "Networks, screens and family.",
    type: "Training Module",
    minutes: 14,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "QR Codes: Look Before You Scan",
    description: "A link is a link.",
    type: "Micro-module",
    minutes: 4,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "Security Culture Survey",
    description: "28 questions about attitudes and norms.",
    type: "Assessment",
    minutes: null,
    publisher: "CLTRe",
    retired: false,
  },
  {
    name: "Handling Sensitive Information",
    description: "Labels, sharing, disposal.",
    type: "Training Module",
    minutes: 15,
    publisher: "KnowBe4",
    retired: false,
  },
  {
    name: "2022 Security Awareness Fundamentals",
    description: "Replaced by the current year's essentials.",
    type: "Training Module",
    minutes: 45,
    publisher: "KnowBe4",
    retired: true,
  },
];

export interface PolicyText {
  readonly name: string;
  /** Minutes that it must stay open before it can be acknowledged. */
  readonly minutes: number;
  readonly language: string;
  /** The API has given numbers and words. */
  readonly status: number | string;
}

export const POLICIES: readonly PolicyText[] = [
  { name: "Acceptable Use Policy", minutes: 3, language: "en-us", status: 1 },
  { name: "Information Security Policy", minutes: 5, language: "en-us", status: 1 },
  { name: "Remote Work Policy", minutes: 2, language: "en-us", status: "published" },
  { name: "Politique de sécurité", minutes: 5, language: "fr-fr", status: 0 },
];

/** Whom a training campaign is for. */
export type Audience =
  | { readonly kind: "everybody" }
  | { readonly kind: "department"; readonly name: string }
  | { readonly kind: "location"; readonly name: string }
  | { readonly kind: "managers" }
  | { readonly kind: "clickers" }
  | { readonly kind: "joiners" };

export interface Curriculum {
  readonly name: string;
  readonly audience: Audience;
  /** Positions in {@link MODULES}. */
  readonly modules: readonly number[];
  /** Positions in {@link POLICIES}. */
  readonly policies: readonly number[];
}

/** What everybody has to do; about every fourth campaign. */
export const ANNUAL: readonly Curriculum[] = [
  {
    name: "Annual Security Awareness",
    audience: { kind: "everybody" },
    modules: [0, 1],
    policies: [0],
  },
  {
    name: "Cybersecurity Month",
    audience: { kind: "everybody" },
    modules: [5, 6, 3],
    policies: [],
  },
];

/** What some have to do. */
export const SPECIAL: readonly Curriculum[] = [
  { name: "New Hire Onboarding", audience: { kind: "joiners" }, modules: [0, 2], policies: [0] },
  {
    name: "Repeat Clicker Remediation",
    audience: { kind: "clickers" },
    modules: [1],
    policies: [],
  },
  {
    name: "Invoice Fraud for Finance",
    audience: { kind: "department", name: "Finance" },
    modules: [4],
    policies: [],
  },
  {
    name: "Privacy for HR",
    audience: { kind: "department", name: "Human Resources" },
    modules: [7, 12],
    policies: [1],
  },
  {
    name: "Sales Refresher",
    audience: { kind: "department", name: "Sales" },
    modules: [1],
    policies: [],
  },
  {
    name: "Manchester: QR Codes",
    audience: { kind: "location", name: "Manchester" },
    modules: [10],
    policies: [],
  },
  { name: "Leading by Example", audience: { kind: "managers" }, modules: [11], policies: [1] },
  {
    name: "Secure Home Office",
    audience: { kind: "location", name: "Remote" },
    modules: [9],
    policies: [2],
  },
  {
    name: "Payment Cards in Customer Service",
    audience: { kind: "department", name: "Customer Service" },
    modules: [8],
    policies: [],
  },
];
