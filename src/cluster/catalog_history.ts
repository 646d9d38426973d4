/**
 * What collections were before the catalog's entries that changed, renamed or dropped them: who reads the log later than it
 * was written learns from it what an entry was about. It reaches back as far as the log can be read.
 */
import { assert } from "../base/mod.ts";
import { Document, DocumentBuilder, isArray, type Value } from "../bson/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { collectionFromDocument, collectionToDocument } from "./entry.ts";

interface PastCollection {
  readonly info: CollectionInfo;
  /** The catalog's entry that ended it. */
  readonly until: number;
}

export class CatalogHistory {
  /** In the order of the entries that ended them. */
  private past: PastCollection[] = [];

  /** @param until the catalog's entry that changed or dropped it */
  add(info: CollectionInfo, until: number): void {
    this.past.push({ info, until });
  }

  /**
   * A collection as it was once an entry of the catalog was applied.
   *
   * @param current as it is now; undefined where it is gone
   */
  at(id: number, index: number, current: CollectionInfo | undefined): CollectionInfo | undefined {
    return this.past.find(({ info, until }) => info.id === id && until > index)?.info ?? current;
  }

  /** The collections that an entry of the catalog changed or dropped, as they were before. */
  endedBy(index: number): readonly CollectionInfo[] {
    return this.past.filter(({ until }) => until === index).map(({ info }) => info);
  }

  /** Nobody can read what came before this entry of the catalog, or this one. */
  forget(index: number): void {
    this.past = this.past.filter(({ until }) => until > index);
  }

  /** For the catalog's snapshot. */
  toValue(): readonly Document[] {
    return this.past.map(({ info, until }) =>
      DocumentBuilder.from(collectionToDocument(info)).append("until", until).build()
    );
  }

  /** The reverse of `toValue`; snapshots of before have none. */
  restore(value: Value): void {
    this.past = !isArray(value) ? [] : value.map((entry) => {
      assert(entry instanceof Document, "a catalog's history holds documents");
      const until = entry.get("until");
      assert(typeof until === "number", "an entry of the catalog ended a collection of its history");
      return { info: collectionFromDocument(entry), until };
    });
  }
}
