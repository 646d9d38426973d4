/** An update that is a document: all fields but the _id are replaced. */
import { CommandError } from "../../base/mod.ts";
import {
  Document,
  DocumentBuilder,
  equalValues,
  identicalDocuments,
  Timestamp,
  type Value,
} from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { timestampOf } from "./set.ts";

export interface Replacement {
  readonly kind: "replacement";
  readonly document: Document;
}

const ID = "_id";

/** @throws CommandError DollarPrefixedFieldName for a field that looks like a modifier */
export function parseReplacement(document: Document): Replacement {
  for (const name of document.names()) {
    if (name.startsWith("$")) throw dollarPrefixed(name);
  }
  return { kind: "replacement", document };
}

/** The error of a field at the top of a document that looks like an operator. */
export function dollarPrefixed(name: string): CommandError {
  return new CommandError(
    "DollarPrefixedFieldName",
    `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's ` +
      "replacement document. Consider using an aggregation pipeline with $replaceWith.",
  );
}

/** The replacement with its _id in front, or that of `old`; `old` itself where nothing changes. */
export function replace({ document }: Replacement, old: Document, nowMs: number): Document {
  return withIdOf(old, withTimestamps(document, nowMs));
}

/**
 * A whole new document under the _id of the old one, or under one that equals it.
 *
 * @throws CommandError ImmutableField when it has another _id
 */
export function withIdOf(old: Document, document: Document): Document {
  const id = old.get(ID);
  const given = document.get(ID);
  if (id !== undefined && given !== undefined && !equalValues(id, given)) {
    throw new CommandError(
      "ImmutableField",
      `After applying the update, the (immutable) field '_id' was found to have been altered to ${
        elementText(ID, given)
      }`,
    );
  }
  // Compared as it was given: without an _id, MongoDB counts it as a change.
  return identicalDocuments(old, document) ? old : idFirst(given ?? id, document);
}

function idFirst(id: Value, document: Document): Document {
  if (id === undefined || document.names()[0] === ID) return document;
  const builder = new DocumentBuilder().append(ID, id);
  const values = document.values();
  document.names().forEach((name, i) => {
    if (name !== ID) builder.append(name, values[i]);
  });
  return builder.build();
}

/** Empty timestamps at the top of a document stand for the time of the update. */
function withTimestamps(document: Document, nowMs: number): Document {
  const values = document.values();
  if (!values.some(isEmptyTimestamp)) return document;
  const builder = new DocumentBuilder();
  document.names().forEach((name, i) => {
    const value = values[i];
    builder.append(name, name !== ID && isEmptyTimestamp(value) ? timestampOf(nowMs) : value);
  });
  return builder.build();
}

function isEmptyTimestamp(value: Value): boolean {
  return value instanceof Timestamp && value.isZero();
}
