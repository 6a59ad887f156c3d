/** Archives whose bytes depend on nothing but what is in them: no times, no owners, no order of a directory. */

import { gzipSync } from "node:zlib";

/** The time that npm gives to every file; some programs cannot read earlier ones. */
const TIME = 499_162_500;

const BLOCK = 512;

/** Packs files, each `{path, mode, data}`, in the order of their paths. */
export function archive(files) {
  const blocks = [];
  for (const file of [...files].sort((one, other) => (one.path < other.path ? -1 : 1))) {
    blocks.push(header(file), file.data, Buffer.alloc((BLOCK - (file.data.length % BLOCK)) % BLOCK));
  }
  const packed = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 });
  // Which system has compressed it.
  packed[9] = 255;
  return packed;
}

/** The header of one file, as POSIX has it (ustar). */
function header({ path, mode, data }) {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path}: an archive has no room for a path this long`);
  const block = Buffer.alloc(BLOCK);
  const octal = (number, at, length) => block.write(`${number.toString(8).padStart(length - 1, "0")}\0`, at);
  block.write(path, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(data.length, 124, 12);
  octal(TIME, 136, 12);
  block.write("0", 156);
  block.write("ustar\x0000", 257, "latin1");
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
