/**
 * A collation as a document, its fields checked before: `{locale, strength, caseLevel, caseFirst, numericOrdering,
 * alternate, maxVariable, normalization, backwards}`. What `Intl.Collator` cannot do of it is refused.
 */
import { CommandError } from "../base/mod.ts";
import { Collation } from "./collation.ts";
import { type CollationLocale, localeTag, localeText, readLocale } from "./collation_locales.ts";
import type { Document } from "./document.ts";
import { Int32, isNumber } from "./value.ts";

export const MAX_STRENGTH = 5;
const DEFAULT_STRENGTH = 3;
/** The locale whose accents count from the end of a word. */
const BACKWARDS_LOCALE = "fr_CA";

/** What decides about the order of texts. */
export interface CollationFields {
  readonly strength: number;
  readonly caseLevel: boolean;
  /** Undefined, as `shifted`, for what is usual in the locale. */
  readonly caseFirst: "upper" | "lower" | "false" | undefined;
  readonly shifted: boolean | undefined;
  readonly numericOrdering: boolean;
  readonly onlySpaces: boolean;
  readonly backwards: boolean | undefined;
}

/** Reads all but the locale. */
export function readCollationFields(document: Document): CollationFields {
  const alternate = document.get("alternate");
  const backwards = document.get("backwards");
  return {
    strength: readStrength(document),
    caseLevel: document.get("caseLevel") === true,
    caseFirst: readCaseFirst(document),
    shifted: alternate === undefined ? undefined : alternate === "shifted",
    numericOrdering: document.get("numericOrdering") === true,
    onlySpaces: document.get("maxVariable") === "space",
    backwards: typeof backwards === "boolean" ? backwards : undefined,
  };
}

function readStrength(document: Document): number {
  const strength = document.get("strength");
  if (!isNumber(strength)) return DEFAULT_STRENGTH;
  return strength instanceof Int32 ? strength.value : Number(strength);
}

function readCaseFirst(document: Document): CollationFields["caseFirst"] {
  const value = document.get("caseFirst");
  return value === "upper" || value === "lower" ? value : value === undefined ? undefined : "false";
}

/** The order of texts that a collection was made with; undefined for that of bytes. @param options the collection's */
export function collationOfOptions(options: Document): Collation | undefined {
  const document = options.get("collation") as Document | undefined;
  const locale = readLocale(String(document?.get("locale") ?? ""));
  return document && locale && collationOfFields(readCollationFields(document), locale);
}

/** @throws CommandError NotImplemented where `Intl.Collator` has no such order */
export function collationOfFields(fields: CollationFields, locale: CollationLocale): Collation {
  const { strength, caseLevel, caseFirst, shifted, numericOrdering, backwards } = fields;
  const tag = localeTag(locale);
  if (tag === undefined) throw notImplemented(`the locale '${localeText(locale)}'`);
  if (strength > 1 && backwards !== undefined && backwards !== isBackwards(locale)) {
    throw notImplemented(`'backwards: ${backwards}' with the locale '${locale.name}'`);
  }
  if (shifted === true && strength > 3) {
    throw notImplemented(`'alternate: shifted' with strength ${strength}`);
  }
  if (shifted === true && fields.onlySpaces) throw notImplemented("'maxVariable: space'");
  return new Collation({
    tag,
    usage: locale.order === "search" ? "search" : "sort",
    sensitivity: sensitivityOf(strength, caseLevel),
    identical: strength === MAX_STRENGTH,
    numeric: numericOrdering,
    caseFirst,
    ignorePunctuation: shifted,
  });
}

/** Whether accents count from the end of a word. */
export function isBackwards({ name }: CollationLocale): boolean {
  return name === BACKWARDS_LOCALE;
}

/** A level of case above the second strength comes to the third, which tells some more letters apart, such as wide ones. */
function sensitivityOf(strength: number, caseLevel: boolean): "base" | "accent" | "case" | "variant" {
  if (strength === 1) return caseLevel ? "case" : "base";
  return strength === 2 && !caseLevel ? "accent" : "variant";
}

function notImplemented(what: string): CommandError {
  return new CommandError("NotImplemented", `${what} of a collation is not implemented`);
}
