// Tools write the host's operating system and their own name into a pcapng file's section header. The samples are
// public: leave those options out (pcapng draft, section 4.1), and keep everything else as it is.

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;

export function withoutHostDetails(file) {
  const out = [];
  let little = true;
  for (let at = 0; at + 12 <= file.length; ) {
    const type = file.readUInt32LE(at);
    if (type === SECTION_HEADER) little = file.readUInt32LE(at + 8) === 0x1a2b3c4d;
    const u32 = (offset) => (little ? file.readUInt32LE(offset) : file.readUInt32BE(offset));
    const length = u32(at + 4);
    const fixed = type === SECTION_HEADER ? 24 : 16;
    if (type === SECTION_HEADER) out.push(withOptions(file, at, fixed, little, new Set()));
    // if_name, if_filter, if_tsresol stay; if_os and if_hardware do not
    else if ((little ? type : file.readUInt32BE(at)) === INTERFACE) {
      out.push(withOptions(file, at, fixed, little, new Set([2, 9, 11])));
    } else out.push(file.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(out);
}

/** The block at `at` with only those of its options whose code is in `keep`. */
function withOptions(file, at, fixed, little, keep) {
  const u16 = (offset) => (little ? file.readUInt16LE(offset) : file.readUInt16BE(offset));
  const length = little ? file.readUInt32LE(at + 4) : file.readUInt32BE(at + 4);
  const kept = [];
  for (let option = at + fixed; option + 4 <= at + length - 4; ) {
    const [code, octets] = [u16(option), 4 + ((u16(option + 2) + 3) & ~3)];
    if (code === 0) break;
    if (keep.has(code)) kept.push(file.subarray(option, option + octets));
    option += octets;
  }
  if (kept.length > 0) kept.push(Buffer.alloc(4)); // opt_endofopt
  const block = Buffer.concat([file.subarray(at, at + fixed), ...kept, Buffer.alloc(4)]);
  for (const offset of [4, block.length - 4]) {
    if (little) block.writeUInt32LE(block.length, offset);
    else block.writeUInt32BE(block.length, offset);
  }
  return block;
}
