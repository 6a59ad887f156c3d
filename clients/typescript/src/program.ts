/** Which program is the sidecar, where the caller has named none. */

import { SidecarUnavailableError } from "./errors.js";

/**
 * The package that brings the program along, if the app depends on it. A variable, so that bundlers leave it to be
 * found where the app is installed, and do not miss it where it is not wanted.
 */
const packaged: string = "sexton";

/**
 * What the environment of this process names, else what is installed beside this module, else a name for the search
 * path. The directory of the project is never asked: it may belong to anybody.
 */
export async function program(): Promise<string> {
  const named = process.env["SEXTON_BIN"];
  if (named !== undefined) return named;
  if (!isInstalled(packaged)) return "sexton";
  try {
    const { binaryPath } = (await import(packaged)) as { binaryPath(): string };
    return binaryPath();
  } catch (cause) {
    // Another program of that name may be another version, which this app was not made for.
    throw new SidecarUnavailableError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
