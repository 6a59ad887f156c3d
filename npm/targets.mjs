/** What a release can be built for: the names of the artifacts, and for whom npm installs them. */

export const targets = {
  "linux-x64-gnu": { rust: "x86_64-unknown-linux-gnu", os: "linux", cpu: "x64", libc: "glibc", program: "sexton" },
  "linux-arm64-gnu": { rust: "aarch64-unknown-linux-gnu", os: "linux", cpu: "arm64", libc: "glibc", program: "sexton" },
  "darwin-x64": { rust: "x86_64-apple-darwin", os: "darwin", cpu: "x64", program: "sexton" },
  "darwin-arm64": { rust: "aarch64-apple-darwin", os: "darwin", cpu: "arm64", program: "sexton" },
  "win32-x64": { rust: "x86_64-pc-windows-msvc", os: "win32", cpu: "x64", program: "sexton.exe" },
};

/** The target of this machine, if there is one. */
export const host = Object.keys(targets).find(
  (name) => targets[name].os === process.platform && targets[name].cpu === process.arch,
);

/** What the first bytes of a program say it is for: `linux x64`; nothing if they are not known here. */
export function madeFor(program) {
  const machines = {
    linux: { 62: "x64", 183: "arm64" },
    darwin: { 0x01000007: "x64", 0x0100000c: "arm64" },
    win32: { 0x8664: "x64", 0xaa64: "arm64" },
  };
  const cpu = (os, machine) => (machine in machines[os] ? `${os} ${machines[os][machine]}` : undefined);
  if (program.length < 64) return undefined;
  if (program.readUInt32BE(0) === 0x7f454c46) return cpu("linux", program.readUInt16LE(18));
  if (program.readUInt32LE(0) === 0xfeedfacf) return cpu("darwin", program.readUInt32LE(4));
  if (program.toString("latin1", 0, 2) !== "MZ") return undefined;
  const header = program.readUInt32LE(0x3c);
  return header + 6 <= program.length ? cpu("win32", program.readUInt16LE(header + 4)) : undefined;
}
