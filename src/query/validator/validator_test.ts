import assert from "node:assert/strict";
import { BuiltDocument, Collation, Int32, type Value } from "../../bson/mod.ts";
import { renderDocument } from "../expression/message.ts";
import { Validator } from "./validator.ts";

const document = (fields: Record<string, Value>) => BuiltDocument.of(fields);
const validator = (filter: Record<string, Value>) =>
  new Validator(document(filter), { variables: new Set() });

function infoOf(of: Validator, refused: BuiltDocument): string {
  const info = of.failure(refused).extra["errInfo"];
  assert.ok(info instanceof BuiltDocument);
  return renderDocument(info);
}

Deno.test("a document that passes is told nothing, one that does not gets the failed clauses alone", () => {
  const range = validator({ a: document({ $gte: 1, $lt: 5 }), b: "x" });
  assert.equal(range.passes(document({ a: 2, b: "x" })), true);
  const refused = document({ _id: Int32.of(7), a: 9, b: "x" });
  assert.equal(range.passes(refused), false);
  assert.equal(
    infoOf(range, refused),
    '{ failingDocumentId: 7, details: { operatorName: "$and", clausesNotSatisfied: [ { index: 1, details: { ' +
      'operatorName: "$lt", specifiedAs: { a: { $lt: 5.0 } }, reason: "comparison failed", consideredValue: 9.0 } } ] } }',
  );
});

Deno.test("an expression that fails lets no document pass", () => {
  const divided = validator({ $expr: document({ $divide: ["$a", "$b"] }) });
  assert.equal(divided.passes(document({ a: 1, b: 2 })), true);
  assert.equal(divided.passes(document({ a: 1, b: 0 })), false);
  assert.match(infoOf(divided, document({ a: 1, b: 0 })), /can't \$divide by zero/);
});

Deno.test("texts compare as the collation has it", () => {
  const collation = new Collation({
    tag: "en",
    usage: "sort",
    sensitivity: "base",
    identical: false,
    numeric: false,
    caseFirst: undefined,
    ignorePunctuation: undefined,
  });
  const collated = new Validator(document({ a: "X" }), { variables: new Set(), collation });
  assert.equal(collated.passes(document({ a: "x" })), true);
  assert.equal(validator({ a: "X" }).passes(document({ a: "x" })), false);
});

Deno.test("what no validator may ask is refused, wherever it stands", () => {
  const nested = (filter: Record<string, Value>) => ({ $or: [document({ b: 1 }), document(filter)] });
  for (const wrap of [(filter: Record<string, Value>) => filter, nested]) {
    assert.throws(() => validator(wrap({ $where: "1" })), { code: 2 });
    assert.throws(() => validator(wrap({ a: document({ $near: [1, 1] }) })), { code: 5626500 });
  }
});
