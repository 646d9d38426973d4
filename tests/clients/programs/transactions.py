"""Transactions as pymongo runs them: with_transaction, a conflict, an abort."""

import sys

import pymongo
from pymongo.errors import OperationFailure

client = pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=10_000)
accounts = client.bank_py.accounts
accounts.insert_many([{"_id": "a", "money": 100}, {"_id": "b", "money": 0}])


def transfer(session):
    accounts.update_one({"_id": "a"}, {"$inc": {"money": -30}}, session=session)
    accounts.update_one({"_id": "b"}, {"$inc": {"money": 30}}, session=session)
    return accounts.find_one({"_id": "b"}, session=session)["money"]


with client.start_session() as session:
    assert session.with_transaction(transfer) == 30
assert [account["money"] for account in accounts.find().sort("_id")] == [70, 30]

with client.start_session() as first, client.start_session() as second:
    first.start_transaction()
    second.start_transaction()
    accounts.update_one({"_id": "a"}, {"$inc": {"money": 1}}, session=first)
    try:
        accounts.update_one({"_id": "a"}, {"$inc": {"money": 1}}, session=second)
        raise AssertionError("no conflict")
    except OperationFailure as error:
        assert error.code == 112 and error.has_error_label("TransientTransactionError")
    second.abort_transaction()
    first.abort_transaction()
assert accounts.find_one({"_id": "a"})["money"] == 70
client.close()
