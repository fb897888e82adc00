/** `12,345`, `1,234.5`. By hand: the first `toLocaleString` of a process takes 30 ms. */
export function grouped(n: number): string {
  const [whole = "", fraction] = String(n).split(".");
  const digits = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/** `0.4 s`, `75 s`, `12 min`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 600_000) return `${String(Math.round(ms / 1000))} s`;
  return `${String(Math.round(ms / 60_000))} min`;
}

/** `1 row`, `2 rows`. */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}
