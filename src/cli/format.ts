/** `12,345`: grouped the same on every machine. */
export function grouped(n: number): string {
  return n.toLocaleString("en-US");
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
