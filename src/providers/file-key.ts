const keyPattern = /^[a-z0-9][a-z0-9/._-]*$/;
const maxKeyLength = 512;
const maxSegmentLength = 200;

/** True for what `checkFileKey` lets pass; a shared bucket or folder may hold files that are not ours. */
export function isFileKey(key: string): boolean {
  if (key.length > maxKeyLength || !keyPattern.test(key)) return false;
  return key
    .split("/")
    .every((segment) => !["", ".", ".."].includes(segment) && segment.length <= maxSegmentLength);
}

/**
 * Refuses a key that could leave its folder or be spelt differently by two stores.
 * Throws `TypeError`: keys are made by us, so a bad one is a bug of ours and never a user's mistake.
 */
export function checkFileKey(key: string): void {
  if (!isFileKey(key)) throw new TypeError(`not a file key: ${JSON.stringify(key.slice(0, 80))}`);
}

/** A prefix is the beginning of a key, cut anywhere, or empty. */
export function checkFilePrefix(prefix: string): void {
  if (prefix === "") return;
  checkFileKey(`${prefix}${prefix.endsWith("/") || prefix.endsWith(".") ? "x" : ""}`);
}
