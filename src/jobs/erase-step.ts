import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";

/** What is being erased, with everything beneath it. */
export type ErasureTarget =
  | { level: "account"; partnerId: string; accountId: string }
  | { level: "organization"; partnerId: string; accountId: string; organizationId: number }
  | { level: "workspace"; partnerId: string; accountId: string; organizationId: number; workspaceId: number };

/** One room's part in an erasure. */
export interface EraseStep {
  /** Shown as the job's progress, e.g. `tools`. */
  name: string;
  /** Why it must not be begun just now, in a sentence; whoever sends `force` begins it all the same. */
  refuse?(tx: Tx, target: ErasureTarget): Promise<string | undefined>;
  /** Takes the room's rows out of sight, in the transaction of the request. Runs as the tenant. */
  hide?(tx: Tx, target: ErasureTarget): Promise<void>;
  /** Removes them for good. It may run again after a crash: the second time it must find nothing to do. */
  erase(app: App, target: ErasureTarget, signal: AbortSignal): Promise<void>;
}
