/** As much of a registry as npm needs to install from: it has the packages of one directory and nothing else. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

/** Gives its address. It ends with the test. */
export async function registry(test, directory) {
  const packages = new Map();
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url.slice(1));
    const found = packages.get(name);
    if (name.endsWith(".tgz")) response.end(readFileSync(join(directory, name)));
    else if (found !== undefined) response.setHeader("content-type", "application/json").end(JSON.stringify(found));
    else response.writeHead(404).end("{}");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  test.after(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const address = `http://127.0.0.1:${server.address().port}/`;
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".tgz"))) {
    const manifest = JSON.parse(execFileSync("tar", ["-xzOf", join(directory, file), "package/package.json"]));
    const integrity = `sha512-${createHash("sha512").update(readFileSync(join(directory, file))).digest("base64")}`;
    const version = { ...manifest, dist: { tarball: address + file, integrity } };
    const { name } = manifest;
    packages.set(name, { name, "dist-tags": { latest: manifest.version }, versions: { [manifest.version]: version } });
  }
  return address;
}
