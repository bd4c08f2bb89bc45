"""A worker that asks for what it may not have as fast as its link takes it, for BusScenarios."""
import struct, threading, os

HEADER = struct.Struct(">IBBHQ")
HELLO, REQUEST, READY, HEALTH = 1, 3, 15, 17


def frame(kind, payload=b"", frame_id=0):
    return HEADER.pack(len(payload), 1, kind, 0, frame_id) + payload


def write(data):
    while data:
        data = data[os.write(4, data):]


def read():
    while os.read(3, 65536):
        pass


threading.Thread(target=read, daemon=True).start()
write(frame(HELLO, b"1 1 flooder") + frame(READY))
while True:
    write(frame(HEALTH, b"victim unhealthy x") * 1500)
