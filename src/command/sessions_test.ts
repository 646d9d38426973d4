import assert from "node:assert/strict";
import { CommandError, SESSION_TIMEOUT_MINUTES } from "../base/mod.ts";
import { Binary } from "../bson/mod.ts";
import { SimulatedClock } from "../io/mod.ts";
import { sessionIdText, SessionTable } from "./sessions.ts";

Deno.test("a session ends half an hour after its last use, not after its first", () => {
  const clock = new SimulatedClock();
  const ended: string[] = [];
  const table = new SessionTable(clock, (id) => ended.push(id));
  table.use("a");
  table.use("b");
  clock.advance((SESSION_TIMEOUT_MINUTES - 5) * 60_000);
  table.use("a");
  clock.advance(10 * 60_000);
  assert.deepEqual(ended, ["b"]);
  clock.advance(SESSION_TIMEOUT_MINUTES * 60_000);
  assert.deepEqual(ended, ["b", "a"]);
  assert.equal(table.size, 0);
});

Deno.test("ending a session is said once, and using it again makes a new one", () => {
  const ended: string[] = [];
  const table = new SessionTable(new SimulatedClock(), (id) => ended.push(id));
  const first = table.use("a");
  table.end("a");
  table.end("a");
  assert.deepEqual(ended, ["a"]);
  assert.notEqual(table.use("a"), first);
});

Deno.test("session ids are uuids", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  assert.equal(sessionIdText(new Binary(bytes, 4)), "00010203-0405-0607-0809-0a0b0c0d0e0f");
  for (const bad of [new Binary(bytes, 0), new Binary(bytes.subarray(1), 4)]) {
    assert.throws(() => sessionIdText(bad), (error) => error instanceof CommandError && error.code === 207);
  }
});
