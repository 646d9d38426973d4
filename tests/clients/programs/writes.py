"""The official Python driver: updates, deletes, find_one_and… and bulk writes, on plain and time-series collections."""

import sys
from datetime import datetime, timedelta, timezone

from pymongo import DeleteOne, InsertOne, MongoClient, ReplaceOne, ReturnDocument, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError, WriteError

START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def check(collection):
    collection.insert_many(
        {"_id": i, "t": START + timedelta(seconds=i), "m": {"host": f"h{i % 2}"}, "v": i} for i in range(10)
    )
    one = collection.update_one({"_id": 1}, {"$set": {"v": 10}, "$push": {"list": {"$each": [3, 1], "$sort": 1}}})
    assert (one.matched_count, one.modified_count) == (1, 1)
    assert collection.find_one({"_id": 1})["list"] == [1, 3]
    many = collection.update_many({"m.host": "h0"}, {"$mul": {"v": 2}})
    assert (many.matched_count, many.modified_count) == (5, 4), many.raw_result
    upserted = collection.update_one({"_id": 50, "t": START}, {"$set": {"v": 50}}, upsert=True)
    assert upserted.upserted_id == 50
    collection.replace_one({"_id": 50}, {"t": START, "replaced": True})
    assert collection.find_one({"_id": 50})["replaced"]
    after = collection.find_one_and_update(
        {}, {"$set": {"last": True}}, sort=[("t", -1)], return_document=ReturnDocument.AFTER
    )
    assert (after["_id"], after["last"]) == (9, True), after
    assert collection.find_one_and_delete({"_id": 9})["v"] == 9
    result = collection.bulk_write(
        [
            InsertOne({"_id": 60, "t": START}),
            UpdateOne({"_id": 60}, {"$set": {"v": 1}}),
            UpdateMany({"m.host": "h1"}, [{"$set": {"double": {"$multiply": ["$v", 2]}}}]),
            ReplaceOne({"_id": 61, "t": START}, {"t": START, "v": 2}, upsert=True),
            DeleteOne({"_id": 60}),
        ]
    )
    assert (result.inserted_count, result.upserted_count, result.deleted_count) == (1, 1, 1)
    try:
        collection.bulk_write([UpdateOne({"_id": 1}, {"$inc": {"m": 1}}), DeleteOne({"_id": 61})])
        raise AssertionError("expected an error")
    except BulkWriteError as error:
        assert error.details["writeErrors"][0]["code"] == 14, error.details
    try:
        collection.update_one({"_id": 1}, {"$set": {"_id": 2}})
        raise AssertionError("expected an error")
    except WriteError as error:
        assert error.code == 66
    assert collection.delete_one({"_id": 61}).deleted_count == 1
    left = collection.count_documents({})
    assert collection.delete_many({}).deleted_count == left


with MongoClient(sys.argv[1], tz_aware=True, serverSelectionTimeoutMS=10_000) as client:
    client.drop_database("python_writes")
    db = client["python_writes"]
    check(db["plain"])
    check(db.create_collection("series", timeseries={"timeField": "t", "metaField": "m"}))
    print("ok")
