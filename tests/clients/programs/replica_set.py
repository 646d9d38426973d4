"""An address with `?replicaSet=`: pymongo finds the primary, and works with it."""

import sys

from pymongo import MongoClient, ReadPreference

with MongoClient(sys.argv[1], serverSelectionTimeoutMS=10000) as client:
    collection = client.replicated.python
    collection.insert_one({"_id": 1})
    assert collection.with_options(read_preference=ReadPreference.NEAREST).count_documents({}) == 1
    assert client.topology_description.topology_type_name == "ReplicaSetWithPrimary"
    assert client.primary == next(iter(client.nodes)), client.primary
    status = client.admin.command("replSetGetStatus")
    assert [(m["stateStr"], m["self"]) for m in status["members"]] == [("PRIMARY", True)], status
print("ok")
