/** The calls that a voice engine holds for us, and remembers. */
export interface EngineCalls {
  /**
   * All that it says of a call now, in its own words; undefined: it knows no such call.
   *
   * @throws ProviderError; the reason of an aborted signal
   */
  findCall(id: string, signal: AbortSignal): Promise<unknown>;
}
