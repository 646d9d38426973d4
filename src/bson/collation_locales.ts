/**
 * The locales that MongoDB takes in a collation, each with the orders that `@collation=` may name: those that ICU 57.1, the
 * version that MongoDB has, knows under their canonical name (found by asking MongoDB 6.0.5 for every one). Orders that
 * every locale has are not listed; nor is the one that a locale has anyway, which MongoDB refuses.
 */
const LOCALES =
  "af am ar:compat as az be bg bn:traditional bo bs bs_Cyrl ca chr cs cy da de:phonebook de_AT:phonebook dsb dz ee el en " +
  "en_US en_US_POSIX eo es:traditional et fa fa_AF fi:traditional fil fo fr fr_CA ga gl gu ha haw he hi hr hsb hu hy id ig " +
  "is it ja:unihan ka kk kl km kn:traditional ko:searchjl,unihan kok ky lb lkt ln:phonetic lo lt lv mk ml mn mr ms mt my nb " +
  "ne nl nn om or pa pl ps pt ro ru se si:dictionary sk sl smn sq sr sr_Latn sv:standard sw ta te th to tr ug uk ur " +
  "vi:traditional wae yi yo zh:big5han,gb2312han,standard,stroke,unihan,zhuyin " +
  "zh_Hant:big5han,gb2312han,pinyin,standard,unihan,zhuyin zu";

const COMMON_ORDERS = ["emoji", "eor", "search"];

const ORDERS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  LOCALES.split(" ").map((entry) => {
    const [name = "", orders = ""] = entry.split(":");
    return [name, new Set([...COMMON_ORDERS, ...orders.split(",").filter((order) => order !== "")])];
  }),
);

/** A locale taken apart: `de@collation=phonebook`. */
export interface CollationLocale {
  /** With an underscore, as ICU has it: `de_AT`. */
  readonly name: string;
  /** Undefined for the one that the locale has anyway. */
  readonly order: string | undefined;
}

/** What a locale's text names: what ICU makes of it, which may be less; undefined where it knows nothing of it. */
export function readLocale(text: string): CollationLocale | undefined {
  const [base = "", keyword = ""] = text.split("@");
  const [language = "", ...rest] = base.split(/[-_]/);
  const parts = [language.toLowerCase(), ...rest];
  while (parts.length > 0 && !ORDERS.has(parts.join("_"))) parts.pop();
  const name = parts.join("_");
  const orders = ORDERS.get(name);
  if (orders === undefined) return undefined;
  const order = keyword.startsWith("collation=") ? keyword.slice("collation=".length) : "";
  return { name, order: orders.has(order) ? order : undefined };
}

/** The text of a locale in its canonical form. */
export function localeText({ name, order }: CollationLocale): string {
  return order === undefined ? name : `${name}@collation=${order}`;
}

/** What BCP 47 calls an order otherwise. */
const TAGS: Readonly<Record<string, string>> = {
  dictionary: "dict",
  gb2312han: "gb2312",
  phonebook: "phonebk",
  traditional: "trad",
};

/** The locale as a BCP 47 tag; undefined where this build of ICU does not have it, or not the order. */
export function localeTag({ name, order }: CollationLocale): string | undefined {
  if (name === "en_US_POSIX") return order === undefined ? "en-US-u-va-posix" : undefined;
  const tag = name.replaceAll("_", "-");
  if (Intl.Collator.supportedLocalesOf([tag]).length === 0) return undefined;
  if (order === undefined || order === "search") return tag;
  const extension = TAGS[order] ?? order;
  const withOrder = `${tag}-u-co-${extension}`;
  return new Intl.Collator(withOrder).resolvedOptions().collation === extension ? withOrder : undefined;
}
