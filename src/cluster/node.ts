/**
 * One node: the data folder, the log, the MNode's state and the VNodes in this isolate, opened in that order and closed
 * in the reverse one.
 */
import {
  assert,
  CorruptionError,
  DEFAULT_MEMORY_BUDGET_BYTES,
  type Logger,
  MemoryBudget,
} from "../base/mod.ts";
import type { Clock, Disk } from "../io/mod.ts";
import { firstIndexes, Log, type LogRecord, type LogRetention, type LogSizes } from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { ChangeFeed, type ChangeFeedOptions } from "./change_stream/change_feed.ts";
import { ClusterClock } from "./cluster_clock.ts";
import { CATALOG_PATH, readCatalog, writeCatalog } from "./catalog_file.ts";
import { type DataFolder, takeDataFolder } from "./data_folder.ts";
import { collectionToDocument, encodeDatabase, encodeDropped, EntryKind, MNODE_GROUP } from "./entry.ts";
import { deleteSome } from "./expiring_documents.ts";
import { LocalRouter } from "./local_router.ts";
import { MNode } from "./mnode.ts";
import { isTemporary } from "./replacement.ts";
import { Retention } from "./retention.ts";
import type { RetentionCounts, RetentionSettings, Router } from "./router.ts";
import { SpillFolder } from "./spill_folder.ts";
import { namedIfFull, shuttingDown } from "./node_errors.ts";
import { VNode } from "./vnode.ts";
import { encodeDocument } from "../bson/mod.ts";

const VNODE_GROUP = 1;
const LOG_DIRECTORY = "log";

export interface NodeOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `commit`: a write is synced before its answer; `interval`: at most 100 ms later. */
  readonly durability?: "commit" | "interval";
  /** Bytes of measurements in memory before they are flushed; by default a share of the memory. */
  readonly memtableBytes?: number;
  /** What the node may hold in memory, counted. */
  readonly memory?: MemoryBudget;
  /** Where SQLite keeps the documents when the disk is not the operating system's: ":memory:". */
  readonly documentsPath?: string;
  /** How long the log can be read after its entries have reached the stores. */
  readonly logRetention?: LogRetention;
  /** Smaller files of the log for tests. */
  readonly logSizes?: LogSizes;
}

/** What was found at the start. */
export interface NodeSummary {
  readonly databases: number;
  readonly collections: number;
  readonly series: number;
  /** Measurements of all time-series collections. */
  readonly rows: number;
  /** Entries that the log needs; those that its owners have in their files already change nothing. */
  readonly logEntries: number;
  readonly recoveryMs: number;
}

export class Node {
  /** What commands ask of the data. */
  readonly router: Router;
  readonly memory: MemoryBudget;
  private checkpointing: Promise<void> | undefined;
  private catalogChange: Promise<void> = Promise.resolve();
  private closed = false;
  /** Cluster time at which all entries were readable, when the node was opened. */
  private readonly openedTime: bigint;
  private readonly retentionPasses: Retention;

  private constructor(
    private readonly options: NodeOptions,
    private readonly folder: DataFolder,
    private readonly log: Log,
    private readonly mnode: MNode,
    private readonly vnode: VNode,
    readonly clusterTime: ClusterClock,
    readonly summary: NodeSummary,
    readonly spill: SpillFolder,
  ) {
    this.memory = options.memory ?? new MemoryBudget(DEFAULT_MEMORY_BUDGET_BYTES);
    this.router = new LocalRouter(this, vnode);
    this.openedTime = clusterTime.operationTime;
    this.retentionPasses = new Retention(options.clock, options.logger.child("retention"), {
      collections: () => mnode.allCollections(),
      expire: (info, beforeMs) => vnode.expire(info, beforeMs),
      deleteSome: (info, filter, limit) => deleteSome(vnode, info, filter, limit, options.clock.nowMs()),
    });
  }

  /**
   * Takes the data folder, opens what is in it and replays the log.
   *
   * @throws DataFolderError when the folder cannot be used; CorruptionError when a file is damaged
   */
  static async open(options: NodeOptions): Promise<Node> {
    const { disk, clock, logger } = options;
    const startedMs = clock.monotonicMs();
    const folder = await takeDataFolder(disk);
    let vnode: VNode | undefined;
    let log: Log | undefined;
    try {
      const mnode = new MNode();
      const times = new ClusterClock(clock);
      const state = readCatalog(disk);
      if (state !== undefined) mnode.restore(state);
      const shard = vnode = await VNode.open({
        ...options,
        directory: `vnode-${VNODE_GROUP}`,
        group: VNODE_GROUP,
        times,
        logStart: firstIndexes(disk, LOG_DIRECTORY).get(VNODE_GROUP) ?? 1,
      });
      for (const info of mnode.allCollections()) shard.collections.add(info);
      let logEntries = 0;
      log = await Log.open(disk, LOG_DIRECTORY, {
        clock,
        durability: options.durability ?? "commit",
        ...(options.logRetention === undefined ? {} : { retention: options.logRetention }),
        ...(options.logSizes === undefined ? {} : { sizes: options.logSizes }),
        onRecord: (record) => {
          times.noteApplied(record.clusterTime);
          replay(record, mnode, shard);
          logEntries++;
        },
      });
      checkCatalog(mnode, log);
      await shard.rewind(log.lastIndex(VNODE_GROUP));
      shard.collections.retain(mnode.allCollections());
      await shard.collections.settle();
      await shard.matchIndexes(mnode.allCollections());
      const recoveryMs = clock.monotonicMs() - startedMs;
      logger.info("opened", { logEntries, ms: Math.round(recoveryMs) });
      const summary = {
        databases: mnode.databaseNames().length,
        collections: mnode.allCollections().length,
        ...shard.totals(),
        logEntries,
        recoveryMs,
      };
      const node = new Node(options, folder, log, mnode, shard, times, summary, SpillFolder.open(disk));
      shard.join(log, () => node.checkpoint());
      for (const info of mnode.allCollections().filter(isTemporary)) await node.dropCollection(info.id);
      return node;
    } catch (error) {
      await closeAll([() => log?.close(), () => vnode?.close(), () => folder.release()]).catch(() => {});
      throw error;
    }
  }

  /** Names this node for ever. */
  get uuid(): string {
    return this.folder.nodeUuid;
  }

  /** Which collections exist. */
  get catalog(): MNode {
    return this.mnode;
  }

  /** Logs and applies that a collection exists; its id must be the catalog's next. */
  async addCollection(info: CollectionInfo): Promise<void> {
    await this.vnode.makeRoom();
    await this.changeCatalog(EntryKind.CollectionCreated, encodeDocument(collectionToDocument(info)));
  }

  /** Logs and applies that a collection's options changed. */
  async modifyCollection(info: CollectionInfo): Promise<void> {
    await this.changeCatalog(EntryKind.CollectionModified, encodeDocument(collectionToDocument(info)));
  }

  /** Logs and applies that a collection is gone. */
  async dropCollection(id: number): Promise<void> {
    await this.changeCatalog(EntryKind.CollectionDropped, encodeDropped(id));
  }

  /** Logs that a database is gone, once its collections are. */
  async dropDatabase(db: string): Promise<void> {
    await this.changeCatalog(EntryKind.DatabaseDropped, encodeDatabase(db));
  }

  /** Opens a change stream. @throws CommandError ChangeStreamHistoryLost */
  changeFeed(options: ChangeFeedOptions): ChangeFeed {
    const { log, mnode, vnode } = this;
    return new ChangeFeed({
      log,
      readableTime: () => log.lastTime > this.openedTime ? log.lastTime : this.openedTime,
      collectionAt: (id, index) => mnode.collectionAt(id, index),
      endedBy: (index) => mnode.endedBy(index),
      lookUp: (id, documentId) => vnode.document(id, documentId),
    }, options);
  }

  /** Makes the first queries faster, now that the process is to serve them: costs some processor time beside them. */
  startWarmUp(): void {
    this.vnode.startWarmUp();
  }

  /** How often measurements expire, and whether they do; what is given is changed. */
  retention(change: Partial<RetentionSettings> = {}): RetentionSettings {
    return this.retentionPasses.change(change);
  }

  get retentionCounts(): RetentionCounts {
    return this.retentionPasses.counts;
  }

  /** Makes the log short again: all that it holds goes to the files of its owner. One runs at a time. */
  checkpoint(): Promise<void> {
    this.checkpointing ??= this.runCheckpoint().finally(() => {
      this.checkpointing = undefined;
    });
    return this.checkpointing;
  }

  /** Refuses further writes, waits for those that run, flushes, syncs and closes; the data folder is free when it resolves. */
  async close(): Promise<void> {
    assert(!this.closed, "a node is closed once");
    this.closed = true;
    await closeAll([
      () => this.retentionPasses.stop(),
      () => this.catalogChange,
      () => this.vnode.drain(),
      () => this.checkpointing?.catch(() => {}),
      () => this.checkpoint(),
      () => this.log.close(),
      () => this.vnode.close(),
      () => this.folder.release(),
    ]);
  }

  private async changeCatalog(kind: number, payload: Uint8Array): Promise<void> {
    if (this.closed) throw shuttingDown();
    // Synced whatever the durability: the stores must never know of a collection that the log could forget.
    const options = this.clusterTime.stamp({
      alwaysSync: true,
      onDurable: (index) => applyCatalog(index, kind, payload, this.mnode, this.vnode),
    });
    const change = this.log.append(MNODE_GROUP, kind, [payload], options).then(() =>
      this.vnode.collections.settle()
    );
    this.catalogChange = change.catch(() => {});
    await change;
  }

  private async runCheckpoint(): Promise<void> {
    try {
      await this.log.withRoom(() => this.writeEverything());
    } catch (error) {
      this.options.logger.error("checkpoint failed", { error: String(error) });
      throw namedIfFull(error);
    }
  }

  private async writeEverything(): Promise<void> {
    const startedMs = this.options.clock.monotonicMs();
    const catalogIndex = this.mnode.appliedIndex;
    this.mnode.forgetHistory(this.log.readableFrom(MNODE_GROUP));
    await writeCatalog(this.options.disk, this.mnode.snapshot());
    const vnodeIndex = await this.vnode.checkpoint();
    await this.log.cut(MNODE_GROUP, catalogIndex);
    await this.log.cut(VNODE_GROUP, vnodeIndex);
    const ms = Math.round(this.options.clock.monotonicMs() - startedMs);
    const { needed, kept } = this.log.usage;
    this.options.logger.info("checkpoint", {
      logIndex: vnodeIndex,
      logBytes: needed,
      keptLogBytes: kept,
      ms,
    });
  }
}

/** Without its end the catalog would take collections for dropped ones that the log no longer speaks of. */
function checkCatalog(mnode: MNode, log: Log): void {
  const lastIndex = log.lastIndex(MNODE_GROUP);
  if (mnode.appliedIndex === lastIndex) return;
  const reason = `it counts catalog entries up to ${mnode.appliedIndex}, but the log up to ${lastIndex}`;
  throw new CorruptionError(CATALOG_PATH, 0, reason);
}

/** Runs all steps in turn, whether one fails or not. @throws what the first of them threw */
async function closeAll(steps: readonly (() => Promise<void> | void | undefined)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function replay(record: LogRecord, mnode: MNode, vnode: VNode): void {
  if (record.group === MNODE_GROUP) {
    applyCatalog(record.index, record.kind, record.payload, mnode, vnode);
  } else {
    assert(record.group === VNODE_GROUP, `log entry of group ${record.group}`);
    vnode.replay(record);
  }
}

function applyCatalog(index: number, kind: number, payload: Uint8Array, mnode: MNode, vnode: VNode): void {
  const change = mnode.apply(index, kind, payload);
  if (change?.kind === "created") vnode.collections.add(change.collection);
  if (change?.kind === "modified" && change.replacedId !== undefined) {
    vnode.collections.drop(change.replacedId);
  }
  if (change?.kind === "dropped") vnode.collections.drop(change.id);
}
