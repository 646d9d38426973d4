import assert from "node:assert/strict";
import { SimulatedClock } from "../io/mod.ts";
import { Lifetimes } from "./lifetimes.ts";

Deno.test("each ends when its time is over, unless it was cancelled", () => {
  const clock = new SimulatedClock();
  const lifetimes = new Lifetimes(clock);
  const ended: string[] = [];
  const begin = (name: string, ms: number) =>
    lifetimes.begin(ms, () => ended.push(`${name} ${clock.monotonicMs()}`));
  begin("a", 100);
  const cancel = begin("b", 100);
  begin("c", 50);
  begin("d", 150);
  cancel();
  clock.advance(60);
  begin("e", 10);
  clock.advance(15);
  assert.deepEqual(ended, ["c 50", "e 70"]);
  clock.advance(1000);
  assert.deepEqual(ended, ["c 50", "e 70", "a 100", "d 150"]);
  begin("f", 10);
  clock.advance(10);
  assert.equal(ended.at(-1), "f 1085");
  begin("g", 10);
  lifetimes.close();
  clock.advance(10);
  assert.equal(ended.at(-1), "f 1085");
});
