/** Prints rows with the same keys as a Markdown table, so that it can be pasted into the documentation. */
export function printTable(rows: Record<string, string>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => (row[name] ?? "").length)));
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  console.log(line(names));
  console.log(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) console.log(line(names.map((name) => row[name] ?? "")));
}
