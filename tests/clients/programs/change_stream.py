"""pymongo's watch(): events, tokens, a pipeline, and a stream that goes on from a token."""

import sys

from pymongo import MongoClient

with MongoClient(sys.argv[1], serverSelectionTimeoutMS=10000) as client:
    collection = client.watched_by_python.c
    with collection.watch([{"$match": {"fullDocument.a": {"$gt": 1}}}], full_document="updateLookup", max_await_time_ms=100) as stream:
        assert stream.try_next() is None
        collection.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
        collection.update_one({"_id": 1}, {"$set": {"a": 3}})
        seen = [(e["operationType"], e["documentKey"]["_id"], e["fullDocument"]["a"]) for e in (next(stream), next(stream))]
        assert seen == [("insert", 2, 2), ("update", 1, 3)], seen
        assert stream.try_next() is None
        token = stream.resume_token
    collection.insert_one({"_id": 3})
    with client.watched_by_python.watch(resume_after=token) as stream:
        assert next(stream)["documentKey"] == {"_id": 3}
    with client.watch(start_after=token) as stream:
        event = next(stream)
        assert event["ns"] == {"db": "watched_by_python", "coll": "c"}, event
        started = event["clusterTime"]
    with collection.watch(start_at_operation_time=started) as stream:
        assert next(stream)["documentKey"] == {"_id": 3}
    # An event that is larger than an answer comes in fragments, and is whole when they are put together.
    large = client.watched_by_python.create_collection("large", changeStreamPreAndPostImages={"enabled": True})
    large.insert_one({"_id": 1, "text": "x" * (9 << 20)})
    images = {"full_document": "required", "full_document_before_change": "required"}
    with large.watch([{"$changeStreamSplitLargeEvent": {}}], **images) as stream:
        large.update_one({"_id": 1}, {"$set": {"a": 1}})
        fragments = [next(stream), next(stream)]
        assert [f["splitEvent"] for f in fragments] == [{"fragment": 1, "of": 2}, {"fragment": 2, "of": 2}]
        event = fragments[0] | fragments[1]
        assert (event["fullDocument"]["a"], "a" in event["fullDocumentBeforeChange"]) == (1, False)
    with large.watch([{"$changeStreamSplitLargeEvent": {}}], **images, resume_after=fragments[0]["_id"]) as stream:
        assert next(stream)["splitEvent"] == {"fragment": 2, "of": 2}
    with collection.watch() as stream:
        collection.drop()
        assert [event["operationType"] for event in stream] == ["drop", "invalidate"]
print("ok")
