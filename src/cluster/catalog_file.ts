/**
 * The catalog's snapshot on disk, so that the log need not be kept for ever.
 *
 *     "CGCAT001" | uint32 length of the state | uint32 crc32 of the state | state (BSON, see `MNode.snapshot`)
 *
 * The file is replaced whole: written beside, synced, renamed. It is valid when magic, length and checksum agree.
 */
import { CorruptionError, crc32 } from "../base/mod.ts";
import type { Disk } from "../io/mod.ts";

const DIRECTORY = "mnode";
export const CATALOG_PATH = "mnode/catalog";
const NEW_PATH = "mnode/catalog.new";
const MAGIC = "CGCAT001";
const HEADER_BYTES = 16;

/** Replaces the snapshot; durable when it resolves. */
export async function writeCatalog(disk: Disk, state: Uint8Array): Promise<void> {
  disk.makeDirectory(DIRECTORY);
  // Also where it is there: the sync after its making may have failed.
  await disk.syncDirectory("");
  disk.remove(NEW_PATH);
  const file = disk.open(NEW_PATH, "create");
  try {
    const header = new Uint8Array(HEADER_BYTES);
    header.set(new TextEncoder().encode(MAGIC));
    const view = new DataView(header.buffer);
    view.setUint32(8, state.length, true);
    view.setUint32(12, crc32(state), true);
    file.writeAt(header, 0);
    file.writeAt(state, HEADER_BYTES);
    await file.sync();
  } finally {
    file.close();
  }
  disk.rename(NEW_PATH, CATALOG_PATH);
  await disk.syncDirectory(DIRECTORY);
}

/**
 * Reads the snapshot's state; undefined when there is none yet.
 *
 * @throws CorruptionError when the file is not what was written
 */
export function readCatalog(disk: Disk, path = CATALOG_PATH): Uint8Array | undefined {
  if (!disk.exists(path)) return undefined;
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    const read = file.readAt(bytes, 0);
    if (read < HEADER_BYTES) throw new CorruptionError(path, 0, `${read} bytes are no catalog`);
    const magic = new TextDecoder().decode(bytes.subarray(0, 8));
    if (magic !== MAGIC) {
      throw new CorruptionError(path, 0, `it starts with "${magic}", expected "${MAGIC}"`);
    }
    const view = new DataView(bytes.buffer);
    const state = bytes.subarray(HEADER_BYTES);
    const length = view.getUint32(8, true);
    if (length !== state.length) {
      throw new CorruptionError(path, 8, `it holds ${state.length} bytes, expected ${length}`);
    }
    const checksum = view.getUint32(12, true);
    if (checksum !== crc32(state)) {
      throw new CorruptionError(
        path,
        12,
        `checksum 0x${crc32(state).toString(16)}, expected 0x${checksum.toString(16)}`,
      );
    }
    return state;
  } finally {
    file.close();
  }
}
