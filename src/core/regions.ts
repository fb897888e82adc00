/** Regions of the Reporting API. Source: KnowBe4's API reference, "Base URL". */
export const REGIONS = ["us", "eu", "ca", "uk", "de"] as const;

/** One region. */
export type Region = (typeof REGIONS)[number];
