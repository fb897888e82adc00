/**
 * How many kills there are over all destinations together; a few where nobody asks for more. As
 * many as CI makes, and a longer count: `KB4_TEST_KILLS=1000 .ci/run kills peers`.
 */
const ALL = Number(process.env["KB4_TEST_KILLS"] ?? 0);

/** Of all kills. Most go where one costs least. */
const SHARES = { duckdb: 0.6, snowflake: 0.3, bigquery: 0.1 } as const;

/** Kills at any moment where nobody asks for more. */
const FEW = 4;

/** Kills of one destination. */
export interface Kills {
  /** At each of its named points. */
  readonly atEach: number;
  /** At any moment. */
  readonly anywhere: number;
}

/** A destination's share: about half of it at the points that have a name, the rest anywhere. */
export function killsOf(destination: keyof typeof SHARES, points: number): Kills {
  if (!Number.isInteger(ALL) || ALL < 0) throw new RangeError("KB4_TEST_KILLS: not a number");
  const share = Math.ceil(ALL * SHARES[destination]);
  const atEach = Math.max(1, Math.round(share / 2 / points));
  return { atEach, anywhere: Math.max(FEW, share - atEach * points) };
}

/** What a kill must leave of numbers that are counted: none is missing, none is there twice. */
export interface Numbered {
  readonly n: number;
  readonly text: string;
}

/** The rows of a run that nobody kills, up to a number. */
export function counted(last: number): readonly Numbered[] {
  return Array.from({ length: last }, (_, i) => numbered(i + 1));
}

/** The row of a number; every third has a text that takes some room. */
export function numbered(n: number): Numbered {
  return { n, text: n % 3 === 1 ? `${String(n)} `.repeat(400) : "" };
}
