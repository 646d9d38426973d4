import assert from "node:assert/strict";
import { CommandError, crc32c } from "../base/mod.ts";
import { BsonWriter, BuiltDocument, encodeDocument, Int32 } from "../bson/mod.ts";
import { ProtocolViolation } from "./message.ts";
import { parseMessage } from "./parse.ts";

const PING = encodeDocument(BuiltDocument.of({ ping: Int32.of(1), $db: "admin" }));
const ROW = encodeDocument(BuiltDocument.of({ a: 1 }));
const BODY = bytes(0, PING);

function bytes(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  const writer = new BsonWriter();
  for (const part of parts) {
    if (typeof part === "number") writer.byte(part);
    else if (typeof part === "string") writer.cString(part);
    else writer.bytes(part);
  }
  return writer.take().slice();
}

function int32(value: number): Uint8Array {
  const writer = new BsonWriter();
  writer.int32(value);
  return writer.take();
}

function message(opcode: number, ...body: readonly (number | string | Uint8Array)[]): Uint8Array {
  const content = bytes(...body);
  return bytes(int32(16 + content.length), int32(9), int32(0), int32(opcode), content);
}

function sequence(name: string, size: number | undefined, ...documents: readonly Uint8Array[]): Uint8Array {
  const content = bytes(name, ...documents);
  return bytes(1, int32(size ?? content.length + 4), content);
}

function checksummed(good: boolean): Uint8Array {
  const whole = message(2013, int32(1), BODY, int32(0));
  new DataView(whole.buffer).setUint32(
    whole.length - 4,
    crc32c(whole, 0, whole.length - 4) + (good ? 0 : 1),
    true,
  );
  return whole;
}

Deno.test("an OP_MSG is its body, its sequences and its flags", () => {
  const parsed = parseMessage(
    message(2013, int32(0x10002), sequence("documents", undefined, ROW, ROW), BODY),
  );
  assert.ok(parsed.kind === "command");
  assert.equal(parsed.requestId, 9);
  assert.equal(parsed.body.get("$db"), "admin");
  assert.deepEqual(parsed.sequences.map(({ name, documents }) => [name, documents.length]), [[
    "documents",
    2,
  ]]);
  assert.equal(parsed.sequences[0]!.documents[1]!.get("a"), 1);
  assert.deepEqual([parsed.moreToCome, parsed.exhaustAllowed, parsed.checksum], [true, true, false]);
});

Deno.test("a checksum is verified and remembered", () => {
  const parsed = parseMessage(checksummed(true));
  assert.ok(parsed.kind === "command" && parsed.checksum);
  assert.throws(() => parseMessage(checksummed(false)), ProtocolViolation);
});

Deno.test("bad sections get MongoDB's codes", () => {
  const cases: readonly [string, number, Uint8Array][] = [
    ["no section", 40587, message(2013, int32(0))],
    ["no body", 40587, message(2013, int32(0), sequence("documents", undefined, ROW))],
    ["two bodies", 40430, message(2013, int32(0), BODY, BODY)],
    ["unknown kind", 40432, message(2013, int32(0), BODY, 3)],
    [
      "twice the same sequence",
      40431,
      message(2013, int32(0), BODY, sequence("d", undefined), sequence("d", undefined)),
    ],
    ["sequence and field", 40433, message(2013, int32(0), BODY, sequence("ping", undefined))],
    ["sequence too long", 15, message(2013, int32(0), BODY, sequence("d", 400, ROW))],
    ["sequence too short", 15, message(2013, int32(0), BODY, sequence("d", 3, ROW))],
    ["sequence without a name's end", 15, message(2013, int32(0), BODY, 1, int32(5), 65)],
    ["document beyond its sequence", 22, message(2013, int32(0), BODY, sequence("d", 10, ROW))],
    ["invalid BSON", 22, message(2013, int32(0), 0, PING.slice(0, 10))],
  ];
  for (const [what, code, bytes] of cases) {
    const parsed = parseMessage(bytes);
    assert.ok(parsed.kind === "rejected" && parsed.error instanceof CommandError, what);
    assert.equal(parsed.error.code, code, what);
    assert.equal(parsed.protocol, "msg", what);
  }
});

Deno.test("what MongoDB answers by closing throws", () => {
  const cases: Record<string, Uint8Array> = {
    "unknown required flag": message(2013, int32(16), BODY),
    "no flags": message(2013),
    "checksum flag without room": message(2013, int32(1)),
    "OP_INSERT": message(2002, int32(0), "a.b", ROW),
    "OP_REPLY": message(1, int32(0), int32(0)),
    "unknown opcode": message(1234),
    "OP_QUERY without a name's end": message(2004, int32(0), 65),
    "OP_QUERY cut before its document": message(2004, int32(0), "a.$cmd", int32(0)),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    assert.throws(() => parseMessage(bytes), ProtocolViolation, what);
  }
});

Deno.test("OP_QUERY carries commands, wrapped ones too, and nothing else", () => {
  const command = (numberToReturn: number, document: Uint8Array, namespace = "admin.$cmd", flags = 0) =>
    parseMessage(message(2004, int32(flags), namespace, int32(0), int32(numberToReturn), document));
  const hello = encodeDocument(BuiltDocument.of({ isMaster: Int32.of(1) }));
  const wrapped = encodeDocument(BuiltDocument.of({ $query: BuiltDocument.of({ isMaster: Int32.of(1) }) }));
  for (const document of [hello, wrapped]) {
    const parsed = command(-1, document);
    assert.ok(parsed.kind === "command");
    assert.deepEqual([parsed.db, parsed.protocol, parsed.body.names()], ["admin", "query", ["isMaster"]]);
  }
  const refused: readonly [number, string, ReturnType<typeof command>][] = [
    [16979, "query", command(5, hello)],
    [18527, "query", command(-1, hello, "admin.$cmd", 64)],
    [22, "query", command(-1, hello.slice(0, 8))],
    [5739101, "legacy", command(-1, hello, "a.b")],
    [5739101, "legacy", parseMessage(message(2005, int32(0), "a.b", int32(0)))],
  ];
  for (const [code, protocol, parsed] of refused) {
    assert.ok(parsed.kind === "rejected" && parsed.error instanceof CommandError);
    assert.deepEqual([parsed.error.code, parsed.protocol], [code, protocol]);
  }
});
