"""What pymongo makes of transactions when something goes wrong: answers that get lost, a client that dies, time that runs out.

Arguments: the address of a server with its fail points, and for a client that is to die the word "die".
"""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

from pymongo import InsertOne, MongoClient, UpdateOne
from pymongo.errors import AutoReconnect, ConnectionFailure, OperationFailure
from pymongo.uri_parser import parse_uri

URI = sys.argv[1]
DB = "retried_py"
FAIL_POINT = "failCommand"


class Proxy:
    """Hands bytes on in both directions, and loses the answer to the next command with a name that it is told."""

    def __init__(self, port):
        self.server = ("127.0.0.1", port)
        self.loses = None
        self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.server)
            loses = threading.Event()
            for source, target, is_request in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.forward, args=(source, target, is_request, loses), daemon=True).start()

    def forward(self, source, target, is_request, loses):
        try:
            while data := source.recv(1 << 16):
                if is_request and self.loses is not None and self.loses in data:
                    self.loses = None
                    loses.set()
                elif not is_request and loses.is_set():
                    self.lost += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@contextmanager
def failing(client, times, **data):
    client.admin.command("configureFailPoint", FAIL_POINT, mode={"times": times}, data=data)
    try:
        yield
    finally:
        client.admin.command("configureFailPoint", FAIL_POINT, mode="off")


def labels_of(error):
    return {label for label in ("TransientTransactionError", "UnknownTransactionCommitResult") if error.has_error_label(label)}


def increments(collection):
    return collection.find_one({"_id": 1})["n"]


def commits_again(client, collection):
    """The driver commits once more by itself; what fails twice is the application's to commit once more."""
    before = increments(collection)
    for data in ({"closeConnection": True}, {"errorCode": 7}, {"writeConcernError": {"code": 7, "errmsg": "lost"}}):
        with client.start_session() as session, failing(client, 1, failCommands=["commitTransaction"], **data):
            session.start_transaction()
            collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
            session.commit_transaction()
            session.commit_transaction()
    assert increments(collection) == before + 3
    with client.start_session() as session, failing(client, 2, failCommands=["commitTransaction"], closeConnection=True):
        session.start_transaction()
        collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        try:
            session.commit_transaction()
            raise AssertionError("the commit came through")
        except ConnectionFailure as error:
            assert labels_of(error) == {"UnknownTransactionCommitResult"}, labels_of(error)
        session.commit_transaction()
    assert increments(collection) == before + 4


def loses_answers(port):
    """What was done and not answered is answered when it comes again, and done once."""
    proxy = Proxy(port)
    with MongoClient(f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true", serverSelectionTimeoutMS=10_000) as client:
        collection = client[DB].c
        before = increments(collection)
        with client.start_session() as session:
            session.start_transaction()
            collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
            proxy.loses = b"commitTransaction"
            session.commit_transaction()
        assert (increments(collection), proxy.lost) == (before + 1, 1)
        # A write outside of a transaction, too.
        proxy.loses = b"update"
        assert collection.update_one({"_id": 1}, {"$inc": {"n": 1}}).modified_count == 1
        proxy.loses = b"insert"
        collection.insert_many([{"_id": f"lost {i}"} for i in range(3)])
        assert (increments(collection), proxy.lost) == (before + 2, 3)
        assert collection.count_documents({"_id": {"$regex": "^lost "}}) == 3
        # A statement of a transaction is not sent again: the whole of it is.
        tries = []

        def body(session):
            tries.append(1)
            if len(tries) == 1:
                proxy.loses = b"update"
            collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)

        with client.start_session() as session:
            session.with_transaction(body)
        assert (len(tries), increments(collection), proxy.lost) == (2, before + 3, 4)


def outlives_a_client(client, collection):
    """A client that dies in a transaction: what it has written is free again when the transaction's time is over."""
    before = increments(collection)
    died = subprocess.run([sys.executable, __file__, URI, "die"], check=False)
    assert died.returncode == 1
    started = time.monotonic()
    collection.update_one({"_id": 1}, {"$inc": {"n": 1}})
    assert increments(collection) == before + 1
    assert time.monotonic() - started < 30


def die():
    client = MongoClient(URI, serverSelectionTimeoutMS=10_000)
    session = client.start_session()
    session.start_transaction()
    client[DB].c.update_one({"_id": 1}, {"$inc": {"n": 1000}}, session=session)
    os._exit(1)


def runs_out_of_time(client, collection):
    with client.start_session() as session:
        session.start_transaction()
        collection.update_one({"_id": 1}, {"$inc": {"n": 1000}}, session=session)
        # Another one that wants the document waits until the time of the first is over.
        collection.update_one({"_id": 1}, {"$inc": {"n": 1}})
        for call in (lambda: collection.find_one({}, session=session), session.commit_transaction):
            try:
                call()
                raise AssertionError("the transaction is still there")
            except OperationFailure as error:
                assert (error.code, labels_of(error)) == (251, {"TransientTransactionError"}), error
    assert increments(collection) % 1000 < 100


def aborts_with_its_session(client, collection):
    before = increments(collection)
    with client.start_session() as session:
        session.start_transaction()
        collection.update_one({"_id": 1}, {"$inc": {"n": 1000}}, session=session)
    # The session ended, so its transaction was aborted.
    collection.update_one({"_id": 1}, {"$inc": {"n": 1}})
    assert increments(collection) == before + 1
    # As another statement of the same session with a new transaction ends the one before.
    with client.start_session() as session:
        session.start_transaction()
        session.abort_transaction()
        session.start_transaction()
        collection.insert_one({"_id": "again"}, session=session)
        session.commit_transaction()
    assert collection.delete_one({"_id": "again"}).deleted_count == 1


def writes_in_bulk(client, collection):
    """The bulk write of a client, over two collections, outside of a transaction and in one."""
    other = client[DB].other
    models = [
        InsertOne(namespace=f"{DB}.c", document={"_id": "bulk"}),
        UpdateOne(namespace=f"{DB}.other", filter={"_id": 1}, update={"$inc": {"n": 1}}, upsert=True),
    ]
    result = client.bulk_write(models, verbose_results=True)
    assert (result.inserted_count, result.upserted_count) == (1, 1), result
    assert collection.delete_one({"_id": "bulk"}).deleted_count == 1
    with client.start_session() as session:
        session.start_transaction()
        result = client.bulk_write(models, session=session)
        assert (result.inserted_count, result.modified_count) == (1, 1), result
        assert other.find_one({"_id": 1}, session=session)["n"] == 2
        session.abort_transaction()
    assert (other.find_one({"_id": 1})["n"], collection.count_documents({"_id": "bulk"})) == (1, 0)
    # The answer gets lost, and the driver asks again.
    with failing(client, 1, failCommands=["bulkWrite"], closeConnection=True):
        client.bulk_write(models)
    assert (other.find_one({"_id": 1})["n"], collection.count_documents({"_id": "bulk"})) == (2, 1)


def is_told_to_try_again(client, collection):
    """What leaves nothing behind is labelled, in statements and in the commit: a conflict, a snapshot that is gone."""
    for command in ("find", "commitTransaction"):
        for code in (112, 239, 246):
            with client.start_session() as session, failing(client, 1, failCommands=[command], errorCode=code):
                session.start_transaction()
                try:
                    collection.find_one({}, session=session)
                    session.commit_transaction()
                    raise AssertionError("nothing failed")
                except OperationFailure as error:
                    assert (error.code, labels_of(error)) == (code, {"TransientTransactionError"}), error


def reads_snapshots(client, collection):
    before = increments(collection)
    with client.start_session(snapshot=True) as session:
        assert collection.find_one({"_id": 1}, session=session)["n"] == before
        collection.update_one({"_id": 1}, {"$inc": {"n": 1}})
        assert collection.find_one({"_id": 1}, session=session)["n"] == before
        assert list(collection.aggregate([{"$match": {"_id": 1}}], session=session))[0]["n"] == before
        assert collection.distinct("n", {"_id": 1}, session=session) == [before]
    with client.start_session(causal_consistency=True) as session:
        collection.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        assert session.operation_time is not None and session.cluster_time is not None
        assert collection.find_one({"_id": 1}, session=session)["n"] == before + 2


def main():
    port = parse_uri(URI)["nodelist"][0][1]
    with MongoClient(URI, serverSelectionTimeoutMS=10_000) as client:
        client.drop_database(DB)
        collection = client[DB].c
        collection.insert_one({"_id": 1, "n": 0})
        commits_again(client, collection)
        loses_answers(port)
        aborts_with_its_session(client, collection)
        writes_in_bulk(client, collection)
        is_told_to_try_again(client, collection)
        reads_snapshots(client, collection)
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=2)
        outlives_a_client(client, collection)
        runs_out_of_time(client, collection)
        assert collection.count_documents({}) > 0
    print("ok")


if __name__ == "__main__":
    try:
        die() if sys.argv[2:] == ["die"] else main()
    except AutoReconnect:
        raise
