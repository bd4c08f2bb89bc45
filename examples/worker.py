#!/usr/bin/env python3
"""A worker of Nexus without any library: upper-cases `echo TEXT`, streams `count N` (docs/bus-protocol.md)."""
import struct, sys

HEADER = struct.Struct(">IBBHQ")  # payload length, version, kind, peer, id
(HELLO, WELCOME, REQUEST, REPLY, ERROR, EVENT, STREAM, END, CANCEL, CREDIT,
 PING, PONG, DRAIN, DRAINED, READY, STATUS, HEALTH) = range(1, 18)
from_nexusd, to_nexusd = open(3, "rb"), open(4, "wb")
streams = {}  # request id -> [peer, an iterator over the numbers left to send, bytes of credit]
MOST_STREAMS = 32  # open at a time; whoever wants more hears `busy` and tries again


def send(kind, payload=b"", peer=0, id=0):
    to_nexusd.write(HEADER.pack(len(payload), 1, kind, peer, id) + payload)
    to_nexusd.flush()


def read(count):
    data = from_nexusd.read(count)
    if len(data) < count:
        sys.exit(0)  # nexusd has ended, or has closed this link
    return data


def answer(peer, id, words):
    verb, _, rest = words.partition(b" ")
    if verb == b"echo":
        send(REPLY, rest.upper(), peer, id)
    elif verb == b"count" and rest.isdigit() and len(rest) < 7:
        if len(streams) < MOST_STREAMS:
            streams[id] = [peer, iter(range(1, int(rest) + 1)), 65536]
        else:
            send(ERROR, b'{"code":"busy","message":"32 counts are under way; try again"}', peer, id)
    else:
        send(ERROR, b'{"code":"bad-request","message":"say: echo TEXT, or: count N"}', peer, id)


def send_what_credit_allows(id, stream):
    while stream[2] >= 64:  # no frame of ours costs more
        number = next(stream[1], None)
        if number is None:
            send(END, b"", stream[0], id)
            del streams[id]
            return
        payload = b"%d" % number
        send(STREAM, payload, stream[0], id)
        stream[2] -= HEADER.size + len(payload)


send(HELLO, b"1 1 python")
send(READY)
draining = False
while streams or not draining:
    length, _, kind, peer, id = HEADER.unpack(read(HEADER.size))
    payload = read(length)
    if kind == REQUEST:
        answer(peer, id, payload)
    elif kind == CREDIT and id in streams:
        streams[id][2] += int.from_bytes(payload, "big")
    elif kind in (CANCEL, ERROR):
        streams.pop(id, None)
    elif kind == DRAIN:
        draining = True
    for id, stream in list(streams.items()):
        send_what_credit_allows(id, stream)
send(DRAINED)
