/** `npm run generate`: writes what follows from the contract into `src/generated`. */

import { readFileSync, writeFileSync } from "node:fs";
import { write } from "./contract.js";
import type { Contract } from "./schema.js";

const root = new URL("../../", import.meta.url);

/** The files as they should be, by their place. */
export function generated(): Map<URL, string> {
  const contract = JSON.parse(readFileSync(new URL("../../schema/openrpc.json", root), "utf8")) as Contract;
  return new Map([...write(contract)].map(([name, text]) => [new URL(`src/generated/${name}`, root), text]));
}

if (process.argv[2] === "--write") {
  for (const [place, text] of generated()) writeFileSync(place, text);
}
