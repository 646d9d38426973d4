/**
 * What clients typically ask first, of collections that the commands make themselves: a driver's greeting, measurements
 * written and read from memory and, after a flush, from a segment, documents.
 */
import { BuiltDocument, type Document, Int32, UtcDate, type Value } from "../bson/mod.ts";

const DATABASE = "warm_up";
const ROWS = 60;
const DOCUMENTS = 5;

type Plain = Date | string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };

/** Commands in the order in which they run, and where memtables are to be flushed. */
export function* warmUpCommands(nowMs: number): Generator<Document | "flush"> {
  const command = (body: { readonly [name: string]: Plain }, $db = DATABASE) => document({ ...body, $db });
  const time = (second: number) => new Date(nowMs + second * 1000);
  const onSensors = (...pipeline: Plain[]) => command({ aggregate: "sensors", pipeline, cursor: {} });
  const lately = { time: { $gte: time(0), $lt: time(ROWS) } };
  const outputs = { greatest: { $max: "$value" }, mean: { $avg: "$count" } };
  const minute = { $dateTrunc: { date: "$time", unit: "minute" } };
  const someSensors = onSensors(
    { $match: { ...lately, "sensor.id": { $in: ["s1", "s2"] } } },
    { $group: { _id: minute, ...outputs } },
    { $sort: { _id: 1 } },
  );

  yield command({ hello: 1, helloOk: true, client: { driver: { name: "", version: "" } } }, "admin");
  yield command({ ping: 1 }, "admin");
  yield command({ create: "sensors", timeseries: { timeField: "time", metaField: "sensor" } });
  yield command({
    insert: "sensors",
    documents: Array.from({ length: ROWS }, (_, i) => measurement(time(i), i)),
  });
  yield someSensors;
  yield "flush";
  yield someSensors;
  yield onSensors(
    { $match: lately },
    { $group: { _id: { sensor: "$sensor.id", time: minute }, ...outputs } },
    { $sort: { "_id.time": 1 } },
  );
  yield onSensors(
    { $sort: { "sensor.id": 1, time: -1 } },
    { $group: { _id: "$sensor.id", time: { $first: "$time" }, newest: { $first: "$value" } } },
  );
  yield command({
    find: "sensors",
    filter: { "sensor.id": "s1", value: { $gt: 2 } },
    sort: { time: -1 },
    limit: 5,
  });

  yield command({ insert: "devices", documents: Array.from({ length: DOCUMENTS }, (_, i) => device(i)) });
  yield command({ find: "devices", filter: { "place.floor": { $gte: 1 } }, sort: { name: 1 }, limit: 3 });
  yield command({ find: "devices", filter: { _id: "d1" }, limit: 1 });
  yield command({
    update: "devices",
    updates: [{ q: { _id: "d1" }, u: { $set: { name: "b" }, $inc: { n: 1 } } }],
  });
  yield command({
    aggregate: "devices",
    pipeline: [{ $match: { name: "a" } }, { $group: { _id: "$place.floor", count: { $sum: 1 } } }],
    cursor: {},
  });
}

function measurement(time: Date, number: number): Plain {
  return { time, sensor: { id: `s${number % 3}`, place: "hall" }, value: number / 2, count: number };
}

function device(number: number): Plain {
  return { _id: `d${number}`, name: "a", tags: ["x", "y"], place: { floor: number } };
}

function document(plain: { readonly [name: string]: Plain }): Document {
  return BuiltDocument.of(
    Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, valueOf(value)])),
  );
}

function valueOf(plain: Plain): Value {
  if (typeof plain === "number") return Number.isInteger(plain) ? Int32.of(plain) : plain;
  if (typeof plain !== "object") return plain;
  if (plain instanceof Date) return new UtcDate(plain.getTime());
  if (Array.isArray(plain)) return plain.map(valueOf);
  return document(plain as { readonly [name: string]: Plain });
}
