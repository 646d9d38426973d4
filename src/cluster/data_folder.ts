/**
 * A data folder belongs to one process at a time and says what format it has.
 *
 *     lock           held while the process lives
 *     format.json    {"format": 1, "nodeUuid": "…"}: written once, an unknown format is refused
 *     mnode/catalog  see `catalog_file.ts`
 *     log/           see docs/format/log.md
 *     spill/         what queries put aside, see `spill_folder.ts`
 *     vnode-N/       one shard: time series and documents
 */
import { type Disk } from "../io/mod.ts";

const LOCK_PATH = "lock";
const FORMAT_PATH = "format.json";
const NEW_FORMAT_PATH = "format.json.new";
/** The version of all formats below the data folder together. */
const FORMAT = 1;

/** A data folder cannot be used; the message says why and what to do. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** A data folder that this process holds. */
export interface DataFolder {
  /** Names this node for ever. */
  readonly nodeUuid: string;
  release(): void;
}

/**
 * Takes the folder for this process and checks its format; stamps a new one.
 *
 * @throws DataFolderError when another process holds it or it has another format
 */
export async function takeDataFolder(disk: Disk): Promise<DataFolder> {
  disk.makeDirectory("");
  const release = disk.lock(LOCK_PATH);
  if (release === undefined) {
    throw new DataFolderError(
      `the data folder is in use by another ChronoGo; stop it or name another folder with --data-dir`,
    );
  }
  try {
    const nodeUuid = disk.exists(FORMAT_PATH) ? readStamp(disk) : await stamp(disk);
    return { nodeUuid, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The node that the folder belongs to. @throws DataFolderError when the stamp is damaged or of another format */
export function readStamp(disk: Disk): string {
  const file = disk.open(FORMAT_PATH, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.readAt(bytes, 0);
    const stamp = parseStamp(new TextDecoder().decode(bytes));
    if (stamp === undefined) {
      throw new DataFolderError(
        `the data folder's ${FORMAT_PATH} is damaged: it does not say what format the data has`,
      );
    }
    if (stamp.format !== FORMAT) {
      throw new DataFolderError(
        `the data folder has format ${stamp.format}, this version of ChronoGo reads format ${FORMAT}`,
      );
    }
    return stamp.nodeUuid;
  } finally {
    file.close();
  }
}

function parseStamp(text: string): { format: number; nodeUuid: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("format" in value) || !("nodeUuid" in value)) {
    return undefined;
  }
  const { format, nodeUuid } = value;
  return typeof format === "number" && typeof nodeUuid === "string" ? { format, nodeUuid } : undefined;
}

async function stamp(disk: Disk): Promise<string> {
  const strangers = disk.list("").filter((name) => name !== LOCK_PATH && name !== NEW_FORMAT_PATH);
  if (strangers.length > 0) {
    throw new DataFolderError(
      `the data folder is not empty and holds no ChronoGo data (found "${
        strangers[0]
      }"); name another with --data-dir`,
    );
  }
  const nodeUuid = crypto.randomUUID();
  disk.remove(NEW_FORMAT_PATH);
  const file = disk.open(NEW_FORMAT_PATH, "create");
  try {
    file.writeAt(new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, nodeUuid })}\n`), 0);
    await file.sync();
  } finally {
    file.close();
  }
  disk.rename(NEW_FORMAT_PATH, FORMAT_PATH);
  await disk.syncDirectory("");
  return nodeUuid;
}
