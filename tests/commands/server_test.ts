/** The server over real sockets: order, cuts, limits, streaming, strangers, and what is left when clients go. */
import assert from "node:assert/strict";
import { deserialize, Long } from "bson";
import type { Connection, Listener, Network, PeerAddress } from "../../src/io/mod.ts";
import { TcpNetwork } from "../../src/io/mod.ts";
import { compressMessage, expandMessage } from "../../src/wire/mod.ts";
import { WireClient } from "../support/wire_client.ts";
import { eventually, startTestServer, withServer } from "./harness.ts";
import { decode, RawSocket } from "./raw_socket.ts";
import {
  bodySection,
  concat,
  message,
  nested,
  opMsg,
  opQuery,
  sequenceSection,
  withChecksum,
} from "./messages.ts";

const PING = { ping: 1, $db: "admin" };
const EXHAUST_ALLOWED = 1 << 16;
const MORE_TO_COME = 2;

async function withSocket(
  test: (socket: RawSocket, context: ReturnType<typeof startTestServer>) => Promise<void>,
): Promise<void> {
  await withServer(async (context) => {
    const socket = await RawSocket.open(context.port);
    try {
      await test(socket, context);
    } finally {
      socket.close();
    }
  });
}

Deno.test("requests that come merged are answered in their order", async () => {
  await withSocket(async (socket) => {
    const requests = Array.from({ length: 300 }, (_, i) => {
      const request = opMsg(0, bodySection(i % 2 === 0 ? PING : { nonsense: 1, $db: "admin" }));
      new DataView(request.buffer).setInt32(4, 1000 + i, true);
      return request;
    });
    const sending = socket.send(concat(...requests));
    for (let i = 0; i < requests.length; i++) {
      const reply = await socket.reply();
      assert.deepEqual([reply?.responseTo, reply?.document["ok"]], [1000 + i, i % 2 === 0 ? 1 : 0]);
    }
    await sending;
  });
});

Deno.test("a request that comes byte by byte is answered", async () => {
  await withSocket(async (socket) => {
    for (const byte of opMsg(0, bodySection(PING))) await socket.send(Uint8Array.of(byte));
    assert.equal((await socket.reply())?.document["ok"], 1);
  });
});

Deno.test("documents beside the body are inserted; moreToCome gets no answer", async () => {
  await withSocket(async (socket, { router }) => {
    const insert = bodySection({ insert: "p", $db: "t" });
    await socket.send(concat(
      opMsg(MORE_TO_COME, insert, sequenceSection("documents", [{ _id: 1 }, { _id: 2 }])),
      opMsg(0, sequenceSection("documents", [{ _id: 3 }]), insert),
    ));
    assert.equal((await socket.reply())?.document["n"], 1);
    assert.equal(router.stats({ db: "t", collection: "p" }).count, 3);
  });
});

Deno.test("what a client sent before it closed is still done", async () => {
  await withSocket(async (socket, { router }) => {
    const insert = (id: number) =>
      opMsg(
        MORE_TO_COME,
        bodySection({ insert: "p", $db: "t" }),
        sequenceSection("documents", [{ _id: id }]),
      );
    await socket.send(concat(insert(1), insert(2), insert(3)));
    await socket.closeWriting();
    await eventually(() => router.stats({ db: "t", collection: "p" }).count === 3, "three inserts");
  });
});

Deno.test("merged requests that come in pieces of any size are all answered in their order", async () => {
  await withSocket(async (socket) => {
    const requests = Array.from({ length: 40 }, (_, i) => {
      const request = opMsg(0, bodySection({ ...PING, comment: "x".repeat(i * 37) }));
      new DataView(request.buffer).setInt32(4, 1000 + i, true);
      return request;
    });
    const stream = concat(...requests);
    for (let at = 0, size = 1; at < stream.length; at += size, size = (size * 7) % 1009) {
      await socket.send(stream.subarray(at, at + size));
    }
    for (let i = 0; i < requests.length; i++) assert.equal((await socket.reply())?.responseTo, 1000 + i);
  });
});

Deno.test("a request with a checksum is answered with one; a wrong one closes the connection", async () => {
  await withSocket(async (socket) => {
    const request = withChecksum(opMsg(0, bodySection(PING)));
    await socket.send(request);
    const answer = await socket.message();
    assert.ok(answer !== null);
    const plain = answer.slice(0, -4);
    new DataView(plain.buffer).setUint32(16, 0, true);
    assert.deepEqual(answer, withChecksum(plain));
    assert.equal(deserialize(plain.subarray(21))["ok"], 1);

    request[request.length - 1]! ^= 1;
    await socket.send(request);
    assert.equal(await socket.reply(), null);
  });
});

Deno.test("a message of 48,000,000 bytes is taken, a longer one closes the connection", async () => {
  await withSocket(async (socket, { router }) => {
    const pad = "x".repeat(15 * 1024 * 1024);
    const documents = [{ _id: 1, pad }, { _id: 2, pad }, { _id: 3, pad }];
    const body = bodySection({ insert: "p", $db: "t" });
    const rest = 48_000_000 -
      opMsg(0, body, sequenceSection("documents", [...documents, { _id: 4, pad: "" }])).length;
    const whole = opMsg(
      0,
      body,
      sequenceSection("documents", [...documents, { _id: 4, pad: "x".repeat(rest) }]),
    );
    assert.equal(whole.length, 48_000_000);
    await socket.send(whole);
    assert.equal((await socket.reply())?.document["n"], 4);
    assert.equal(router.stats({ db: "t", collection: "p" }).count, 4);
    await socket.send(message(2013, new Uint8Array(8), { length: 48_000_001 }));
    assert.equal(await socket.reply(), null);
  });
});

Deno.test("a body or document beyond 16 MB and what the server adds is refused, and the connection goes on", async () => {
  await withSocket(async (socket, { router }) => {
    const pad = "x".repeat(16 * 1024 * 1024 + 16 * 1024);
    await socket.send(opMsg(0, bodySection({ ...PING, pad })));
    const body = await socket.reply();
    assert.equal(body?.document["code"], 10334);
    assert.match(
      body?.document["errmsg"],
      /^BSONObj size: \d+ \(0x[0-9A-F]+\) is invalid\. Size must be between 0 and 16793600\(16MB\) First element: ping/,
    );
    const insert = bodySection({ insert: "p", ordered: false, $db: "t" });
    await socket.send(opMsg(0, insert, sequenceSection("documents", [{ _id: 1 }, { _id: 2, pad }])));
    assert.equal((await socket.reply())?.document["code"], 10334);
    assert.equal(router.collection({ db: "t", collection: "p" }), undefined);
    await socket.send(opMsg(0, insert, sequenceSection("documents", [{ _id: 1 }])));
    assert.equal((await socket.reply())?.document["n"], 1);
  });
});

Deno.test("many connections at once are all served", async () => {
  await withServer(async ({ port, server }) => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => WireClient.connect(port)));
    const document = (index: number) => ({ insert: "p", documents: [{ _id: index }], $db: "t" });
    const replies = await Promise.all(clients.map((client, index) => client.must(document(index))));
    assert.ok(replies.every((reply) => Number(reply["n"]) === 1));
    assert.equal(server.state.connections, 301);
    for (const client of clients) client.close();
    await eventually(() => server.state.connections === 1, "the connections are gone");
  });
});

Deno.test("hello by OP_QUERY comes back as OP_REPLY, and other commands do not work that way", async () => {
  await withSocket(async (socket) => {
    await socket.send(opQuery("admin.$cmd", { isMaster: 1, helloOk: true }));
    const hello = await socket.reply();
    assert.deepEqual([hello?.opcode, hello?.flags, hello?.document["ismaster"], hello?.document["msg"]], [
      1,
      8,
      true,
      "isdbgrid",
    ]);
    assert.deepEqual([hello?.document["maxWireVersion"], hello?.document["helloOk"]], [25, true]);
    await socket.send(opQuery("admin.$cmd", PING));
    assert.equal((await socket.reply())?.document["code"], 352);
    await socket.send(opQuery("t.x", {}));
    const legacy = await socket.reply();
    assert.deepEqual([legacy?.flags, legacy?.document["code"]], [2, 5739101]);
  });
});

Deno.test("compressed requests get compressed answers, hello a plain one", async () => {
  await withSocket(async (socket) => {
    for (const compressor of ["zlib", "zstd"] as const) {
      await socket.send(await compressMessage(opMsg(0, bodySection(PING)), compressor));
      const answer = await socket.message();
      assert.ok(answer !== null);
      const expanded = await expandMessage(answer);
      assert.deepEqual([expanded.compressor, decode(expanded.bytes.slice()).document["ok"]], [compressor, 1]);
    }
    const hello = { hello: 1, compression: ["snappy", "zlib", "zstd"], $db: "admin" };
    await socket.send(await compressMessage(opMsg(0, bodySection(hello)), "zlib"));
    const reply = await socket.reply();
    assert.deepEqual([reply?.opcode, reply?.document["compression"]], [2013, ["zlib", "zstd"]]);
  });
});

Deno.test("broken framing closes the connection after the answers that are due", async () => {
  await withSocket(async (socket) => {
    await socket.send(concat(opMsg(0, bodySection(PING)), message(2013, new Uint8Array(0), { length: 3 })));
    assert.equal((await socket.reply())?.document["ok"], 1);
    assert.equal(await socket.reply(), null);
  });
});

Deno.test("a browser on this port is told what it found there", async () => {
  await withServer(async ({ port }) => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(
      await answer.text(),
      "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n",
    );
  });
});

Deno.test("nesting beyond the limit is an error, not the end", async () => {
  await withSocket(async (socket) => {
    for (const levels of [250, 5000]) {
      await socket.send(
        opMsg(0, bodySection({ find: "x", filter: {}, $db: "t" }), sequenceSection("q", [nested(levels)])),
      );
      assert.equal((await socket.reply())?.document["code"], 15);
    }
    await socket.send(opMsg(0, bodySection(PING)));
    assert.equal((await socket.reply())?.document["ok"], 1);
  });
});

/** A hello that waits for a change of what the first one said. */
async function awaitedHello(socket: RawSocket, maxAwaitTimeMS: number): Promise<Uint8Array> {
  await socket.send(opMsg(0, bodySection({ hello: 1, $db: "admin" })));
  const { processId, counter } = (await socket.reply())!.document["topologyVersion"];
  const topologyVersion = { processId, counter: Long.fromNumber(counter) };
  return opMsg(EXHAUST_ALLOWED, bodySection({ hello: 1, topologyVersion, maxAwaitTimeMS, $db: "admin" }));
}

Deno.test("an exhaust hello streams answers, each to the one before, and sees a change at once", async () => {
  await withSocket(async (socket, { server }) => {
    await socket.send(await awaitedHello(socket, 20));
    const first = (await socket.reply())!;
    const second = (await socket.reply())!;
    assert.deepEqual([first.flags, second.flags], [MORE_TO_COME, MORE_TO_COME]);
    assert.deepEqual([first.responseTo, second.responseTo], [7, first.requestId]);
    const waiting = await RawSocket.open(server.address.port);
    await waiting.send(await awaitedHello(waiting, 60_000));
    await eventually(() => server.state.topology.waiters > 1, "the hello waits");
    server.state.topology.change();
    assert.equal((await waiting.reply())?.document["topologyVersion"]["counter"], 1);
    waiting.close();
  });
});

Deno.test("stopping wakes a waiting hello, lets a running insert finish and closes everything", async () => {
  const { server, router, port } = startTestServer();
  const waiting = await RawSocket.open(port);
  await waiting.send(await awaitedHello(waiting, 60_000));
  const idle = await RawSocket.open(port);
  const writing = await RawSocket.open(port);
  let release = () => {};
  router.gate = () => new Promise((resolve) => release = resolve);
  await writing.send(opMsg(0, bodySection({ insert: "p", documents: [{ _id: 1 }], $db: "t" })));
  await eventually(() => server.state.operations.size === 2, "both run");
  const stopped = server.stop();
  assert.equal((await waiting.reply())?.document["code"], 11600);
  assert.equal(await idle.reply(), null);
  release();
  assert.equal((await writing.reply())?.document["n"], 1);
  await stopped;
  assert.deepEqual([server.state.connections, server.state.cursors.size, server.state.operations.size], [
    0,
    0,
    0,
  ]);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  for (const socket of [waiting, idle, writing]) socket.close();
});

Deno.test("stopping ends reads that do not end by themselves", async () => {
  const { server, router, port } = startTestServer();
  const client = await WireClient.connect(port);
  await client.must({
    insert: "p",
    documents: Array.from({ length: 5000 }, (_, i) => ({ _id: i })),
    $db: "t",
  });
  router.scanBatchRows = 1;
  router.gate = () => new Promise((resolve) => setTimeout(resolve, 5));
  const reply = client.command({
    aggregate: "p",
    pipeline: [{ $group: { _id: null } }],
    cursor: {},
    $db: "t",
  });
  reply.catch(() => {});
  await eventually(() => router.openScans === 1, "the scan runs");
  await server.stop(20);
  assert.deepEqual([router.openScans, server.state.connections], [0, 0]);
  client.close();
});

Deno.test("stopping does not wait for ever for a write that hangs", async () => {
  const { server, router, port } = startTestServer();
  let release = () => {};
  router.gate = () => new Promise((resolve) => release = resolve);
  const socket = await RawSocket.open(port);
  await socket.send(opMsg(0, bodySection({ insert: "p", documents: [{ _id: 1 }], $db: "t" })));
  await eventually(() => server.state.operations.size === 1, "the insert runs");
  // The clock's timers let a process end; here something else has to keep it alive.
  const keepAlive = setTimeout(() => {}, 10_000);
  await server.stop(20);
  clearTimeout(keepAlive);
  assert.equal(await socket.reply(), null);
  release();
  await eventually(() => server.state.connections === 0, "the insert ends");
  socket.close();
});

Deno.test("clients that go leave nothing behind", async () => {
  await withServer(async ({ port, server, router, client }) => {
    await client.must({
      insert: "p",
      documents: Array.from({ length: 500 }, (_, i) => ({ _id: i })),
      $db: "t",
    });
    router.scanBatchRows = 1;
    for (let round = 0; round < 5; round++) {
      const sockets = await Promise.all(Array.from({ length: 40 }, () => RawSocket.open(port)));
      router.gate = () => new Promise((resolve) => setTimeout(resolve, 1));
      await Promise.all(sockets.map((socket, i) => socket.send(leftovers(i))));
      for (const socket of sockets) socket.close();
      await eventually(() => server.state.connections === 1, "all connections are gone");
    }
    await eventually(
      () => router.openScans === 0 && server.state.operations.size === 0,
      "all work has ended",
    );
    assert.equal(server.state.cursors.size, 0);
    await client.must(PING);
  });
});

/** What a client may leave unfinished: a running scan, half a message, nothing, a hello. */
function leftovers(i: number): Uint8Array {
  switch (i % 4) {
    case 0:
      return opMsg(
        0,
        bodySection({ aggregate: "p", pipeline: [{ $group: { _id: null } }], cursor: {}, $db: "t" }),
      );
    case 1:
      return opMsg(0, bodySection(PING)).subarray(0, 20);
    case 2:
      return new Uint8Array();
    default:
      return opMsg(0, bodySection({ hello: 1, $db: "admin" }));
  }
}

/** Loopback sockets whose peers claim another address. */
class StrangersNetwork implements Network {
  constructor(private readonly claimed: string) {}

  listen(hostname: string, port: number): Listener {
    const listener = new TcpNetwork().listen(hostname, port);
    const { claimed } = this;
    return {
      get address(): PeerAddress {
        return listener.address;
      },
      accept: async () => {
        const connection = await listener.accept();
        return connection && stranger(connection, claimed);
      },
      close: () => listener.close(),
    };
  }
}

function stranger(connection: Connection, hostname: string): Connection {
  return {
    remote: { hostname, port: connection.remote.port },
    local: connection.local,
    read: (target) => connection.read(target),
    write: (bytes) => connection.write(bytes),
    close: () => connection.close(),
  };
}

Deno.test("strangers are told how to get in, unless everyone may", async () => {
  for (const address of ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "1270.0.0.1", "localhost.example"]) {
    await withServer(async ({ client }) => {
      assert.equal(Number((await client.must({ hello: 1 }))["ok"]), 1);
      for (const command of [PING, { find: "x", $db: "t" }, { insert: "x", documents: [{}], $db: "t" }]) {
        const reply = await client.command(command);
        assert.equal(reply["code"].valueOf(), 13, address);
        assert.match(reply["errmsg"], /no access control.*--insecure/);
      }
    }, { network: new StrangersNetwork(address) });
  }
  for (
    const [address, insecure] of [["192.0.2.7", true], ["127.9.8.7", false], ["::1", false], [
      "::ffff:127.0.0.1",
      false,
    ]] as const
  ) {
    await withServer(async ({ client }) => {
      await client.must(PING);
    }, { network: new StrangersNetwork(address), insecure });
  }
});

Deno.test("a client that sends faster than it is served is held back", async () => {
  await withServer(async ({ port, router, server }) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => release = resolve);
    router.gate = () => held;
    const socket = await RawSocket.open(port);
    const pad = "x".repeat(1024 * 1024);
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < 120; i++) {
        await socket.send(opMsg(0, bodySection({ insert: "p", documents: [{ _id: i, pad }], $db: "t" })));
        sent++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(sent < 60, `${sent} of 120 MiB were taken while nothing was answered`);
    assert.ok(server.state.counters.network.physicalBytesIn < 40 * 1024 * 1024);
    release();
    for (let i = 0; i < 120; i++) assert.equal((await socket.reply())?.document["n"], 1);
    await sending;
    socket.close();
  });
});
