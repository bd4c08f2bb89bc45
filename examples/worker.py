#!/usr/bin/env python3
"""A worker of Nexus without any library: upper-cases `echo TEXT`, streams `count N` (docs/bus-protocol.md)."""
import struct, sys

HEADER = struct.Struct(">IBBHQ")  # payload length, version, kind, peer, id
(HELLO, WELCOME, REQUEST, REPLY, ERROR, EVENT, STREAM, END, CANCEL, CREDIT,
 PING, PONG, DRAIN, DRAINED, READY, STATUS, HEALTH) = range(1, 18)
from_nexusd, to_nexusd = open(3, "rb"), open(4, "wb")
streams = {}  # request id -> [peer, numbers left to send, bytes of credit]


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
        streams[id] = [peer, list(range(int(rest), 0, -1)), 65536]
    else:
        send(ERROR, b'{"code":"bad-request","message":"say: echo TEXT, or: count N"}', peer, id)


def send_what_credit_allows(id, stream):
    while stream[1] and stream[2] >= 64:  # no frame of ours costs more
        number = b"%d" % stream[1].pop()
        send(STREAM, number, stream[0], id)
        stream[2] -= HEADER.size + len(number)
    if not stream[1]:
        send(END, b"", stream[0], id)
        del streams[id]


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
