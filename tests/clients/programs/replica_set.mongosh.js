/** What a person asks a replica set in mongosh. */
const status = rs.status();
const conf = rs.conf();
const printed = {
  set: status.set,
  members: status.members.map(({ name, stateStr }) => [name, stateStr]),
  conf: [conf._id, conf.members.map(({ host }) => host)],
  hello: [rs.hello().setName, db.isMaster().ismaster],
};
print(JSON.stringify(printed));
