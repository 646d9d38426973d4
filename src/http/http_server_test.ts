import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { SILENT_LOGGER } from "../base/mod.ts";
import { SimulatedClock } from "../io/mod.ts";
import { HttpServer } from "./http_server.ts";

function listen(clock: SimulatedClock, options: { hostname?: string; insecure?: boolean } = {}): HttpServer {
  return HttpServer.listen({
    hostname: options.hostname ?? "127.0.0.1",
    port: 0,
    insecure: options.insecure ?? false,
    version: "1.2.3",
    clock,
    logger: SILENT_LOGGER,
  });
}

/** The status and the body that a page has. */
async function get(server: HttpServer, path: string, hostname = "127.0.0.1", method = "GET") {
  const response = await fetch(`http://${hostname}:${server.address.port}${path}`, { method });
  return { status: response.status, body: await response.text() };
}

Deno.test("/health follows the life of the node", async () => {
  const clock = new SimulatedClock();
  const server = listen(clock);
  try {
    const at = async () => {
      const { status, body } = await get(server, "/health");
      return [status, JSON.parse(body)];
    };
    assert.deepEqual(await at(), [503, { status: "starting", version: "1.2.3", uptimeSeconds: 0 }]);
    server.setStatus("ok");
    clock.advance(12_900);
    assert.deepEqual(await at(), [200, { status: "ok", version: "1.2.3", uptimeSeconds: 12 }]);
    server.setStatus("stopping");
    assert.deepEqual(await at(), [503, { status: "stopping", version: "1.2.3", uptimeSeconds: 12 }]);
  } finally {
    await server.close();
  }
});

Deno.test("other pages and methods are refused", async () => {
  const server = listen(new SimulatedClock());
  try {
    assert.equal((await get(server, "/")).status, 404);
    assert.equal((await get(server, "/healthy")).status, 404);
    assert.equal((await get(server, "/health", "127.0.0.1", "POST")).status, 405);
    assert.equal((await get(server, "/health?verbose")).status, 503);
  } finally {
    await server.close();
  }
});

Deno.test("protected mode: a peer that is not on loopback is told what to do", async () => {
  for (const insecure of [false, true]) {
    const server = listen(new SimulatedClock(), { insecure });
    try {
      const from = (hostname: string) =>
        server.answer(new Request("http://db/health"), { hostname, port: 1 });
      for (const own of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) assert.equal(from(own).status, 503, own);
      for (const other of ["10.0.0.7", "2001:db8::1", "::ffff:10.0.0.7"]) {
        const response = from(other);
        assert.equal(response.status, insecure ? 503 : 403, other);
        if (!insecure) assert.match(await response.text(), /protected mode.*--insecure/);
      }
    } finally {
      await server.close();
    }
  }
});

Deno.test("protected mode holds for the machine's own outer addresses", async () => {
  // A connection to one of them comes from it; a machine with loopback only has none to try.
  const outer = Object.values(networkInterfaces()).flat()
    .filter((address) => address !== undefined && address.family === "IPv4" && !address.internal);
  const server = listen(new SimulatedClock(), { hostname: "0.0.0.0" });
  try {
    for (const address of outer) assert.equal((await get(server, "/health", address?.address)).status, 403);
    assert.equal((await get(server, "/health")).status, 503);
  } finally {
    await server.close();
  }
});
