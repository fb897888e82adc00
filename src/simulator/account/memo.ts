/**
 * Keeps the results of the last `limit` keys. A result is made again when its stamp has changed,
 * which is how it learns that what it was made from has.
 */
export type Memo<T> = (key: number | string, stamp: string, make: () => T) => T;

export function memo<T>(limit: number): Memo<T> {
  const kept = new Map<number | string, { readonly stamp: string; readonly value: T }>();
  return (key, stamp, make) => {
    const known = kept.get(key);
    if (known?.stamp === stamp) {
      kept.delete(key);
      kept.set(key, known);
      return known.value;
    }
    const value = make();
    kept.delete(key);
    kept.set(key, { stamp, value });
    for (const oldest of kept.keys()) {
      if (kept.size <= limit) break;
      kept.delete(oldest);
    }
    return value;
  };
}
