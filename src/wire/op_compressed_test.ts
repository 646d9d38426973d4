import assert from "node:assert/strict";
import { MAX_MESSAGE_BYTES } from "../base/mod.ts";
import { ProtocolViolation } from "./message.ts";
import { compressMessage, COMPRESSORS, expandMessage } from "./op_compressed.ts";

function plain(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 16; i < length; i++) bytes[i] = i % 7;
  const view = new DataView(bytes.buffer);
  view.setInt32(0, length, true);
  view.setInt32(4, 5, true);
  view.setInt32(8, 6, true);
  view.setInt32(12, 2013, true);
  return bytes;
}

/** A compressed message with one of its fields overwritten. */
async function damaged(change: (view: DataView) => void): Promise<Uint8Array> {
  const bytes = (await compressMessage(plain(500), "zlib")).slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

Deno.test("what was compressed comes back, header included", async () => {
  for (const compressor of COMPRESSORS) {
    for (const length of [16, 17, 500, 200_000]) {
      const compressed = await compressMessage(plain(length), compressor);
      assert.deepEqual(
        await expandMessage(compressed),
        { bytes: plain(length), compressor },
        `${compressor} ${length}`,
      );
    }
  }
});

Deno.test("damaged, dishonest and unknown content closes the connection", async () => {
  const bad: Record<string, Promise<Uint8Array>> = {
    "too short for its head": Promise.resolve(plain(16).subarray(0, 20)),
    "content longer than it says": damaged((view) => view.setInt32(20, 5, true)),
    "content shorter than it says": damaged((view) => view.setInt32(20, 600, true)),
    "a negative size": damaged((view) => view.setInt32(20, -1, true)),
    "more than any message": damaged((view) => view.setInt32(20, MAX_MESSAGE_BYTES, true)),
    "a compressor not offered": damaged((view) => view.setUint8(24, 1)),
    "the no-op compressor": damaged((view) => view.setUint8(24, 0)),
    "compressed twice": damaged((view) => view.setInt32(16, 2012, true)),
    "garbage": damaged((view) => view.setUint32(25, 0xdeadbeef)),
  };
  for (const [what, message] of Object.entries(bad)) {
    await assert.rejects(expandMessage(await message), ProtocolViolation, what);
  }
});
