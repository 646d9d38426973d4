import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { BLOCK_COMPRESSORS } from "../../base/mod.ts";
import { decode, encode, encodePacked, setBlockCompressor } from "./compression.ts";

function samples(): Uint8Array[] {
  const random = seededRandom(5);
  const text = new TextEncoder();
  return [
    new Uint8Array(0),
    new Uint8Array(47).fill(7),
    new Uint8Array(100_000),
    text.encode("host-1,eu-west-1;host-2,eu-west-1;".repeat(3)),
    text.encode(Array.from({ length: 5000 }, () => `sensor ${Math.floor(random() * 300)} is well;`).join("")),
    Uint8Array.from({ length: 70_000 }, () => random() * 256),
    Uint8Array.from({ length: 200_000 }, (_, i) => i % 251),
  ];
}

Deno.test("what each compressor wrote is read again, whichever is set", () => {
  try {
    for (const compressor of BLOCK_COMPRESSORS) {
      for (const bytes of samples()) {
        setBlockCompressor(compressor);
        const out = new ByteWriter();
        encode(bytes, out);
        assert.ok(out.length <= bytes.length + 6, `${compressor}, ${bytes.length} bytes: ${out.length}`);
        if (compressor !== "none" && bytes.length === 200_000) assert.ok(out.length < 10_000, compressor);
        setBlockCompressor("none");
        assert.deepEqual(
          new Uint8Array(decode(new ByteReader(out.written()))),
          bytes,
          `${compressor}, ${bytes.length} bytes`,
        );
      }
    }
  } finally {
    setBlockCompressor("zstd");
  }
});

Deno.test("packed bytes go through LZ4 where they are few and anything is compressed", () => {
  const methods = (compressor: typeof BLOCK_COMPRESSORS[number]) => {
    setBlockCompressor(compressor);
    return [100, 5000, 50_000].map((length) => {
      const bytes = new Uint8Array(length).fill(7);
      const out = new ByteWriter();
      encodePacked(bytes, out);
      assert.deepEqual(new Uint8Array(decode(new ByteReader(out.written()))), bytes);
      return out.written()[0];
    });
  };
  try {
    assert.deepEqual(methods("none"), [0, 0, 0]);
    assert.deepEqual(methods("lz4"), [0, 2, 2]);
    assert.deepEqual(methods("zstd"), [0, 2, 1]);
  } finally {
    setBlockCompressor("zstd");
  }
});

Deno.test("a block of LZ4 that holds other than it promises is refused", () => {
  // A method, a length of 100, a block of one byte.
  assert.throws(() => decode(new ByteReader(Uint8Array.of(2, 100, 1, 0))));
});
