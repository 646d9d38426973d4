/**
 * A server is killed (SIGKILL) while clients commit transactions: each is there as a whole or not at all, all that were
 * acknowledged are there, and a commit that comes again is answered where it was done.
 *
 * A transaction moves money between accounts of one collection, and writes what it did into another one.
 */
import assert from "node:assert/strict";
import { Binary, Long } from "bson";
import { seededRandom } from "../../src/base/mod.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const DB = "bank";
const ACCOUNTS = 40;
const START = 1000;
const KILLS = 4;
const TRANSFERS_BEFORE_KILL = 13;

/** A client with a session of its own. */
class Teller {
  private txnNumber = 0;
  /** The receipts of acknowledged transfers. */
  readonly acknowledged = new Set<string>();
  /** The transfer that was not answered. */
  unsure: { readonly receipt: string; readonly txnNumber: number } | undefined;

  constructor(private readonly number: number, private readonly random: () => number) {}

  /** Transfers until the connection breaks. */
  async work(port: number): Promise<void> {
    let client: WireClient;
    try {
      client = await WireClient.connect(port);
    } catch {
      return;
    }
    try {
      for (;;) await this.transfer(client);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    } finally {
      client.close();
    }
  }

  private async transfer(client: WireClient): Promise<void> {
    this.txnNumber++;
    const receipt = `${this.number}-${this.txnNumber}`;
    const from = Math.floor(this.random() * ACCOUNTS);
    const to = (from + 1 + Math.floor(this.random() * (ACCOUNTS - 1))) % ACCOUNTS;
    const amount = 1 + Math.floor(this.random() * 50);
    const move = (id: number, by: number) => ({ q: { _id: id }, u: { $inc: { money: by } } });
    const statements: readonly Document[] = [
      { update: "accounts", updates: [move(from, -amount), move(to, amount)], $db: DB },
      { insert: "receipts", documents: [{ _id: receipt, from, to, amount }], $db: DB },
    ];
    for (const [place, statement] of statements.entries()) {
      const reply = await client.command(this.inTransaction(statement, place === 0));
      if (Number(reply["ok"]) === 1) continue;
      assert.equal(reply["codeName"], "WriteConflict");
      return;
    }
    this.unsure = { receipt, txnNumber: this.txnNumber };
    const reply = await client.command(this.inTransaction({ commitTransaction: 1, $db: "admin" }, false));
    assert.equal(Number(reply["ok"]), 1, JSON.stringify(reply));
    this.unsure = undefined;
    this.acknowledged.add(receipt);
  }

  private inTransaction(command: Document, isFirst: boolean, txnNumber = this.txnNumber): Document {
    const lsid = { id: new Binary(new Uint8Array(16).fill(this.number), 4) };
    const start = isFirst ? { startTransaction: true } : {};
    return { ...command, lsid, txnNumber: Long.fromNumber(txnNumber), autocommit: false, ...start };
  }

  /** Sends the commit that was not answered again; its answer says whether the transfer is there. */
  async settle(client: WireClient, receipts: ReadonlySet<string>): Promise<void> {
    if (this.unsure === undefined) return;
    const { receipt, txnNumber } = this.unsure;
    const commit = this.inTransaction({ commitTransaction: 1, $db: "admin" }, false, txnNumber);
    const reply = await client.command(commit);
    assert.equal(Number(reply["ok"]) === 1, receipts.has(receipt), JSON.stringify(reply));
    if (Number(reply["ok"]) === 1) this.acknowledged.add(receipt);
    else {assert.deepEqual([reply["codeName"], reply["errorLabels"]], ["NoSuchTransaction", [
        "TransientTransactionError",
      ]]);}
    this.unsure = undefined;
  }
}

async function check(server: ServerProcess, tellers: readonly Teller[]): Promise<void> {
  const client = await WireClient.connect(server.port);
  const receipts = await client.documents({ find: "receipts", $db: DB });
  const ids = new Set(receipts.map((receipt) => String(receipt["_id"])));
  assert.equal(ids.size, receipts.length, "no receipt twice");
  for (const teller of tellers) {
    await teller.settle(client, ids);
    for (const receipt of teller.acknowledged) assert.ok(ids.has(receipt), `${receipt} was acknowledged`);
  }
  const money = Array.from({ length: ACCOUNTS }, () => START);
  for (const { from, to, amount } of receipts) {
    money[Number(from)]! -= Number(amount);
    money[Number(to)]! += Number(amount);
  }
  const accounts = await client.documents({ find: "accounts", sort: { _id: 1 }, $db: DB });
  assert.deepEqual(
    accounts.map((account) => Number(account["money"])),
    money,
    "accounts are what receipts say",
  );
  client.close();
}

function acknowledged(tellers: readonly Teller[]): number {
  return tellers.reduce((sum, teller) => sum + teller.acknowledged.size, 0);
}

function pause(random: () => number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300 + random() * 500));
}

Deno.test("kill -9 while transactions commit: each as a whole or not at all, none lost", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-commit-" });
  const random = seededRandom(11);
  const tellers = [1, 2, 3, 4].map((number) => new Teller(number, random));
  try {
    let server = await startServerProcess({ dataDir: folder });
    const client = await WireClient.connect(server.port);
    const documents = Array.from({ length: ACCOUNTS }, (_, _id) => ({ _id, money: START }));
    await client.must({ insert: "accounts", documents, $db: DB });
    await client.must({ create: "receipts", $db: DB });
    client.close();
    for (let kill = 0; kill < KILLS; kill++) {
      let areWorking = true;
      const working = Promise.all(tellers.map((teller) => teller.work(server.port)))
        .finally(() => areWorking = false);
      const least = acknowledged(tellers) + TRANSFERS_BEFORE_KILL;
      // A busy machine gets less done in the same time.
      do await pause(random); while (areWorking && acknowledged(tellers) < least);
      await server.kill9();
      await working;
      server = await startServerProcess({ dataDir: folder });
      await check(server, tellers);
    }
    await server.stop();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
