"""The official Python driver: create, insert, find, aggregate, count, distinct and errors."""

import sys
from datetime import datetime, timedelta, timezone

from pymongo import ASCENDING, DESCENDING, InsertOne, MongoClient
from pymongo.errors import BulkWriteError, CollectionInvalid, DuplicateKeyError, OperationFailure

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
ROWS = 5000


def expect(error, action):
    try:
        action()
    except error as found:
        return found
    raise AssertionError(f"expected {error.__name__}")


with MongoClient(sys.argv[1], tz_aware=True, serverSelectionTimeoutMS=10_000) as client:
    db = client["python"]
    db.drop_collection("series")
    series = db.create_collection(
        "series",
        timeseries={"timeField": "t", "metaField": "m", "granularity": "seconds"},
        expireAfterSeconds=10 * 365 * 86400,
    )
    expect(CollectionInvalid, lambda: db.create_collection("series"))
    result = series.insert_many(
        {"t": START + timedelta(seconds=i), "m": {"host": f"h{i % 5}"}, "v": i, "f": i / 4} for i in range(ROWS)
    )
    assert len(result.inserted_ids) == ROWS

    newest = list(series.find({"m.host": "h2"}).sort("t", DESCENDING).limit(3))
    assert [row["v"] for row in newest] == [4997, 4992, 4987], newest
    assert newest[0]["t"] == START + timedelta(seconds=4997)
    oldest = list(series.find({"v": {"$gte": 10}}, {"_id": 0, "v": 1}).sort([("t", ASCENDING)]).skip(1).limit(2))
    assert oldest == [{"v": 11}, {"v": 12}], oldest
    assert sum(1 for _ in series.find().batch_size(500)) == ROWS

    groups = list(
        series.aggregate(
            [
                {"$match": {"t": {"$lt": START + timedelta(seconds=100)}}},
                {"$group": {"_id": "$m.host", "n": {"$sum": 1}, "sum": {"$sum": "$v"}, "avg": {"$avg": "$f"}}},
                {"$sort": {"_id": 1}},
            ]
        )
    )
    assert groups[1] == {"_id": "h1", "n": 20, "sum": 970, "avg": 12.125}, groups
    windows = list(
        series.aggregate(
            [
                {
                    "$timeWindow": {
                        "timestamp": "$t",
                        "window": "30m",
                        "partitionBy": "$m.host",
                        "output": {"n": {"$sum": 1}, "last": {"$max": "$v"}},
                    }
                },
                {"$sort": {"_id.timestamp": 1, "_id.partition": 1}},
            ]
        )
    )
    assert len(windows) == 15, windows
    assert windows[0] == {"_id": {"timestamp": START, "partition": "h0"}, "n": 360, "last": 1795}, windows[0]

    assert series.count_documents({}) == ROWS
    assert series.count_documents({"v": {"$lt": 100}}, skip=10, limit=50) == 50
    assert series.estimated_document_count() == ROWS
    assert sorted(series.distinct("m.host")) == [f"h{i}" for i in range(5)]
    assert [c["name"] for c in db.list_collections(filter={"name": "series"})] == ["series"]
    assert "python" in client.list_database_names()

    bad = expect(BulkWriteError, lambda: series.insert_many([{"t": START}, {"v": 1}, {"t": START}], ordered=False))
    assert bad.details["nInserted"] == 2, bad.details
    assert [(e["index"], e["code"]) for e in bad.details["writeErrors"]] == [(1, 2)], bad.details

    plain = db["plain"]
    plain.drop()
    plain.insert_one({"_id": 1, "a": [1, {"b": None}]})
    assert expect(DuplicateKeyError, lambda: plain.insert_one({"_id": 1})).code == 11000
    assert plain.find_one({"a.b": None}) == {"_id": 1, "a": [1, {"b": None}]}
    bulk = expect(BulkWriteError, lambda: plain.bulk_write([InsertOne({"_id": 1}), InsertOne({"_id": 2})]))
    assert bulk.details["nInserted"] == 0, bulk.details
    assert expect(OperationFailure, lambda: db.command("noSuchCommand")).code == 59
    assert expect(OperationFailure, lambda: list(plain.find({"$foo": 1}))).code == 2

    with client.start_session() as session:
        plain.insert_one({"_id": 3}, session=session)
        assert plain.count_documents({}, session=session) == 2

    client.drop_database("python")
    assert "python" not in client.list_database_names()
