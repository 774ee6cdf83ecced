import type { CompiledQuery } from "kysely";
import type { Tx } from "./database.ts";

interface Compilable<Row> {
  compile(): CompiledQuery<Row>;
}

/**
 * A query whose text never varies, written once: writing it takes Kysely as long as PostgreSQL takes to answer it.
 *
 * @param build may only put its arguments where values stand, and must not look at them
 */
export function fixedQuery<Args extends readonly unknown[], Row>(
  build: (db: Tx, ...args: Args) => Compilable<Row>,
): (db: Tx, ...args: Args) => Compilable<Row> {
  let written: CompiledQuery<Row> | undefined;
  const places: (number | undefined)[] = [];

  function write(db: Tx, count: number): CompiledQuery<Row> {
    const marks: unknown[] = Array.from({ length: count }, () => ({}));
    const query = build(db, ...asArgs<Args>(marks)).compile();
    for (const value of query.parameters) {
      const index = marks.indexOf(value);
      places.push(index === -1 ? undefined : index);
    }
    return query;
  }

  return (db, ...args) => ({
    compile() {
      written ??= write(db, args.length);
      const parameters = written.parameters.map((value, position) => {
        const place = places[position];
        return place === undefined ? value : args[place];
      });
      return { ...written, parameters };
    },
  });
}

/** Stands in for the arguments while the text is written; `build` hands them on without looking. */
function asArgs<Args extends readonly unknown[]>(marks: unknown[]): Args {
  return marks as unknown as Args;
}
