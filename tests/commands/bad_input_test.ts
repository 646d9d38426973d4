/**
 * Broken and absurd input over a socket. The codes are those that MongoDB 6.0.5 gave to the very same bytes; null is a
 * connection that it closed. After each the server serves as before.
 */
import assert from "node:assert/strict";
import { type Document, serialize } from "bson";
import { withServer } from "./harness.ts";
import { bodySection, concat, message, opMsg, sequenceSection } from "./messages.ts";
import { RawSocket } from "./raw_socket.ts";

type Case = readonly [what: string, bytes: Uint8Array, code: number | null];

const PING = { ping: 1, $db: "admin" };
const INVALID_BSON = 22;
const OVERFLOW = 15;

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

function element(type: number, ...value: readonly Uint8Array[]): Uint8Array {
  return concat(Uint8Array.of(type), text("a"), ...value);
}

/** A document of elements that need not be right. */
function documentOf(...elements: readonly Uint8Array[]): Uint8Array {
  const content = concat(...elements, Uint8Array.of(0));
  return concat(int32(content.length + 4), content);
}

/** An insert whose one document stands beside the body. */
function insertOf(document: Uint8Array): Uint8Array {
  const section = concat(text("documents"), document);
  return opMsg(
    0,
    bodySection({ insert: "p", $db: "t" }),
    concat(Uint8Array.of(1), int32(section.length + 4), section),
  );
}

/** A ping's body with another length in its first bytes. */
function pingOfLength(difference: number): Uint8Array {
  const body = serialize(PING);
  return opMsg(0, concat(Uint8Array.of(0), int32(body.length + difference), body.subarray(4)));
}

function wrapped(levels: number, wrap: (inner: Document) => Document, innermost: Document): Document {
  let document = innermost;
  for (let level = 0; level < levels; level++) document = wrap(document);
  return document;
}

function find(filter: Document): Uint8Array {
  return opMsg(0, bodySection({ find: "p", filter, $db: "t" }));
}

const sequence = sequenceSection("documents", [{ a: 1 }]);
const insert = bodySection({ insert: "p", $db: "t" });

const CASES: readonly Case[] = [
  ["an unknown type", insertOf(documentOf(element(0x55, int32(1)))), INVALID_BSON],
  ["a boolean of 2", insertOf(documentOf(element(8, Uint8Array.of(2)))), INVALID_BSON],
  ["a text of length 0", insertOf(documentOf(element(2, int32(0), text("")))), INVALID_BSON],
  ["a text of length -1", insertOf(documentOf(element(2, int32(-1), text("")))), INVALID_BSON],
  ["a text without its end", insertOf(documentOf(element(2, int32(2), text("b").fill(66)))), INVALID_BSON],
  ["a document longer than the one around it", insertOf(documentOf(element(3, int32(100)))), INVALID_BSON],
  ["a document of four bytes", insertOf(documentOf(element(3, int32(4)))), INVALID_BSON],
  ["bytes of negative length", insertOf(documentOf(element(5, int32(-2)))), INVALID_BSON],
  ["code with a scope of three bytes", insertOf(documentOf(element(15, int32(3)))), INVALID_BSON],
  ["a document without its end", insertOf(concat(int32(5), Uint8Array.of(1))), INVALID_BSON],
  ["a document that is cut", insertOf(int32(50)), INVALID_BSON],
  ["a body longer than its message", pingOfLength(5), INVALID_BSON],
  ["a body shorter than its fields", pingOfLength(-5), INVALID_BSON],
  ["two bodies", opMsg(0, bodySection(PING), bodySection(PING)), 40430],
  ["a sequence twice", opMsg(0, insert, sequence, sequence), 40431],
  ["a section of an unknown kind", opMsg(0, bodySection(PING), Uint8Array.of(5, 0, 0, 0)), 40432],
  [
    "a field and a sequence",
    opMsg(0, bodySection({ insert: "p", documents: [], $db: "t" }), sequence),
    40433,
  ],
  ["a document 201 levels deep", insertOf(serialize(wrapped(201, (a) => ({ a }), {}))), OVERFLOW],
  ["a filter of 150 $and", find(wrapped(150, (a) => ({ $and: [a] }), { x: 1 })), OVERFLOW],
  ["a filter of 150 $or", find(wrapped(150, (a) => ({ $or: [a, { y: 1 }] }), { x: 1 })), OVERFLOW],
  [
    "an expression of 150 $add",
    opMsg(
      0,
      bodySection({
        aggregate: "p",
        pipeline: [{ $project: { z: wrapped(150, (a) => ({ $add: [a, 1] }), {}) } }],
        cursor: {},
        $db: "t",
      }),
    ),
    OVERFLOW,
  ],
  ["an unknown flag that must be known", opMsg(4, bodySection(PING)), null],
  ["a message without flags", message(2013, new Uint8Array(0)), null],
  ["a message of 15 bytes", message(2013, new Uint8Array(0), { length: 15 }), null],
  ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), null],
];

Deno.test("broken input gets MongoDB's code or the end of its connection, and nothing else happens", async () => {
  await withServer(async ({ port, client, server, fatalErrors }) => {
    for (const [what, bytes, code] of CASES) {
      const socket = await RawSocket.open(port);
      await socket.send(bytes);
      assert.equal((await socket.reply())?.document["code"] ?? null, code, what);
      if (code !== null) {
        await socket.send(opMsg(0, bodySection(PING)));
        assert.equal((await socket.reply())?.document["ok"], 1, `a ping after ${what}`);
      }
      socket.close();
    }
    await client.must(PING);
    assert.equal(server.state.counters.asserts.internal, 0);
    assert.deepEqual(fatalErrors, []);
  });
});
