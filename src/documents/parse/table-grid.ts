/** Puts the cells of a table where they stand, for tables whose cells span columns and rows. */
export interface TableGrid {
  openRow(): void;
  /** Opens a row when there is none. */
  addCell(text: string, spans?: { columns: number; rows: number }): void;
  rows(): string[][];
}

/** Tables drawn with spans are layout beyond this; claims of millions are mistakes. */
const MAX_SPAN = 100;

/**
 * A cell that spans columns stands in the first of them; one that spans rows is repeated in each, so that every row
 * says all of what is true of it.
 */
export function createTableGrid(): TableGrid {
  const rows: string[][] = [];
  // Column → the text that comes down from above, and for how many more rows.
  let hanging = new Map<number, { text: string; left: number }>();
  let started = new Map<number, { text: string; left: number }>();

  function fillFromAbove(row: string[]): void {
    for (let above = hanging.get(row.length); above; above = hanging.get(row.length)) {
      hanging.delete(row.length);
      if (above.left > 1) started.set(row.length, { text: above.text, left: above.left - 1 });
      row.push(above.text);
    }
  }

  return {
    openRow() {
      const last = rows.at(-1);
      if (last) fillFromAbove(last);
      hanging = started;
      started = new Map();
      rows.push([]);
    },
    addCell(text, spans = { columns: 1, rows: 1 }) {
      if (rows.length === 0) rows.push([]);
      const row = rows.at(-1) ?? [];
      fillFromAbove(row);
      const left = Math.min(MAX_SPAN, spans.rows) - 1;
      for (let index = 0; index < Math.min(MAX_SPAN, Math.max(1, spans.columns)); index += 1) {
        const shown = index === 0 ? text : "";
        if (left > 0) started.set(row.length, { text: shown, left });
        row.push(shown);
      }
    },
    rows() {
      const last = rows.at(-1);
      if (last) fillFromAbove(last);
      return rows;
    },
  };
}
