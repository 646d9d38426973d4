/**
 * `writeConcern`: how many nodes are to have a write before it is answered. One node is all there is, and a write is on
 * its disk before its answer (but for `--durability interval`): what asks for no more is granted, and more is refused as a
 * MongoDB without replicas refuses it, so that nobody takes one copy for three.
 */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, Document, isNumber, type RawDocument, typeOf } from "../bson/mod.ts";
import { Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";

const FIELDS: FieldTable = { w: "any", j: "flag", fsync: "flag", wtimeout: "any", provenance: "any" };
const MAX_NODES = 50;

/** @throws CommandError where it is none, or asks for more than one node can give */
export function checkWriteConcern(document: RawDocument): void {
  const fields = new Arguments(document);
  checkFields(fields, "WriteConcernOptions", FIELDS);
  if (fields.flag("j") && fields.flag("fsync")) {
    throw new CommandError("FailedToParse", "fsync and j options cannot be used together");
  }
  checkNodes(document);
}

function checkNodes(document: RawDocument): void {
  const w = document.get("w");
  if (w === undefined || w === "majority") return;
  if (isNumber(w)) return checkCount(numberOf(w));
  if (w === null || typeof w === "string") {
    const mode = `cannot use non-majority 'w' mode "${w ?? ""}"`;
    throw new CommandError("BadValue", `${mode} when a host is not a member of a replica set`);
  }
  if (w instanceof Document) {
    if (w.isEmpty()) throw new CommandError("FailedToParse", "tagged write concern requires tags");
    return;
  }
  throw new CommandError(
    "FailedToParse",
    `w has to be a number, string, or object; found: ${aliasOfType(typeOf(w))}`,
  );
}

function checkCount(count: number): void {
  if (!(count >= 0 && count <= MAX_NODES)) {
    throw new CommandError(
      "FailedToParse",
      `w has to be a non-negative number and not greater than ${MAX_NODES}; found: ${count}`,
    );
  }
  if (Math.trunc(count) > 1) {
    throw new CommandError("BadValue", "cannot use 'w' > 1 when a host is not replicated");
  }
}
