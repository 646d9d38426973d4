/** Views of a store: whatever comes, goes, is flushed, merged or expires meanwhile, each shows what was there when it was opened. */
import assert from "node:assert/strict";
import { CommandError, seededRandom } from "../../base/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import { ChangeModel, openSmall } from "./change_fixture.ts";
import { hexOf, newCounters, TABLE, TABLE_OPTIONS } from "./store_fixture.ts";
import type { StoreView } from "./store_view.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

async function rowsIn(store: TimeseriesStore, view: StoreView): Promise<string[]> {
  const rows: string[] = [];
  const request = { checkpoint: () => Promise.resolve(), counters: newCounters() };
  for await (const batch of store.scan(TABLE, request, view)) rows.push(...batch.map(hexOf));
  return rows.sort();
}

Deno.test("views show the rows of when they were opened", async () => {
  let tooOld = 0;
  let compared = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const store = await openSmall(new MemoryDisk());
    await store.createTable(TABLE, TABLE_OPTIONS);
    const model = new ChangeModel(random, store);
    const rowsNow = () => model.rows.map(({ document }) => hexOf(document)).sort();
    let views: { readonly view: StoreView; readonly rows: readonly string[] }[] = [];
    for (let step = 0; step < 60; step++) {
      const choice = random();
      if (choice < 0.2 && views.length < 4) views.push({ view: store.openView(), rows: rowsNow() });
      else if (choice < 0.25 && views.length > 0) views.shift()!.view.close();
      else if (choice < 0.6) model.insert(1 + Math.floor(random() * 6));
      else if (choice < 0.75) await model.change(model.randomMeaning(), random() < 0.5);
      else if (choice < 0.77) await model.expire(Math.floor(random() * 20));
      else if (choice < 0.92) await store.flush();
      else await store.compact(TABLE);
      for (const each of [...views]) {
        try {
          assert.deepEqual(await rowsIn(store, each.view), each.rows, `seed ${seed}, step ${step}`);
          compared++;
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          assert.equal(error.codeName, "SnapshotTooOld");
          views = views.filter((other) => other !== each);
          each.view.close();
          tooOld++;
        }
      }
    }
    views.forEach(({ view }) => view.close());
    await store.close();
  }
  assert.ok(compared > 500, `${compared} times a view was read`);
  assert.ok(
    tooOld < compared / 20,
    `${tooOld} views ended, since rows of theirs had gone before they were flushed`,
  );
});

Deno.test("a view without changes holds nothing, and a closed one is told nothing", async () => {
  const store = await openSmall(new MemoryDisk());
  await store.createTable(TABLE, TABLE_OPTIONS);
  const model = new ChangeModel(seededRandom(1), store);
  model.insert(3);
  const view = store.openView();
  assert.equal((await rowsIn(store, view)).length, 3);
  await store.flush();
  assert.equal((await rowsIn(store, view)).length, 3);
  model.insert(2);
  assert.equal((await rowsIn(store, view)).length, 3);
  view.close();
  model.insert(2);
  assert.equal((await rowsIn(store, view)).length, 7);
  await store.close();
});
