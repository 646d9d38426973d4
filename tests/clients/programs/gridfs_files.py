"""GridFS through the official Python driver: upload, download whole and in part, revisions, rename, delete."""

import sys

from bson import ObjectId
from gridfs import GridFS, GridFSBucket
from gridfs.errors import NoFile
from pymongo import MongoClient

CHUNK_BYTES = 255 * 1024
CONTENT = bytes((i * 31 + (i >> 8)) & 255 for i in range(2 * CHUNK_BYTES + 777))


def no_file(call):
    try:
        call()
    except NoFile:
        return
    raise AssertionError("a file that is gone was found")


client = MongoClient(sys.argv[1], serverSelectionTimeoutMS=10_000)
client.drop_database("gridfs_py")
db = client["gridfs_py"]
bucket = GridFSBucket(db, bucket_name="files")

file_id = bucket.upload_from_stream("large.bin", CONTENT, metadata={"room": "r1"})
assert bucket.open_download_stream(file_id).read() == CONTENT
assert db["files.chunks"].count_documents({"files_id": file_id}) == 3

# In part: seek, read, and over the border of a chunk.
stream = bucket.open_download_stream(file_id)
for start, length in ((CHUNK_BYTES - 3, 6), (0, 10), (2 * CHUNK_BYTES, 777)):
    stream.seek(start)
    assert stream.read(length) == CONTENT[start : start + length], start

with bucket.open_upload_stream("written", chunk_size_bytes=8) as upload:
    for part in (b"one ", b"two ", b"three"):
        upload.write(part)
assert bucket.open_download_stream_by_name("written").read() == b"one two three"
for revision in range(3):
    bucket.upload_from_stream("notes", f"revision {revision}".encode())
assert bucket.open_download_stream_by_name("notes").read() == b"revision 2"
assert bucket.open_download_stream_by_name("notes", revision=0).read() == b"revision 0"

assert [found.filename for found in bucket.find({"metadata.room": "r1"})] == ["large.bin"]
bucket.rename(file_id, "renamed.bin")
assert bucket.open_download_stream_by_name("renamed.bin").read(4) == CONTENT[:4]
bucket.delete(file_id)
assert db["files.chunks"].count_documents({"files_id": file_id}) == 0
no_file(lambda: bucket.open_download_stream(file_id).read())
no_file(lambda: bucket.delete(ObjectId()))

# The older interface.
files = GridFS(db, collection="old")
old = files.put(b"old", filename="a", owner="x")
assert files.get(old).read() == b"old" and files.exists(old) and files.list() == ["a"]
assert files.find_one({"owner": "x"}).filename == "a"
files.delete(old)
assert not files.exists(old)
print("ok")
