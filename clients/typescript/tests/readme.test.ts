/** What the README shows works as it stands there. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary, Place, within } from "./support.js";

const root = new URL("../../", import.meta.url);

test("the example is the one that is shown, and does what is said", async (t) => {
  const example = readFileSync(new URL("examples/hello.ts", root), "utf8");
  const readme = readFileSync(new URL("README.md", root), "utf8");
  assert.ok(readme.includes(`\`\`\`ts\n${example}\`\`\`\n`), "README.md shows another program than examples/hello.ts");
  const place = await Place.make(t);
  const program = fileURLToPath(new URL("build/examples/hello.js", root));
  const env = { ...place.environment, SEXTON_BIN: binary };
  const running = promisify(execFile)(process.execPath, [program], { cwd: place.project, env });
  const { stdout } = await within("the example", running);
  assert.deepEqual(stdout.split("\n"), ["scheduled ", "running ", "succeeded hello", "", ""]);
});
