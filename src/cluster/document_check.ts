/** What a collection's validator says of the documents that are written to it. */
import type { CommandError, Logger } from "../base/mod.ts";
import { collationOfOptions, Document } from "../bson/mod.ts";
import { Validator } from "../query/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";

/** @returns why a document may not be written: as it will be, and as it was where it is there already */
export type DocumentCheck = (document: Document, old?: Document) => CommandError | undefined;

/** Parsed once for each state of a collection's options. */
const VALIDATORS = new WeakMap<Document, Validator>();

/** Undefined where every document may be written. */
export function documentCheck(info: CollectionInfo, logger: Logger): DocumentCheck | undefined {
  const { options } = info;
  const level = options.get("validationLevel");
  const filter = options.get("validator");
  if (!(filter instanceof Document) || level === "off") return undefined;
  const validator = validatorOf(options, filter);
  const isModerate = level === "moderate";
  const warns = options.get("validationAction") === "warn";
  return (document, old) => {
    if (validator.passes(document)) return undefined;
    // One that was wrong before may stay so.
    if (isModerate && old !== undefined && !validator.passes(old)) return undefined;
    if (!warns) return validator.failure(document);
    logger.warn("a document would fail validation", { namespace: namespaceText(info) });
    return undefined;
  };
}

function validatorOf(options: Document, filter: Document): Validator {
  let validator = VALIDATORS.get(options);
  if (validator === undefined) {
    const collation = collationOfOptions(options);
    const context = { variables: new Set<string>(), ...(collation === undefined ? {} : { collation }) };
    VALIDATORS.set(options, validator = new Validator(filter, context));
  }
  return validator;
}
