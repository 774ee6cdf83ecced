export type RecentCache<V> = { get: (key: string) => V | undefined; set: (key: string, value: V) => void };

/**
 * A cache bounded by entries that forgets what was not asked for lately: two generations, the older of which is
 * dropped when the younger is full. Cheaper per look-up than a linked list, and words follow Zipf's law anyway.
 */
export function createRecentCache<V>(maxEntries: number): RecentCache<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const set = (key: string, value: V) => {
    if (young.size * 2 >= maxEntries) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  const get = (key: string) => {
    const fresh = young.get(key);
    if (fresh !== undefined) return fresh;
    const aged = old.get(key);
    if (aged !== undefined) set(key, aged);
    return aged;
  };
  return { get, set };
}
