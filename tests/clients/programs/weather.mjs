/** Loads Seattle's daily weather into a time series and prints its weekly windows. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { withClient } from "./driver.mjs";

const [head, ...lines] = readFileSync(process.argv[3], "utf8").trim().split("\n");
const names = head.split(",");

function toMeasurement(line) {
  const fields = Object.fromEntries(line.split(",").map((text, i) => [names[i], text]));
  return {
    date: new Date(`${fields.date}T00:00:00Z`),
    place: { city: "Seattle", weather: fields.weather },
    precipitation: Number(fields.precipitation),
    temp_max: Number(fields.temp_max),
    temp_min: Number(fields.temp_min),
    wind: Number(fields.wind),
  };
}

await withClient(async (client) => {
  const db = client.db("weather");
  const days = await db.createCollection("seattle", {
    timeseries: { timeField: "date", metaField: "place", granularity: "hours" },
  });
  await days.insertMany(lines.map(toMeasurement));
  const weeks = await days.aggregate([
    {
      $timeWindow: {
        timestamp: "$date",
        window: "1w",
        startOfWeek: "monday",
        output: {
          days: { $sum: 1 },
          rain: { $sum: "$precipitation" },
          warmest: { $max: "$temp_max" },
          coldest: { $min: "$temp_min" },
          wind: { $avg: "$wind" },
        },
      },
    },
    { $sort: { "_id.timestamp": 1 } },
  ]).toArray();
  const rainy = await days.countDocuments({ "place.weather": "rain", precipitation: { $gt: 20 } });
  console.log(JSON.stringify({ weeks, rainy }));
});
