import assert from "node:assert/strict";
import { isLoopback } from "./loopback.ts";

Deno.test("loopback is told from all other peers", () => {
  for (
    const own of [
      "127.0.0.1",
      "127.3.2.1",
      "::1",
      "[::1]",
      "::ffff:127.0.0.1",
      "::FFFF:127.0.0.1",
      "::ffff:7f00:1",
    ]
  ) {
    assert.equal(isLoopback(own), true, own);
  }
  for (
    const other of [
      "10.0.0.1",
      "::",
      "0.0.0.0",
      "::ffff:10.0.0.1",
      "128.0.0.1",
      "1127.0.0.1",
      "::ffff:a00:1",
      "2001:db8::1",
      "127.0.0.1.example.org",
      "",
    ]
  ) {
    assert.equal(isLoopback(other), false, other);
  }
});
