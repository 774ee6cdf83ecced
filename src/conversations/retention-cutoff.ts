const DAY_MS = 86_400_000;

/** What was said before this is older than `days`. */
export function cutoffOf(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}
