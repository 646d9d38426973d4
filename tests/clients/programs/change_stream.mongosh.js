/** watch() in mongosh: of a collection, a database and the deployment. */
const ours = db.getSiblingDB("watched_in_shell");
const streams = [ours.c.watch([], { maxAwaitTimeMS: 100 }), ours.watch(), db.getMongo().watch()];
streams.forEach((stream) => stream.tryNext());
ours.c.insertOne({ _id: 1 });
const seen = streams.map((stream) => {
  const event = stream.next();
  stream.close();
  return [event.operationType, event.ns.db, event.documentKey._id];
});
print(JSON.stringify(seen));
