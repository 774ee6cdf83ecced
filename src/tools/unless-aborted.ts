/** Stops waiting for work that others wait for too, or that cannot be stopped. Throws the signal's reason. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return await Promise.race([work, ended.promise]).finally(() =>
    signal.removeEventListener("abort", onAbort),
  );
}
