/** Lays the licences beside the package that is packed in this directory: npm leaves out links to other directories. */

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { licences, root } from "../release/version.mjs";

for (const name of licences) copyFileSync(join(root, name), name);
