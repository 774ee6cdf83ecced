import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { apiDocument } from "./documentation.ts";

/** `node src/print-openapi.ts [file]`: the OpenAPI document, without starting a server. */
const file = process.argv[2];
const text = `${JSON.stringify(apiDocument("/"), null, 2)}\n`;
if (file === undefined) {
  process.stdout.write(text);
} else {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
