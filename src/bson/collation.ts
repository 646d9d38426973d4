/**
 * Order and equality of texts as people of a language have them, through ICU (`Intl.Collator`). Only texts (and symbols) are
 * collated, those in arrays and documents too; names of fields, patterns and code never are.
 */
import { compareText } from "./compare.ts";
import { BuiltDocument, Document } from "./document.ts";
import { BSONSymbol, isArray, type Value } from "./value.ts";

/** How texts compare: what `Intl.Collator` can do of MongoDB's collation. */
export interface CollationOrder {
  /** A BCP 47 tag, the variant of the order in it: `de-u-co-phonebk`. */
  readonly tag: string;
  /** Whether texts are put in order or looked for, in which some languages differ. */
  readonly usage: "sort" | "search";
  /** What makes texts differ: `base` letters alone, `accent`s, `case`, or all (`variant`). */
  readonly sensitivity: "base" | "accent" | "case" | "variant";
  /** Whether texts that are alike in all that differ in their code points. */
  readonly identical: boolean;
  /** Whether digits compare as numbers. */
  readonly numeric: boolean;
  /** Undefined, as the next one, for what is usual in the locale. */
  readonly caseFirst: "upper" | "lower" | "false" | undefined;
  /** Whether spaces and punctuation are passed over. */
  readonly ignorePunctuation: boolean | undefined;
}

/** Texts looked up are remembered up to this many. */
const MAX_REMEMBERED = 4096;

/** The order of texts of one query. It holds one text for each class of equal ones that it was asked about. */
export class Collation {
  private readonly collator: Intl.Collator;
  /** One text of each class, in order. */
  private readonly classes: string[] = [];
  private readonly remembered = new Map<string, string>();

  constructor(private readonly order: CollationOrder) {
    const { tag, usage, sensitivity, numeric, caseFirst, ignorePunctuation } = order;
    this.collator = new Intl.Collator(tag, {
      usage,
      sensitivity,
      numeric,
      ...(caseFirst !== undefined && { caseFirst }),
      ...(ignorePunctuation !== undefined && { ignorePunctuation }),
    });
  }

  /** Negative, zero or positive as `a` stands before, with or after `b`. */
  compareText(a: string, b: string): number {
    const order = this.collator.compare(a, b);
    return order === 0 && this.order.identical ? compareText(a.normalize("NFD"), b.normalize("NFD")) : order;
  }

  /** Whether it compares all texts as another one does. */
  isSameAs(other: Collation): boolean {
    return this.order.identical === other.order.identical &&
      JSON.stringify(this.collator.resolvedOptions()) === JSON.stringify(other.collator.resolvedOptions());
  }

  /** The same text for all texts that are equal. */
  classOf(text: string): string {
    const known = this.remembered.get(text);
    if (known !== undefined) return known;
    let from = 0;
    let to = this.classes.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compareText(this.classes[middle]!, text) < 0) from = middle + 1;
      else to = middle;
    }
    const found = this.classes[from];
    const isKnown = found !== undefined && this.compareText(found, text) === 0;
    if (!isKnown) this.classes.splice(from, 0, text);
    if (this.remembered.size === MAX_REMEMBERED) this.remembered.clear();
    const first = isKnown ? found : text;
    this.remembered.set(text, first);
    return first;
  }

  /** The same value, up to BSON equality, for all values that are equal: each text is that of its class. */
  representative(value: Value): Value {
    if (typeof value === "string") return this.classOf(value);
    if (value instanceof BSONSymbol) return this.classOf(value.value);
    if (value instanceof Document) {
      return new BuiltDocument(value.names(), value.values().map((each) => this.representative(each)));
    }
    return isArray(value) ? value.map((each) => this.representative(each)) : value;
  }
}

/** Whether a collation may have a say in what the value is equal to. */
export function isCollated(value: Value): boolean {
  return typeof value === "string" || value instanceof BSONSymbol || value instanceof Document ||
    isArray(value);
}
