"""A worker that asks examples/worker.py, for BusScenarios: one request, one stream, answers printed."""
import json, os, struct, sys

HEADER = struct.Struct(">IBBHQ")
HELLO, WELCOME, REQUEST, REPLY, ERROR, STREAM, END, DRAIN, DRAINED, READY = 1, 2, 3, 4, 5, 7, 8, 13, 14, 15


def send(kind, payload=b"", peer=0, frame_id=0):
    data = HEADER.pack(len(payload), 1, kind, peer, frame_id) + payload
    while data:
        data = data[os.write(4, data):]


def exactly(count):
    data = b""
    while len(data) < count:
        piece = os.read(3, count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def receive():
    length, _, kind, peer, frame_id = HEADER.unpack(exactly(16))
    return kind, peer, frame_id, exactly(length)


send(HELLO, b"1 1 asker")
welcome = json.loads(receive()[3])
peer = {p["name"]: p["peer"] for p in welcome["peers"]}["python"]
epoch = welcome["epoch"] << 32
send(READY)
send(REQUEST, b"echo hello bus", peer, epoch | 1)
while True:
    kind, _, frame_id, payload = receive()
    if frame_id == epoch | 1 and kind in (REPLY, ERROR):
        print("reply", payload.decode(), flush=True)
        send(REQUEST, b"count 5", peer, epoch | 2)
        count = 0
    elif frame_id == epoch | 2 and kind == STREAM:
        count += 1
    elif frame_id == epoch | 2 and kind == END:
        print("stream", count, flush=True)
    elif kind == DRAIN:
        send(DRAINED)
        sys.exit(0)
