/**
 * The `collation` of commands and of collections: `{locale, strength, caseLevel, caseFirst, numericOrdering, alternate,
 * maxVariable, normalization, backwards}`. What `Intl.Collator` cannot do of it is refused.
 *
 * A command without a collation of its own, or with an empty one, takes that of its collection.
 */
import { CommandError } from "../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  type CollationFields,
  type CollationLocale,
  collationOfFields,
  Document,
  encodeDocument,
  Int32,
  isBackwards,
  localeText,
  MAX_STRENGTH,
  RawDocument,
  readCollationFields,
  readLocale,
  type Value,
} from "../bson/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "../cluster/mod.ts";
import { foreignNames, type ParseContext, renderDocument } from "../query/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { CommandCall } from "./command.ts";

const FIELDS: FieldTable = {
  locale: "string!",
  caseLevel: "bool",
  caseFirst: "string",
  strength: "number",
  numericOrdering: "bool",
  alternate: "string",
  maxVariable: "string",
  normalization: "bool",
  backwards: "boolean",
  version: "string",
};
const CHOICES = {
  caseFirst: ["upper", "lower", "off"],
  alternate: ["non-ignorable", "shifted"],
  maxVariable: ["punct", "space"],
} as const;
/** The locale that stands for the order of bytes. */
const SIMPLE = "simple";
/** The version of ICU that MongoDB names. */
const VERSION = "57.1";

/** The collation of a command or a statement; undefined for the order of bytes. @throws CommandError */
export function collationFor(
  call: CommandCall,
  namespace: Namespace,
  args: Arguments = call.args,
): Collation | undefined {
  const info = call.state.services.router.collection(namespace);
  const own = args.document("collation");
  if (own === undefined || own.isEmpty()) return defaultCollation(info);
  const collation = parseCollation(own);
  if (info?.view !== undefined && !isSame(collation, defaultCollation(info))) throw overriding("");
  return collation;
}

/**
 * Checks that views that a pipeline reads compare texts as it does.
 *
 * @throws CommandError OptionNotSupportedOnView (167)
 */
export function checkForeignViews(
  call: CommandCall,
  stages: readonly Value[],
  { collation }: ParseContext,
): void {
  for (const name of foreignNames(stages)) {
    const namespace = { db: call.db, collection: name };
    const info = call.state.services.router.collection(namespace);
    // MongoDB's wording, missing words included.
    if (info?.view !== undefined && !isSame(collation, defaultCollation(info))) {
      throw overriding(namespaceText(namespace));
    }
  }
}

function defaultCollation(info: CollectionInfo | undefined): Collation | undefined {
  const collation = info?.options.get("collation");
  return collation instanceof Document ? parseCollation(collation) : undefined;
}

function isSame(a: Collation | undefined, b: Collation | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.isSameAs(b);
}

function overriding(name: string): CommandError {
  return new CommandError("OptionNotSupportedOnView", `Cannot override a view's default collation${name}`);
}

/** The order of texts that a collation asks for; undefined for that of bytes. @throws CommandError */
export function parseCollation(document: Document): Collation | undefined {
  const specification = readSpecification(document, "collation");
  return specification.locale === undefined
    ? undefined
    : collationOfFields(specification, specification.locale);
}

/**
 * The collation of a new collection with every field, as `listCollections` shows it; undefined for the order of bytes.
 *
 * @throws CommandError
 */
export function parseDefaultCollation(document: Document): Document | undefined {
  const given = readSpecification(document, "create.collation", withDefaults);
  const { locale } = given;
  if (locale === undefined) return undefined;
  collationOfFields(given, locale);
  return new BuiltDocument(
    [...given.document.names(), "backwards", "version"],
    [...given.document.values(), given.backwards ?? isBackwards(locale), VERSION],
  );
}

/** Every field but those that depend on the locale. */
function withDefaults(args: Arguments): Document {
  return BuiltDocument.of({
    locale: args.get("locale"),
    caseLevel: args.get("caseLevel") === true,
    caseFirst: args.string("caseFirst") ?? "off",
    strength: Int32.of(args.integer("strength") ?? 3),
    numericOrdering: args.get("numericOrdering") === true,
    alternate: args.string("alternate") ?? "non-ignorable",
    maxVariable: args.string("maxVariable") ?? "punct",
    normalization: args.get("normalization") === true,
  });
}

/** A collation as written, its fields checked. */
interface Specification extends CollationFields {
  /** Undefined for the order of bytes. */
  readonly locale: CollationLocale | undefined;
  /** As written, for the words of errors. */
  readonly document: Document;
}

/** @param complete adds fields that are not there */
function readSpecification(
  written: Document,
  owner: string,
  complete: (args: Arguments) => Document = () => written,
): Specification {
  const args = argumentsOf(written);
  checkFields(args, owner, FIELDS);
  const strength = readStrength(args, owner);
  for (const name of ["caseFirst", "alternate", "maxVariable"] as const) checkChoice(args, owner, name);
  return readComplete(argumentsOf(complete(args)), strength);
}

function argumentsOf(document: Document): Arguments {
  return new Arguments(
    document instanceof RawDocument ? document : new RawDocument(encodeDocument(document)),
  );
}

function readComplete(args: Arguments, strength: number): Specification {
  const document = args.body;
  const specification: Specification = {
    ...readCollationFields(document),
    locale: checkedLocale(args.string("locale") ?? "", document),
    strength,
    document,
  };
  if (specification.locale !== undefined) {
    checkVersion(args.string("version") ?? VERSION, document);
    checkCombinations(specification);
  }
  return specification;
}

function readStrength(args: Arguments, owner: string): number {
  const strength = args.integerFrom("strength", 0) ?? 3;
  if (strength > MAX_STRENGTH) {
    throw new CommandError(
      51024,
      `BSON field 'strength' value must be <= ${MAX_STRENGTH}, actual value '${strength}'`,
    );
  }
  if (strength === 0) throw notAChoice(owner, "strength", "0");
  return strength;
}

function checkChoice(args: Arguments, owner: string, name: keyof typeof CHOICES): void {
  const value = args.string(name);
  const choices: readonly string[] = CHOICES[name];
  if (value !== undefined && !choices.includes(value)) throw notAChoice(owner, name, value);
}

function notAChoice(owner: string, name: string, value: string): CommandError {
  return bad(`Enumeration value '${value}' for field '${owner}.${name}' is not a valid value.`);
}

function checkedLocale(text: string, document: Document): CollationLocale | undefined {
  if (text === SIMPLE) return undefined;
  const shown = renderDocument(document);
  if (text === "") throw bad(`Field 'locale' cannot be the empty string in: ${shown}`);
  const locale = readLocale(text);
  if (locale === undefined) throw bad(`Field 'locale' is invalid in: ${shown}`);
  const canonical = localeText(locale);
  if (canonical !== text) {
    throw bad(`Field 'locale' is invalid in: ${shown}. Did you mean '${canonical}'?`);
  }
  return locale;
}

function checkVersion(version: string, document: Document): void {
  if (version === VERSION) return;
  throw new CommandError(
    "IncompatibleCollationVersion",
    `Requested collation version ${version} but the only available collator version was ${VERSION}. ` +
      `Requested collation spec: ${renderDocument(document)}`,
  );
}

/** What would have no effect. */
function checkCombinations(specification: Specification): void {
  const { strength, caseLevel, caseFirst, backwards, document } = specification;
  if (backwards === true && strength === 1) {
    throw bad(`'backwards' is invalid with 'strength' of 1 in: ${renderDocument(document)}`);
  }
  if ((caseFirst === "upper" || caseFirst === "lower") && !caseLevel && strength < 3) {
    throw bad(
      `'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2 in: ${
        renderDocument(document)
      }`,
    );
  }
}

function bad(message: string): CommandError {
  return new CommandError("BadValue", message);
}
