import { utils, write } from "@e965/xlsx";

const VAT = 0.22;
const HEADER = [
  "Codice",
  "Descrizione",
  "Description",
  "Netto",
  "IVA 22 %",
  "Prezzo IVA inclusa",
  "Disponibilità",
];

/**
 * A price list as a sales office keeps it: a remark above each table, net prices and VAT as formulas, one sheet a
 * kind of article.
 *
 * @param {Record<string, readonly (readonly [code: string, italian: string, english: string, price: number,
 *   availability: string])[]>} sheets
 * @returns {Buffer}
 */
export function makePriceList(sheets) {
  const workbook = utils.book_new();
  workbook.Props = { Title: "Listino prezzi 2026", Author: "Officine Larice S.r.l." };
  for (const [name, articles] of Object.entries(sheets)) {
    utils.book_append_sheet(workbook, makeSheet(name, articles), name);
  }
  return write(workbook, { bookType: "xlsx", type: "buffer", compression: true });
}

function makeSheet(name, articles) {
  const remark = `Officine Larice – ${name} – prezzi in euro, validi dal 1º marzo 2026 al 28 febbraio 2027`;
  const rows = articles.map(([code, italian, english, price, availability]) => {
    const net = Math.round((100 * price) / (1 + VAT)) / 100;
    return [code, italian, english, net, Math.round(100 * (price - net)) / 100, price, availability];
  });
  const sheet = utils.aoa_to_sheet([[remark], [], HEADER, ...rows]);
  sheet["!cols"] = [10, 42, 42, 10, 10, 18, 22].map((wch) => ({ wch }));
  for (const [index] of rows.entries()) {
    for (const column of ["D", "E", "F"]) sheet[`${column}${index + 4}`].z = '#,##0.00 "€"';
  }
  return sheet;
}
