import assert from "node:assert/strict";
import { SimulatedClock } from "../io/mod.ts";
import { ClusterClock, secondsOf, timeOf, wallMsOf } from "./cluster_clock.ts";

Deno.test("each entry has a later time than the one before, whatever the wall clock does", () => {
  const clock = new SimulatedClock(1_700_000_000_000);
  const times = new ClusterClock(clock);
  const first = times.tick();
  assert.equal(secondsOf(first), 1_700_000_000);
  assert.equal(times.tick(), first + 1n);
  clock.advance(1000);
  assert.equal(times.tick(), timeOf(1_700_000_001, 1));
  clock.advance(250);
  const later = times.tick();
  assert.deepEqual([secondsOf(later), wallMsOf(later)], [1_700_000_001, 1_700_000_001_250]);
  assert.equal(times.tick(), later + 1n);
});

Deno.test("a time from elsewhere, ahead of the wall clock, is passed over", () => {
  const times = new ClusterClock(new SimulatedClock(1_700_000_000_000));
  const ahead = timeOf(1_700_000_100, 7);
  times.advance(ahead);
  assert.equal(times.latest, ahead);
  assert.ok(times.operationTime < ahead, "nothing of that time was applied");
  assert.equal(times.tick(), ahead + 1n);
  times.noteApplied(ahead + 1n);
  assert.equal(times.operationTime, ahead + 1n);
  times.advance(timeOf(1_600_000_000, 1));
  assert.equal(times.latest, ahead + 1n);
});
