/** Runs `work` now and then every so often, one run at a time, until the returned function is called. */
export function every(intervalMs: number, work: () => Promise<void>): () => Promise<void> {
  let running = work();
  const timer = setInterval(() => {
    running = running.then(work);
  }, intervalMs);
  return () => {
    clearInterval(timer);
    return running;
  };
}
