import assert from "node:assert/strict";
import { log10 } from "./log10.ts";

Deno.test("the decimal logarithm has the last bit of the C library's, where JavaScript's has another", () => {
  // What MongoDB 6.0.5 computes with glibc 2.36.
  assert.equal(log10(2.625), 0.41912930774197565);
  assert.equal(log10(1.375), 0.13830269816628143);
  assert.equal(log10(49.25), 1.6924062348336304);
  assert.notEqual(log10(2.625), Math.log10(2.625));
});

Deno.test("powers of ten have whole logarithms; what has none is as in JavaScript", () => {
  for (let power = -300; power <= 300; power++) assert.equal(log10(Number(`1e${power}`)), power);
  assert.equal(log10(0), -Infinity);
  assert.equal(log10(Infinity), Infinity);
  assert.ok(Number.isNaN(log10(-1)) && Number.isNaN(log10(NaN)));
  assert.equal(log10(5e-324), Math.log10(5e-324));
});
