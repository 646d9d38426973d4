import assert from "node:assert/strict";
import { deserialize, EJSON, serialize } from "bson";
import { encodeDocument, RawDocument } from "../../bson/mod.ts";
import { DeltaBuilder, newScanCounters, WritePlan } from "../../query/mod.ts";
import { updateDescription } from "./update_description.ts";

/** A line of recorded_deltas.jsonl: what MongoDB 6.0.5 said in a change stream of an update of one document. */
interface Recorded {
  readonly document: Record<string, unknown>;
  readonly update: unknown;
  /** Null where the update changed nothing. */
  readonly event: "update" | "replace" | null;
  readonly description?: unknown;
}

const CONTEXT = {
  nowMs: 0,
  variables: new Map(),
  checkpoint: () => Promise.resolve(),
  counters: newScanCounters(),
};

/** What ours says of it. */
function describe({ document, update }: Recorded): Pick<Recorded, "event" | "description"> {
  const plan = new WritePlan({
    filter: new RawDocument(serialize({})),
    update: { update: new RawDocument(serialize({ update })).get("update") },
  }, CONTEXT);
  const old = new RawDocument(serialize(document));
  const noted = new DeltaBuilder();
  const changed = plan.updated(old, noted);
  if (changed === old) return { event: null };
  const stored = new RawDocument(encodeDocument(changed));
  const delta = plan.deltaOf(old, stored, noted);
  if (delta === undefined) return { event: "replace" };
  return { event: "update", description: plain(encodeDocument(updateDescription(stored, delta))) };
}

function plain(bytes: Uint8Array): unknown {
  return EJSON.serialize(deserialize(bytes, { promoteValues: false }), { relaxed: false });
}

Deno.test("with expanded events, paths that could be read in two ways are told by their parts", () => {
  const document = new RawDocument(
    serialize({ _id: 1, a: [{ 1: 2, b: 3 }], "x.y": { z: 1 }, n: { 0: 1 }, l: [1] }),
  );
  const change = (kind: "update" | "element" | "remove", ...path: string[]) => ({ kind, path });
  const description = updateDescription(document, [
    change("update", "a", "0", "1"),
    change("update", "a", "0", "b"),
    change("update", "x.y", "z"),
    change("remove", "n", "5"),
    change("element", "l", "0"),
  ], true);
  assert.equal(
    JSON.stringify(plain(encodeDocument(description))).match(/"disambiguatedPaths":(.*)}$/)?.[1],
    '{"a.0.1":["a",{"$numberInt":"0"},"1"],"x.y.z":["x.y","z"],"n.5":["n","5"]}',
  );
});

Deno.test("updates are described as MongoDB 6.0.5 describes them", () => {
  const lines = Deno.readTextFileSync(new URL("./recorded_deltas.jsonl", import.meta.url)).trim().split("\n");
  for (const line of lines) {
    const recorded = EJSON.parse(line, { relaxed: false }) as Recorded;
    const expected = {
      event: recorded.event,
      ...(recorded.description !== undefined && {
        description: EJSON.serialize(recorded.description, { relaxed: false }),
      }),
    };
    // Order counts.
    assert.equal(JSON.stringify(describe(recorded)), JSON.stringify(expected), line);
  }
});
