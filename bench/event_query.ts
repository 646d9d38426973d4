/** The queries of the workload of events: texts, nested and sparse fields, many series, few rows of each. */
import type { Document } from "bson";
import { deviceId } from "../tests/data/event_workload.ts";
import type { Query } from "./query.ts";

const HOUR_MS = 3_600_000;

/**
 * @param startMs the first time of the workload
 * @param endMs its end, about
 * @param devices how many it has
 */
export function eventQueries(startMs: number, endMs: number, devices: number): Query[] {
  const query = (name: string, meaning: string, pipeline: readonly Document[]): Query => ({
    name,
    meaning,
    pipeline,
    startMs,
    endMs,
  });
  const hour = { $dateTrunc: { date: "$at", unit: "hour" } };
  return [
    query("one-device", "all rows of one device", [
      { $match: { "device.id": deviceId(Math.floor(devices / 100)) } },
    ]),
    query("errors-by-hour", "how many rows have one text in a field, each hour", [
      { $match: { level: "error" } },
      { $group: { _id: hour, count: { $sum: 1 } } },
      { $sort: { _id: 1 } },
    ]),
    query(
      "slow-by-country",
      "count and mean of a sparse field above a bound, by a nested path of the devices",
      [
        { $match: { duration: { $gt: 5000 } } },
        { $group: { _id: "$device.site.country", count: { $sum: 1 }, mean: { $avg: "$duration" } } },
      ],
    ),
    query("failures-by-city", "the sum of one nested, sparse field where another is at least 500", [
      { $match: { "http.status": { $gte: 500 } } },
      { $group: { _id: "$device.site.city", count: { $sum: 1 }, bytes: { $sum: "$http.bytes" } } },
    ]),
    query("by-level", "rows by a text that is measured", [
      { $group: { _id: "$level", count: { $sum: 1 } } },
    ]),
    query("search", "rows of the last two hours whose text matches a regular expression", [
      { $match: { at: { $gte: new Date(endMs - 2 * HOUR_MS) }, message: { $regex: "failed: time" } } },
    ]),
    query("newest", "the last hundred rows", [{ $sort: { at: -1 } }, { $limit: 100 }]),
    query("last-of-each", "the newest row of each device", [
      { $sort: { "device.id": 1, at: -1 } },
      { $group: { _id: "$device.id", at: { $first: "$at" }, level: { $first: "$level" } } },
    ]),
  ];
}
