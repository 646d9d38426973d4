/** What a person asks a router in mongosh. */
db.getSiblingDB("sharding").plain.insertOne({ _id: 1 });
const { value } = sh.status();
const printed = {
  version: value.shardingVersion._id,
  shards: value.shards.map(({ state }) => state),
  routers: value["active mongoses"],
  balancer: value.balancer["Currently running"],
  databases: value.databases.map(({ database }) => [database._id, database.primary]),
  listed: sh.listShards().length,
};
print(JSON.stringify(printed));
