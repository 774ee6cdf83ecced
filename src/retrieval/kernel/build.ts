import { readFile, writeFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

const SOURCE = new URL("./scan.as", import.meta.url);
const BINARY = new URL("./scan.wasm", import.meta.url);

/** Compiles the kernel from its source. The same source gives the same bytes on every machine. */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(SOURCE, "utf8");
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(OPTIONS, {
    // The source is named `.as` so that TypeScript tools leave it alone; the compiler asks for `.ts`.
    readFile: (name) => (name === "scan.ts" ? source : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`The kernel does not compile: ${stderr.toString()}`);
  return binary;
}

const OPTIONS = [
  ["scan.ts", "--outFile", "scan.wasm"],
  ["-O3", "--noAssert", "--converge", "--runtime", "stub", "--enable", "simd"],
  ["--importMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
].flat();

if (import.meta.main) await writeFile(BINARY, await compileKernel());
