/**
 * Operations on clients, databases, collections, sessions, buckets and cursors: each is a call of the driver whose result
 * is made a document. `rows` in a result's place says that it is a list of root documents.
 */
import { once } from "node:events";
import { Readable } from "node:stream";
import { driver } from "./driver.mjs";
import { toOptions, withConcerns } from "./options.mjs";
import { Unrunnable } from "./outcome.mjs";

const { AbstractCursor, ChangeStream, ClientSession, Collection, Db, GridFSBucket, MongoClient } = driver;

/** A list whose documents are root documents. */
export class Rows {
  constructor(documents) {
    this.documents = documents;
  }
}

/** @param run runs the operations of a transaction's callback */
export async function runEntityOperation({ name, object, arguments: args = {} }, entities, run) {
  const entity = entities.value(object);
  const operation = operationsOf(entity)?.[name];
  if (operation === undefined) {
    throw new Unrunnable(`the Node driver has no ${name} of a ${entity?.constructor?.name}`);
  }
  return await operation(entity, args, entities, run);
}

function operationsOf(entity) {
  if (entity instanceof MongoClient) return CLIENT;
  if (entity instanceof Db) return DATABASE;
  if (entity instanceof Collection) return COLLECTION;
  if (entity instanceof ClientSession) return SESSION;
  if (entity instanceof GridFSBucket) return BUCKET;
  if (entity instanceof ChangeStream || entity instanceof AbstractCursor) return CURSOR;
  return undefined;
}

async function rows(cursor) {
  return new Rows(await cursor.toArray());
}

async function openStream(watched, { pipeline, ...args }, entities) {
  const stream = watched.watch(pipeline, toOptions(args, entities));
  // The driver asks for the change stream with the first read; the test wants it now.
  await stream.cursor.cursorInit();
  return stream;
}

const CLIENT = {
  close: (client) => client.close(),
  createChangeStream: openStream,
  listDatabases: async (client, args, entities) =>
    new Rows((await client.db("admin").admin().listDatabases(toOptions(args, entities))).databases),
  listDatabaseNames: async (client, args, entities) => {
    const options = { ...toOptions(args, entities), nameOnly: true };
    return (await client.db("admin").admin().listDatabases(options)).databases.map(({ name }) => name);
  },
  clientBulkWrite: async (client, { models, ...args }, entities) =>
    clientBulkResult(await client.bulkWrite(models.map(clientModel), toOptions(args, entities))),
  appendMetadata: (client, { driverInfoOptions }) => client.appendMetadata(driverInfoOptions),
};

function clientModel(model) {
  const [[name, { namespace, ...fields }]] = Object.entries(model);
  return { namespace, name, ...fields };
}

/** The result of a client's bulk write, or the part of it that an error carries. */
export function clientBulkResult(result) {
  if (result === undefined || result === null) return result;
  const document = { ...result };
  for (const name of ["insertResults", "updateResults", "deleteResults"]) {
    const results = result[name];
    document[name] = results === undefined
      ? undefined
      : Object.fromEntries([...results].map(withoutAdditions));
  }
  return document;
}

/** A result without what the driver has beyond its specification. */
function withoutAdditions([index, { didUpsert: _, ...result }]) {
  return [index, result];
}

const DATABASE = {
  aggregate: (db, { pipeline, ...args }, entities) => rows(db.aggregate(pipeline, toOptions(args, entities))),
  createChangeStream: openStream,
  runCommand: (db, { command, commandName: _name, ...args }, entities) =>
    db.command(command, toOptions(args, entities)),
  runCursorCommand: (db, args, entities) => rows(commandCursor(db, args, entities)),
  createCommandCursor: async (db, args, entities) => {
    const cursor = commandCursor(db, args, entities);
    await cursor.cursorInit();
    return cursor;
  },
  createCollection: async (db, { collection, ...args }, entities) =>
    void await db.createCollection(collection, toOptions(args, entities)),
  dropCollection: (db, { collection, ...args }, entities) =>
    db.dropCollection(collection, toOptions(args, entities)),
  dropDatabase: (db, args, entities) => db.dropDatabase(toOptions(args, entities)),
  modifyCollection: (db, { collection, session, ...args }, entities) =>
    db.command(
      { collMod: collection, ...args },
      toOptions(session === undefined ? {} : { session }, entities),
    ),
  listCollections: (db, { filter, ...args }, entities) =>
    rows(db.listCollections(filter, toOptions(args, entities))),
  listCollectionNames: async (db, { filter, ...args }, entities) => {
    const found = await db.listCollections(filter, { ...toOptions(args, entities), nameOnly: true })
      .toArray();
    return found.map(({ name }) => name);
  },
};

function commandCursor(db, args, entities) {
  const { command, commandName: _name, batchSize, maxTimeMS, comment, cursorType, timeoutMode, ...rest } =
    args;
  const options = toOptions(rest, entities);
  if (cursorType !== undefined) Object.assign(options, cursorFlags(cursorType));
  if (timeoutMode !== undefined) {
    options.timeoutMode = timeoutMode === "cursorLifetime" ? "cursorLifetime" : timeoutMode;
  }
  const cursor = db.runCursorCommand(command, options);
  if (batchSize !== undefined) cursor.setBatchSize(batchSize);
  if (maxTimeMS !== undefined) cursor.setMaxTimeMS(maxTimeMS);
  if (comment !== undefined) cursor.setComment(comment);
  return cursor;
}

function cursorFlags(cursorType) {
  return { tailable: cursorType !== "nonTailable", awaitData: cursorType === "tailableAwait" };
}

const COLLECTION = {
  aggregate: (collection, { pipeline, ...args }, entities) =>
    rows(collection.aggregate(pipeline, toOptions(args, entities))),
  bulkWrite: async (collection, { requests, ...args }, entities) =>
    bulkResult(await collection.bulkWrite(requests, toOptions(args, entities))),
  count: (collection, { filter, ...args }, entities) => collection.count(filter, toOptions(args, entities)),
  countDocuments: (collection, { filter, ...args }, entities) =>
    collection.countDocuments(filter, toOptions(args, entities)),
  estimatedDocumentCount: (collection, args, entities) =>
    collection.estimatedDocumentCount(toOptions(args, entities)),
  createChangeStream: openStream,
  createFindCursor: async (collection, args, entities) => {
    const cursor = findCursor(collection, args, entities);
    await cursor.cursorInit();
    return cursor;
  },
  createIndex: (collection, { keys, ...args }, entities) =>
    collection.createIndex(keys, toOptions(args, entities)),
  dropIndex: (collection, { name, ...args }, entities) =>
    collection.dropIndex(name, toOptions(args, entities)),
  dropIndexes: (collection, args, entities) => collection.dropIndexes(toOptions(args, entities)),
  createSearchIndex: (collection, { model }) => collection.createSearchIndex(model),
  createSearchIndexes: (collection, { models }) => collection.createSearchIndexes(models),
  dropSearchIndex: (collection, { name }) => collection.dropSearchIndex(name),
  updateSearchIndex: (collection, { name, definition }) => collection.updateSearchIndex(name, definition),
  listSearchIndexes: (collection, { name, aggregationOptions }) =>
    rows(collection.listSearchIndexes(name, aggregationOptions)),
  deleteOne: (collection, { filter, ...args }, entities) =>
    collection.deleteOne(filter, toOptions(args, entities)),
  deleteMany: (collection, { filter, ...args }, entities) =>
    collection.deleteMany(filter, toOptions(args, entities)),
  distinct: (collection, { fieldName, filter, ...args }, entities) =>
    collection.distinct(fieldName, filter ?? {}, toOptions(args, entities)),
  drop: (collection, args, entities) => collection.drop(toOptions(args, entities)),
  find: (collection, args, entities) => rows(findCursor(collection, args, entities)),
  findOne: (collection, { filter, ...args }, entities) =>
    collection.findOne(filter, toOptions(args, entities)),
  findOneAndDelete: (collection, { filter, ...args }, entities) =>
    collection.findOneAndDelete(filter, toOptions(args, entities)),
  findOneAndReplace: (collection, { filter, replacement, ...args }, entities) =>
    collection.findOneAndReplace(filter, replacement, toOptions(args, entities)),
  findOneAndUpdate: (collection, { filter, update, ...args }, entities) =>
    collection.findOneAndUpdate(filter, update, toOptions(args, entities)),
  insertOne: (collection, { document, ...args }, entities) =>
    collection.insertOne(document, toOptions(args, entities)),
  insertMany: (collection, { documents, ...args }, entities) =>
    collection.insertMany(documents, toOptions(args, entities)),
  listIndexes: (collection, args, entities) => rows(collection.listIndexes(toOptions(args, entities))),
  listIndexNames: async (collection, args, entities) => {
    const indexes = await collection.listIndexes(toOptions(args, entities)).toArray();
    return indexes.map(({ name }) => name);
  },
  rename: async (collection, { to, ...args }, entities) =>
    void await collection.rename(to, toOptions(args, entities)),
  replaceOne: (collection, { filter, replacement, ...args }, entities) =>
    collection.replaceOne(filter, replacement, toOptions(args, entities)),
  updateOne: (collection, { filter, update, ...args }, entities) =>
    collection.updateOne(filter, update, toOptions(args, entities)),
  updateMany: (collection, { filter, update, ...args }, entities) =>
    collection.updateMany(filter, update, toOptions(args, entities)),
};

function findCursor(collection, { filter, cursorType, ...args }, entities) {
  const flags = cursorType === undefined ? {} : cursorFlags(cursorType);
  return collection.find(filter, { ...toOptions(args, entities), ...flags });
}

/** The counts and ids of a collection's bulk write. */
export function bulkResult(result) {
  const {
    insertedCount,
    matchedCount,
    modifiedCount,
    deletedCount,
    upsertedCount,
    upsertedIds,
    insertedIds,
  } = result;
  return {
    insertedCount,
    matchedCount,
    modifiedCount,
    deletedCount,
    upsertedCount,
    upsertedIds,
    insertedIds,
  };
}

const SESSION = {
  startTransaction: (session, args) => session.startTransaction(withConcerns(args)),
  commitTransaction: (session, args) => session.commitTransaction(args),
  abortTransaction: (session, args) => session.abortTransaction(args),
  endSession: (session) => session.endSession(),
  getSnapshotTime: (session) => session.snapshotTime,
  withTransaction: (session, { callback, ...args }, _entities, run) =>
    session.withTransaction(async () => {
      for (const operation of callback) await run(operation, true);
    }, withConcerns(args)),
};

const BUCKET = {
  upload: async (bucket, { source, filename, ...args }, entities) => {
    const stream = bucket.openUploadStream(filename, toOptions(args, entities));
    Readable.from([Buffer.from(source.$$hexBytes, "hex")]).pipe(stream);
    await once(stream, "finish");
    return stream.id;
  },
  download: (bucket, { id, ...args }, entities) =>
    readAll(bucket.openDownloadStream(id, toOptions(args, entities))),
  downloadByName: (bucket, { filename, ...args }, entities) =>
    readAll(bucket.openDownloadStreamByName(filename, toOptions(args, entities))),
  delete: (bucket, { id, ...args }, entities) => bucket.delete(id, toOptions(args, entities)),
  rename: (bucket, { id, newFilename, ...args }, entities) =>
    bucket.rename(id, newFilename, toOptions(args, entities)),
  drop: (bucket, args, entities) => bucket.drop(toOptions(args, entities)),
};

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const CURSOR = {
  iterateUntilDocumentOrError: (cursor) => cursor.next(),
  iterateOnce: (cursor) => cursor.tryNext(),
  close: (cursor) => cursor.close().catch(() => {}),
};
