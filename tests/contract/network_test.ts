/** What both twins of the network promise: sockets of this machine, and connections in memory. */
import assert from "node:assert/strict";
import { type Connection, type Listener, MemoryNetwork, TcpNetwork } from "../../src/io/mod.ts";

/** The client's end of a connection. */
interface Peer {
  send(bytes: Uint8Array): Promise<unknown>;
  receive(target: Uint8Array): Promise<number | null>;
  close(): void;
}

interface Twin {
  readonly name: string;
  readonly listener: Listener;
  connect(): Promise<Peer>;
}

function twins(): Twin[] {
  const tcp = new TcpNetwork().listen("127.0.0.1", 0);
  const network = new MemoryNetwork();
  const listener = network.listen("127.0.0.1", 27017);
  return [
    {
      name: "tcp",
      listener: tcp,
      connect: async () => {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port: tcp.address.port });
        return {
          send: (bytes) => connection.write(bytes),
          receive: (target) => connection.read(target),
          close: () => connection.close(),
        };
      },
    },
    {
      name: "memory",
      listener,
      connect: () => {
        const connection = network.connect(27017);
        return Promise.resolve({
          send: (bytes) => connection.write(bytes),
          receive: (target) => connection.read(target),
          close: () => connection.close(),
        });
      },
    },
  ];
}

async function connected({ listener, connect }: Twin): Promise<{ peer: Peer; connection: Connection }> {
  const accepting = listener.accept();
  const peer = await connect();
  const connection = await accepting;
  assert.ok(connection !== undefined);
  return { peer, connection };
}

for (const twin of twins()) {
  Deno.test(`${twin.name}: bytes arrive in order, in pieces of what fits, until the end`, async () => {
    const { peer, connection } = await connected(twin);
    assert.equal(connection.remote.hostname, "127.0.0.1");
    assert.equal(connection.local.port, twin.listener.address.port);
    await peer.send(Uint8Array.of(1, 2, 3));
    await peer.send(Uint8Array.of(4, 5));
    const received: number[] = [];
    const target = new Uint8Array(2);
    while (received.length < 5) {
      received.push(...target.subarray(0, await connection.read(target) ?? 0));
    }
    assert.deepEqual(received, [1, 2, 3, 4, 5]);

    const sent = Uint8Array.of(7);
    await connection.write(sent);
    sent[0] = 8;
    const answer = new Uint8Array(4);
    assert.deepEqual([await peer.receive(answer), answer[0]], [1, 7]);

    const reading = connection.read(target);
    peer.close();
    assert.equal(await reading, null);
    connection.close();
    connection.close();
  });

  Deno.test(`${twin.name}: a closed listener accepts nobody`, async () => {
    const accepting = twin.listener.accept();
    twin.listener.close();
    assert.equal(await accepting, undefined);
  });
}
