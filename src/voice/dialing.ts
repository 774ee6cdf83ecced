/** How long a human's telephone rings before the caller is told that nobody can be reached. */
export const DIAL_TIMEOUT_SECONDS = 30;
