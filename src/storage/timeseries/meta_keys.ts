/** The keys that the values at a path of metas have: by them lookups find series (series_lookup.ts). */
import { StoredValueKey, type Value } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { MetaFinder, NO_VALUE } from "./meta_finder.ts";
import type { SeriesIndex } from "./series_index.ts";

/** A path of metas and the keys there; the twin of `SeriesPath` in query/source.ts. */
export interface SeriesPath {
  readonly name: string;
  readonly fields: readonly string[];
  readonly missingKey: Uint8Array;
  visitKeys(meta: Value, visit: (key: Uint8Array) => void): void;
}

/** The key is in the first `length` bytes of `view`, until the next one comes. */
export type KeyVisit = (view: DataView, length: number) => void;

export class MetaKeys {
  private readonly finder: MetaFinder;
  private readonly key = new StoredValueKey();
  private readonly missing: DataView;

  constructor(private readonly index: SeriesIndex, private readonly path: SeriesPath) {
    this.finder = new MetaFinder(index, path.fields);
    this.missing = viewOf(path.missingKey);
  }

  /** Visits those of a series. */
  visit(series: number, visit: KeyVisit): void {
    const { index, finder, key, missing } = this;
    if (!finder.find(series)) {
      this.path.visitKeys(index.metaOf(series), (bytes) => visit(viewOf(bytes), bytes.length));
    } else if (finder.type === NO_VALUE) {
      visit(missing, missing.byteLength);
    } else {
      const length = key.encode(index.bytes, finder.type, finder.start);
      visit(key.view, length);
    }
  }
}
