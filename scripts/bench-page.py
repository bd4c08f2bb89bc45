#!/usr/bin/env python3
"""Measures what chat-bridge adds to each word of the agent while many browsers listen, and what a browser costs it.

    scripts/bench-page.py [--clients N] [--words N] [--rate PER_SECOND] [--rounds N] [--json FILE]     needs scripts/build

This program is chat-bridge's nexusd and its agent-worker (docs/bus-protocol.md): each word that the agent says is the time
at which it was written to the pipe. It is over when the kernel has it at the client's socket (SO_TIMESTAMPNS): that one
program reads 200 sockets one after the other is no part of it, and is told beside it. Clients are one process of their own
that gives way to chat-bridge, over loopback, all following one session. Each round measures one client and many; what is
told is the median of the rounds. Nothing here passes or fails.
"""
import argparse, json, multiprocessing, os, pathlib, re, select, shutil, signal, socket, statistics, struct, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("NEXUS_BIN", ROOT / ".build-bin"))
HEADER = struct.Struct(">IBBHQ")  # payload length, version, kind, peer, id
(HELLO, WELCOME, REQUEST, REPLY, ERROR, EVENT, STREAM, END, CANCEL, CREDIT,
 PING, PONG, DRAIN, DRAINED, READY, STATUS, HEALTH) = range(1, 18)
CLIENT, AGENT = 0x8000, 2
PER_DEVICE = 14  # answers that one device has open here; it may have 16


class Bridge:
    """chat-bridge between two pipes."""

    def __init__(self, directory, port):
        down, up = os.pipe(), os.pipe()
        moved = [os.dup(down[0]), os.dup(up[1])]
        while min(moved) < 16:
            moved = [os.dup(n) for n in moved]
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "NEXUS_CHAT_LISTEN": f"127.0.0.1:{port}",
                       "NEXUS_WORKSPACES": json.dumps([{"name": "home", "path": directory}])}
        self.pid = os.posix_spawn(
            BIN / "chat-bridge", ["chat-bridge", "--directory", directory], environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, moved[0], 3), (os.POSIX_SPAWN_DUP2, moved[1], 4)])
        self.input, self.output, self.last = up[0], down[1], 1 << 32
        self.lock, self.ready, self.turn = threading.Lock(), threading.Event(), threading.Event()
        self.answers = {}
        threading.Thread(target=self.read, daemon=True).start()
        if not self.ready.wait(60):
            raise SystemExit("chat-bridge is not ready within 60 s")

    def send(self, kind, payload=b"", peer=0, id=0):
        with self.lock:
            os.write(self.output, HEADER.pack(len(payload), 1, kind, peer, id) + payload)

    def read(self):
        with open(self.input, "rb", closefd=False) as frames:
            while header := frames.read(HEADER.size):
                length, _, kind, peer, id = HEADER.unpack(header)
                payload = frames.read(length)
                if kind == HELLO:
                    self.send(WELCOME, json.dumps({"protocol": 1, "epoch": 1, "peer": 1, "name": "chat-bridge", "may": [],
                                                   "peers": [{"name": "agent-worker", "peer": AGENT}], "values": {}}).encode())
                    self.send(EVENT, json.dumps({"event": "client", "peer": CLIENT, "uid": os.getuid(), "name": "bench",
                                                 "state": "joined"}).encode())
                elif kind == READY:
                    self.ready.set()
                elif kind == PING:
                    self.send(PONG, payload, peer, id)
                elif kind == REQUEST and peer == AGENT:
                    self.be_agent(json.loads(payload), id)
                elif kind == REQUEST:
                    self.send(ERROR, b'{"code":"refused","message":"this nexusd only measures"}', peer, id)
                elif kind == STREAM:
                    self.answers[id].append(json.loads(payload))
                    self.send(CREDIT, struct.pack(">I", HEADER.size + length), peer, id)
                elif kind == ERROR and id in self.answers:
                    print("chat-bridge:", payload.decode(), flush=True)
                    self.answers[id].append(None)
                elif kind == REPLY and id in self.answers:
                    self.answers[id] += [json.loads(payload), None]
                elif kind == END and id in self.answers:
                    self.answers[id].append(None)

    def be_agent(self, asked, id):
        if asked["op"] == "describe":
            about = {"product": "bench", "version": "1", "ready": True, "state": "ready", "workspaces": ["home"]}
            self.send(REPLY, json.dumps({"description": about}).encode(), AGENT, id)
        elif asked["op"] == "open-session":
            self.send(REPLY, b'{"session":"bench"}', AGENT, id)
        elif asked["op"] == "run-turn":
            self.turn_id = id
            self.say(event="turn-started")
            self.turn.set()
        else:
            self.send(ERROR, b'{"code":"failed","message":"not here"}', AGENT, id)

    def say(self, **event):
        self.send(STREAM, json.dumps(event).encode(), AGENT, self.turn_id)

    def ask(self, **request):
        self.last += 1
        id, self.answers[self.last] = self.last, []
        self.send(REQUEST, json.dumps(request).encode(), CLIENT, id)
        until = time.monotonic() + 60
        while time.monotonic() < until and (not self.answers[id] or self.answers[id][-1] is not None):
            time.sleep(0.005)
        return [line for line in self.answers[id] if line]


def post(port, path, body, cookie="", key="1"):
    body = json.dumps(body)
    lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{port}", f"Origin: http://localhost:{port}", f"X-Nexus: {key}",
             "Content-Type: application/json", f"Content-Length: {len(body)}"] + ([f"Cookie: {cookie}"] if cookie else [])
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def pair(bridge, port):
    answer = bridge.ask(op="pair", role="owner", here=True)
    if not answer:
        raise SystemExit("chat-bridge makes no code")
    code = answer[0]["code"]
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall(post(port, "/api/pair", {"code": code, "name": "bench"}))
        answer = link.recv(65536).decode()
    return answer.split("Set-Cookie: ")[1].split(";")[0], json.loads(answer.split("\r\n\r\n")[1]).get("key", "1")


class Client:
    """One browser: takes what came and the time at which the kernel had it, and looks at it when all has come."""
    SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the first read after a word has the time of the word's last segment

    def __init__(self, port, session, paired):
        self.link = socket.create_connection(("127.0.0.1", port), 20)
        self.link.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self.link.sendall(post(port, "/api/chat", {"op": "resume", "session": session, "after": 0, "follow": True}, *paired))
        self.came = []

    def take(self):
        """What there is, b"" at the end."""
        data, ancillary, _, _ = self.link.recvmsg(65536, 64)
        stamp = next((struct.unpack("qq", value) for level, kind, value in ancillary if kind == self.SO_TIMESTAMPNS), None)
        self.came.append((time.time_ns(), stamp and stamp[0] * 1_000_000_000 + stamp[1], data))
        return data

    def took(self):
        """Of each word: until it was at this socket, and until it was read."""
        return [((kernel - int(text)) / 1e6, (at - int(text)) / 1e6)
                for at, kernel, data in self.came for text in re.findall(rb'"text":"(\d{9,})"', data)]


def listen(port, cookies, count, words, session, results):
    """The clients: a process of its own, which gives way to chat-bridge as other machines would."""
    if os.sched_getscheduler(0) == os.SCHED_OTHER:
        os.nice(19)
    else:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    clients, left = {}, {}
    wait = select.epoll()
    # One after the other: all come from one address, of which the page takes 32 strangers at a time.
    for number in range(count):
        one = Client(port, session, cookies[number // PER_DEVICE])
        seen = b""
        while b'"started"' not in seen:
            data = one.take()
            if not data:
                raise SystemExit(f"chat-bridge closed client {number}: {seen!r}")
            seen += data
        one.link.setblocking(False)
        clients[one.link.fileno()], left[one.link.fileno()] = one, words
        wait.register(one.link.fileno(), select.EPOLLIN)
    results.send("ready")
    until = time.monotonic() + 600
    while left and time.monotonic() < until:
        for number, _ in wait.poll(60):
            data = clients[number].take()
            left[number] -= data.count(b'"type":"text"')
            if left[number] <= 0 or not data:
                wait.unregister(number)
                del left[number]
    results.send([pair for one in clients.values() for pair in one.took()])


def anonymous_kib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Anonymous:"))


def cpu_ns(pid):
    """What all threads of a process have run for (proc(5), schedstat); none of chat-bridge's ends meanwhile."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in pathlib.Path(f"/proc/{pid}/task").iterdir())


def measure(count, words, rate):
    directory = tempfile.mkdtemp(prefix="nexus-bench-page-")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bridge = Bridge(directory, port)
    try:
        # Each address has ten tries at once, then one each 6 s.
        cookies = []
        while len(cookies) * PER_DEVICE < count:
            try:
                cookies.append(pair(bridge, port))
            except IndexError:
                time.sleep(6)
        threading.Thread(target=bridge.ask, kwargs={"op": "send", "text": "go", "client_id": "bench"}, daemon=True).start()
        if not bridge.turn.wait(60):
            raise SystemExit("no turn came to the agent")
        session = bridge.ask(op="list")[0]["session"]
        before = anonymous_kib(bridge.pid)
        near, far = multiprocessing.Pipe()
        clients = multiprocessing.Process(target=listen, args=(port, cookies, count, words, session, far))
        clients.start()
        if not near.poll(90) or near.recv() != "ready":
            raise SystemExit("the clients are not there within 90 s")
        begun, cpu = time.monotonic(), cpu_ns(bridge.pid)
        for number in range(words):
            time.sleep(max(0, begun + number / rate - time.monotonic()))
            bridge.say(event="text-delta", block="b", text=str(time.time_ns()))
        took = near.recv()
        after, cpu = anonymous_kib(bridge.pid), cpu_ns(bridge.pid) - cpu
        clients.join()
        if len(took) != count * words:
            raise SystemExit(f"{count * words} words were to come, {len(took)} did")
        there, read = (sorted(column) for column in zip(*took))
        return {"clients": count, "words": words, "rate": rate, "median_ms": statistics.median(there),
                "p99_ms": there[int(len(there) * 0.99)], "worst_ms": there[-1], "read_p99_ms": read[int(len(read) * 0.99)],
                "cpu_us": cpu / count / words / 1000,
                "kib_a_client": (after - before) / count}
    finally:
        os.kill(bridge.pid, signal.SIGKILL)
        os.waitpid(bridge.pid, 0)
        shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        rounds.append([measure(count, options.words, options.rate) for count in (1, options.clients)])
        alone, many = rounds[-1]
        print(f"load {os.getloadavg()[0]:.1f}: 1 client p99 {alone['p99_ms']:.2f} ms, {many['clients']} clients "
              f"{many['p99_ms']:.2f} ms, so {many['p99_ms'] - alone['p99_ms']:+.2f} ms", flush=True)
    def middle(number, key):
        return statistics.median(row[number][key] for row in rounds)
    print("| streaming clients | words | median | p99 | worst | p99 until read | CPU a word and client | anonymous memory a client |\n|---|---|---|---|---|---|---|---|")
    for number, count in enumerate((1, options.clients)):
        print(f"| {count} | {options.words} at {options.rate:g}/s | {middle(number, 'median_ms'):.2f} ms | {middle(number, 'p99_ms'):.2f} ms | "
              f"{middle(number, 'worst_ms'):.2f} ms | {middle(number, 'read_p99_ms'):.2f} ms | {middle(number, 'cpu_us'):.1f} µs | {middle(number, 'kib_a_client'):.1f} KiB |")
    added = statistics.median(many["p99_ms"] - alone["p99_ms"] for alone, many in rounds)
    print(f"{options.clients} clients add {added:.2f} ms at p99, median of {len(rounds)} rounds")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rounds))


if __name__ == "__main__":
    main()
