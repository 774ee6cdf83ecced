import pg from "pg";

/** Whether a statement failed because another row has the same value in this unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.code === "23505" && error.constraint === constraint;
}

/** Thrown in a transaction that met what others wrote meanwhile: begun again, it sees that from the start. */
export class Overtaken extends Error {
  override name = "Overtaken";
}

/** Whether PostgreSQL ended the transaction so that others could go on; begun again, it may well succeed. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "40P01";
}

/**
 * Whether a statement failed because the named one it stood for was not there: the transaction before it on the
 * connection was to prepare it, and failed earlier, when ours was already on its way. Sent again it is prepared.
 */
export function isLostStatement(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "26000";
}

/** Whether a statement failed because of rows that others wrote or removed meanwhile: a key taken, a parent gone. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === "23505" || error.code === "23503");
}
