import pg from "pg";
import type { Statement, StatementResult } from "./backend.ts";
import { isStalePlan, readOnce } from "./pg-session.ts";

/** Look-ups of all requests over a few connections; see {@link createSharedReaders}. */
export interface SharedReaders {
  read(opening: string, statement: Statement): Promise<StatementResult>;
  close(): Promise<void>;
}

interface Reader {
  client: Promise<pg.Client>;
  inFlight: number;
}

/**
 * A look-up is three messages that begin and end its own transaction, so many can be written behind each other on one
 * connection without waiting. Against a pooled connection for each: twice the look-ups on two cores, because nothing is
 * checked out and the database switches between few processes. Each goes to the connection with the fewest before it.
 *
 * @param connect opens a connection that rests in the restricted role
 */
export function createSharedReaders(count: number, connect: () => Promise<pg.Client>): SharedReaders {
  const readers: (Reader | undefined)[] = Array.from({ length: count });

  function open(place: number): Reader {
    const reader: Reader = { client: connect(), inFlight: 0 };
    readers[place] = reader;
    const forget = () => {
      if (readers[place] === reader) readers[place] = undefined;
    };
    // One that broke, or never came about, is replaced by the next look-up.
    reader.client.then((client) => client.once("end", forget), forget);
    return reader;
  }

  function leastBusy(): Reader {
    let best = 0;
    for (const [place, reader] of readers.entries()) {
      if ((reader?.inFlight ?? 0) < (readers[best]?.inFlight ?? 0)) best = place;
    }
    return readers[best] ?? open(best);
  }

  return {
    async read(opening, statement) {
      const reader = leastBusy();
      reader.inFlight += 1;
      try {
        const client = await reader.client;
        return await readOnce(client, opening, statement).catch((error: unknown) => {
          if (isStalePlan(error)) return readOnce(client, opening, statement);
          // A refused statement leaves the connection usable; after anything else nobody knows its state.
          if (!(error instanceof pg.DatabaseError)) void client.end().catch(() => undefined);
          throw error;
        });
      } finally {
        reader.inFlight -= 1;
      }
    },
    async close() {
      const open = readers.filter((reader) => reader !== undefined);
      await Promise.all(open.map(async ({ client }) => (await client.catch(() => undefined))?.end()));
    },
  };
}
