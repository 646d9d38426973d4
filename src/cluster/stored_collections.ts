/**
 * The collections that the stores of a VNode hold: they follow the catalog, each change as soon as its entry stands in
 * the log. What a store cannot do then (a full disk) it does before the first write, at a checkpoint or at the next start.
 */
import { CommandError, type Logger } from "../base/mod.ts";
import type { DocumentStore, TimeseriesStore } from "../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";
import { tableOptions } from "./timeseries_spec.ts";

export class StoredCollections {
  /** Those that exist, by the log as far as it was applied. */
  private readonly existing = new Set<number>();
  /** Dropped ones that a store still holds: what kept it from dropping them is tried again. */
  private readonly undropped = new Set<number>();
  /** The end of all changes so far. */
  private changes: Promise<void> = Promise.resolve();

  constructor(
    private readonly timeseries: TimeseriesStore,
    private readonly documents: DocumentStore,
    private readonly logger: Logger,
  ) {}

  /** A collection exists. */
  add(info: CollectionInfo): void {
    // A view holds nothing.
    if (info.view !== undefined) return;
    this.existing.add(info.id);
    this.follow(this.makeRoomFor(info));
  }

  /** Nothing when there is room. What stands in memory of it is there at once. */
  async makeRoomFor(info: CollectionInfo): Promise<void> {
    if (info.timeseries === undefined) this.documents.createCollection(info.id);
    else await this.timeseries.createTable(info.id, tableOptions(info.timeseries));
  }

  /** A collection is gone. */
  drop(id: number): void {
    this.existing.delete(id);
    this.undropped.add(id);
    this.follow(this.dropFromStores(id));
  }

  /** Drops all collections but these: those whose end a store had not written down. */
  retain(infos: readonly CollectionInfo[]): void {
    const ids = new Set(infos.map((info) => info.id));
    for (const id of [...this.timeseries.tableIds(), ...this.documents.collectionIds()]) {
      if (!ids.has(id)) this.drop(id);
    }
  }

  /** Tries again to drop what a store could not. */
  dropAgain(): void {
    for (const id of this.undropped) this.follow(this.dropFromStores(id));
  }

  private async dropFromStores(id: number): Promise<void> {
    this.documents.dropCollection(id);
    await this.timeseries.dropTable(id);
    this.undropped.delete(id);
  }

  /** Waits until the stores have followed the catalog, or failed to. */
  async settle(): Promise<void> {
    await this.changes;
  }

  /** @throws CommandError NamespaceNotFound (26) when it was dropped */
  checkExists(info: CollectionInfo): void {
    if (this.existing.has(info.id)) return;
    throw new CommandError("NamespaceNotFound", `collection ${namespaceText(info)} was dropped`);
  }

  private follow(change: Promise<void>): void {
    const logged = change.catch((error) => {
      this.logger.error("a change of the catalog has yet to reach the stores", { error: String(error) });
    });
    this.changes = Promise.all([this.changes, logged]).then(() => {});
  }
}
