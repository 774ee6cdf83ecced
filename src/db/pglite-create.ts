import { PGlite } from "@electric-sql/pglite";

/** Child of `pglite-backend.ts`: creates an empty database in the folder named by the first argument, and ends. */
// The parent holds the other end: when it dies, this process has nobody to work for.
process.stdin.once("end", () => process.exit(1)).resume();
const database = await PGlite.create(String(process.argv[2]));
await database.close();
process.exit(0);
