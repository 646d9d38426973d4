/** Bytes as earlier encoders wrote them: the codecs may choose otherwise today, but what is stored stays readable. */
import assert from "node:assert/strict";
import { ByteReader } from "../byte_buffer.ts";
import * as double from "./double.ts";
import * as integer from "./integer.ts";

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function series(count: number, at: (i: number) => number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => at(i));
}

const DOUBLES: [what: string, stored: string, values: Float64Array][] = [
  ["decimals", "AAIC1wT6AQADBQEB+QH0A/kBAQUAAAAAAAD4fw==", series(12, (i) => i === 5 ? NaN : i * 1.25 - 3)],
  [
    "byte planes",
    "AQABwAI0KLUv/QBYXQEAsAAAzaoAO0x/WGbonnqgtvD2+z8/P0AIAABJgGcADw4eHDw4eHDwYHiKFg==",
    series(40, (i) => Math.sqrt(i % 5)),
  ],
  [
    "byte planes of XOR",
    "AQEBwAKlAii1L/0AWOUIAOQQzQAXFw0aiZ6Kh/rgTcRD3UfNRMO9R8EhYi/iJmEi/yJmIeIvYibhIjsAV1cxZjhvGCn4ngw0HHMUDDQd9AyA" +
    "HgoGOg4aBgl6DhoGCj4KBxp/AKCgYMBw0DBQ8TGY6LhomKj4qJloRXTMVDzUTPRcNMxU/FTMNFz0ZgCqqmbMVf9VM8wAfyoZ5ioVFQxzFT8V" +
    "DPNzngDo6Fiw/BQsdB+v9goeCjYaDnoJFqgHDfsFDwUbDQc9CwUfBQt9B6AAWFjosDRs1DxU5Jqu+paqfqqW+q5fu1XPddtNt91L9V+1y133" +
    "Tdv28BYGCjwDBQ8FAx8CAQYDDgEDBgECfwABAwEABwEAAwEPAAEDAAEHP38ABAA73AcIBkImcBU0",
    series(40, (i) => Math.sqrt(2) * (i + 1)),
  ],
];

const INTEGERS: [what: string, stored: string, values: Float64Array][] = [
  ["frame of reference, bits", "AAAEcJK0FjhaAA==", series(12, (i) => (i * 7) % 12)],
  ["delta of delta, bits", "AgACAwBJkiQJAA==", series(12, (i) => i * i)],
  [
    "delta of delta, wider bits",
    "AoCgq/75YtAPEQAAAACAuwDuAsoIcBeYOqCMIEgB7oKXBqYOAA==",
    series(12, (i) => i * i * i * 1000 + 1.7e12),
  ],
  ["halves", "AwAABAAFAAKAgIAC////AwACAgGAgIAG//9/", Float64Array.of(2 ** 53, -(2 ** 53), 5, 2 ** 52)],
  [
    "frame of reference, rANS",
    "EAChCgAOAPwDBoAE6AFG8yUCADzPAQBFGp3ObhIyUxi3lPLWpoNen9YGZmKeIdcghgTeFtausvUuQ/cOmOqmuTgSktkeCiY9VRHylh6srhIpNre/mueSJU" +
    "ggt/KkgJI4BHh+3y4Xttekntp37usuJAlZzkadK8XN5X3KLkxNbvSmQ+AvIvSHacSqYi9EKFUZpPXpvpGEbMXBbxgrOY4Rs2XZyQWqVC1VCwA=",
    series(600, (i) => Math.min(5, Math.clz32(Math.imul(i + 1, 0x9e3779b1)))),
  ],
  [
    "delta, rANS in three blocks",
    "EQD6L/pfpxJAAQyAATAAIgbmAwwYUDeIBgO+ASkMAQCPkwAAzRgJAtT7bzk+02S4/xSFL7M8S5IXdf955oLhRw2LtBzy4/wUfWurHL+GFPHFHP2y" +
    "UEmyOarviGioL5q8wGYNRVGfyjz9hjGhDyNnDIKl3MFCZ1S5BeHkjTaA/LYlQchZ+DY0PTtiosOxlhPVi68x1JvmNikM3yA4SDeY3OJGJv09ckrf" +
    "EEoqLcTLVKCWP2H4RyC9Vm68PMJxC5dcWoLTe7/hqjviQ/2okeOn/ORS5mdmV6McINHOOeii/kfRSagXe8jAhhFbwdy0JnTJlTfeHITJlDllq62I" +
    "+EkiRy8UmdZw+cp8V2MZ5cVpDotZyaqxK1cGuLjGDHUwKOkmSgE28vNWAVV/Sx+7UCjNZl5nCPQMCm7lS6jFdrK4P0LkthBBpNgLEhTLsvhYgsl3" +
    "Bkt5mP8gGcqfXE6y6Wv0jHlHm/zHlgaF/ZL4Qz9rqjyQZgWtqSvQnLjWbiFSE848OSnkFQ6LacgKF9cci8YiAZ9tn9MtweslxLckULCmUrG9AWWi" +
    "AACvr7xYHYBHpec1oqYXMT0iPd+0tgYFIcIiC6HWc4GaBxHQFwpNUUSwkhYcQlwDksYSJXw4QAKSz9a4WZK/8yl7qHjgQ/mkOo/DB/8UoTezPGCS" +
    "FXW/4eOS7UN5R7L8x5Yw0ZuD7UOe9ZtX3jzuUlP9jG2HV4QdjtWek5nWJ+loR2MIhUmqBT8skwZBmaBdfXs4gHmtup2qtkllX2slqI6GGPkB8qLD" +
    "nxZ50YVbJJwOCnedVyi+RgNCqQ+QxoO1KTI1i2arxvhQktz7SbeAvOYoJIpMotjTHENouFKyyZeSJhFpx3zxQgY9pJx8Y1F9pkvMHEBVqgU/f90c" +
    "p9ZZGQqHo8hM/eyNVWNeZfZFYCsOvdkVv9MMYKy2h+UDoq23N4X/FRjbJDkVCrA3mpZN9XhcG4LptiZhNAKsww9KKuXEW0DRbTeyf+mgjZbJOCdi" +
    "kZuDvGjH0GvQaRbC/Eco0U9T3t+bBoB70p9PIHG9mdHzMvDzAZOb/KQWOgmM58kcCJ3m1BsUGVAcjNUoP0AAwxYINYZo8VaDFQA=",
    series(2100, (i) => 3 * i + Math.min(5, Math.clz32(Math.imul(i + 1, 0x9e3779b1)))),
  ],
];

for (const [what, stored, values] of DOUBLES) {
  Deno.test(`stored doubles are read: ${what}`, () => {
    const reader = new ByteReader(bytesOf(stored));
    const target = new Float64Array(values.length);
    double.decode(reader, values.length, new Int32Array(target.buffer));
    assert.deepEqual(new BigUint64Array(target.buffer), new BigUint64Array(values.buffer));
    assert.equal(reader.remaining, 0);
  });
}

for (const [what, stored, values] of INTEGERS) {
  Deno.test(`stored integers are read: ${what}`, () => {
    const reader = new ByteReader(bytesOf(stored));
    const target = new Float64Array(values.length);
    integer.decode(reader, values.length, target);
    assert.deepEqual(target, values);
    assert.equal(reader.remaining, 0);
  });
}
