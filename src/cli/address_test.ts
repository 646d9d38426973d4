import assert from "node:assert/strict";
import { addressText, hostnamesOf, isOpenToOthers, localAddress, parseListenAddress } from "./address.ts";
import { nearestName } from "./options.ts";

Deno.test("addresses are read and written alike", () => {
  const cases: [text: string, hostname: string, port: number][] = [
    [":27017", "", 27017],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["localhost:1", "localhost", 1],
    ["[::1]:65535", "::1", 65535],
    ["db.example.org:8080", "db.example.org", 8080],
  ];
  for (const [text, hostname, port] of cases) {
    const address = parseListenAddress(text);
    assert.deepEqual(address, { hostname, port });
    assert.equal(addressText(address), text);
  }
  for (
    const wrong of [
      "",
      "27017",
      "a:",
      "a:b",
      ":123456",
      "[::1]",
      "::1:27017",
      "a b:1",
      "mongodb://a:1",
      ":-1",
    ]
  ) {
    assert.throws(() => parseListenAddress(wrong), /expected host:port/, wrong);
  }
});

Deno.test("all interfaces are IPv6's wildcard, then IPv4's", () => {
  assert.deepEqual(hostnamesOf({ hostname: "", port: 1 }), ["::", "0.0.0.0"]);
  assert.deepEqual(hostnamesOf({ hostname: "10.0.0.1", port: 1 }), ["10.0.0.1"]);
});

Deno.test("only loopback is closed to others", () => {
  for (const hostname of ["localhost", "127.0.0.1", "127.9.9.9", "::1"]) {
    assert.equal(isOpenToOthers({ hostname, port: 1 }), false, hostname);
  }
  for (const hostname of ["", "::", "0.0.0.0", "10.0.0.1", "db.example.org"]) {
    assert.equal(isOpenToOthers({ hostname, port: 1 }), true, hostname);
  }
  assert.deepEqual(localAddress({ hostname: "::", port: 7 }), { hostname: "127.0.0.1", port: 7 });
  assert.deepEqual(localAddress({ hostname: "10.0.0.1", port: 7 }), { hostname: "10.0.0.1", port: 7 });
});

Deno.test("the nearest name is near", () => {
  const known = ["data-dir", "mongo-addr", "http-addr"];
  assert.equal(nearestName("datadir", known), "data-dir");
  assert.equal(nearestName("http_addr", known), "http-addr");
  assert.equal(nearestName("mongo-address", known), "mongo-addr");
  assert.equal(nearestName("port", known), undefined);
});
