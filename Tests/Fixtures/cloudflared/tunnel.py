"""A tunnel's life: start lines, registrations, what switches do to them, the end."""
import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
import uuid

import metrics
import settings
import switches
from edge import Edge

TICK = 0.02
LOCATIONS = ["lis01", "mad05", "lis02", "mad06"]


class Tunnel:
    def __init__(self, log, values, identity, kind, hostname=""):
        self.log, self.values, self.identity, self.kind, self.hostname = log, values, identity, kind, hostname
        self.wanted = 1 if kind == "quick" else int(values.get("ha-connections", 4))
        self.protocol = values.get("protocol", "auto")
        self.transport = "quic" if self.protocol == "auto" else self.protocol
        self.grace = settings.seconds(values.get("grace-period", "30s"))
        self.connector = str(uuid.uuid4())
        self.connected = set()
        self.streams = set()
        self.responses = {}
        self.requests = self.request_errors = self.in_flight = self.successes = self.refusals = 0
        self.rules = self.local_rules()
        self.config_version = -1
        self.warp_routing = {}
        self.origin_request = {}
        self.pushed = None
        self.signals = 0
        self.stopping = False
        self.has_registered = False
        self.lock = threading.Lock()
        self.began = time.monotonic()

    def local_rules(self):
        if self.values.get("ingress"):
            return [{"service": rule["service"], "hostname": rule.get("hostname"), "path": rule.get("path")}
                    for rule in self.values["ingress"]]
        if self.kind == "quick":
            socket_path = self.values.get("unix-socket")
            return [{"service": f"unix:{socket_path}" if socket_path else self.values["url"]}]
        return None if self.kind == "remote" else [{"service": "http_status:503"}]

    # What requests and the metrics port ask for.

    def carries(self):
        return bool(self.connected) and not self.stopping and switches.read("silent") != str(os.getpid())

    def ready_connections(self):
        return 0 if self.stopping else len(self.connected)

    @contextlib.contextmanager
    def counting(self):
        with self.lock:
            self.requests += 1
            self.in_flight += 1
        for _ in range(int(switches.number("chatter", 0))):
            self.log.info("request " + "." * 1000)
        try:
            yield
        finally:
            with self.lock:
                self.in_flight -= 1

    def count_response(self, code):
        with self.lock:
            self.responses[code] = self.responses.get(code, 0) + 1

    @staticmethod
    def visitor_address(address):
        return switches.read("visitor") or address

    # Its life.

    def run(self):
        # As Go's runtime does: what the caller had blocked is heard.
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGTERM, self.asked)
        signal.signal(signal.SIGINT, self.asked)
        # A dump of goroutines, and 2.
        signal.signal(signal.SIGQUIT, lambda *_: os._exit(2))
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self.say_start()
        if switches.read("start-fails") == "dns":
            return self.fail_for_dns()
        address = self.values.get("metrics", "127.0.0.1:0")
        try:
            if switches.read("start-fails") == "port":
                raise OSError(98, "Address already in use")
            host, port = metrics.serve(address, self)[:2]
        except OSError as error:
            self.log.bare("Error opening metrics server listener: failed to bind to address "
                          f"({address}): listen tcp {address}: bind: {error.strerror.lower()}")
            return 1
        self.log.info(f"Starting metrics server on {host}:{port}/metrics")
        for name in ("edge", "edge-tls"):
            place, _, certificate = (switches.read(name) or "").partition(" ")
            if place:
                Edge((place.rpartition(":")[0], int(place.rpartition(":")[2])), self, certificate)
        return self.live()

    def say_start(self):
        if self.kind != "quick":
            self.log.info("Starting tunnel", tunnelID=self.identity)
        self.log.info("Version 2026.8.2 (Checksum 0000000000000000000000000000000000000000000000000000000000000000)")
        self.log.info("GOOS: linux, GOVersion: go1.27.3, GoArch: amd64")
        shown = {key: "*****" if key == "token" else value for key, value in self.values.items() if key != "ingress"}
        self.log.info("Settings: map[" + " ".join(f"{key}:{value}" for key, value in sorted(shown.items())) + "]")
        inherited = sorted(name for name in os.environ if name.startswith("TUNNEL_"))
        if inherited:
            self.log.info(f"Environmental variables map[{' '.join(f'{name}:{os.environ[name]}' for name in inherited)}]")
        self.log.info(f"Generated Connector ID: {self.connector}")
        self.log.info(f"Initial protocol {self.transport}")

    def fail_for_dns(self):
        where = "_v2-origintunneld._tcp.argotunnel.com"
        cause = f"lookup {where} on 127.0.0.53:53: dial udp 127.0.0.53:53: connect: network is unreachable"
        self.log.error("edge discovery: error looking up Cloudflare edge IPs: the DNS query failed", error=cause)
        self.log.bare(f"Could not lookup srv records on {where}: {cause}")
        return 1

    def live(self):
        next_at = self.began
        retry = 0
        precheck_at = self.began + switches.number("precheck-after", 3)
        while not self.signals:
            code = self.switched_end()
            if code is not None:
                return code
            now = time.monotonic()
            if precheck_at and now >= precheck_at:
                precheck_at = None
                self.log.info("precheck complete", hard_fail=False, run_id=str(uuid.uuid4()),
                              suggested_protocol="http2" if switches.is_on("udp-blocked") else "quic")
            self.take_remote(now)
            if self.connected and self.is_cut():
                self.lose()
                next_at = now + 0.1
            most = min(self.wanted, int(switches.number("most", self.wanted)))
            if len(self.connected) > most:
                self.lose(most)
            if now >= next_at and len(self.connected) < most:
                if self.register(retry):
                    retry = 0
                    # The second at once, the others a second apart.
                    gap = 0 if len(self.connected) == 1 else switches.number("apart", 1)
                else:
                    retry += 1
                    gap = random.uniform(0, min(2 ** min(retry, int(self.values.get("retries", 5))), 32)) / \
                        switches.number("faster", 1)
                next_at = now + gap
            time.sleep(TICK)
        return self.drain()

    def is_cut(self):
        return switches.is_on("lose") or switches.read("stuck") == str(os.getpid())

    def switched_end(self):
        crash = switches.read("crash")
        if crash is not None and crash != self.ignored("crash"):
            number = int(crash or 2)
            if number > 128:
                signal.signal(number - 128, signal.SIG_DFL)
                os.kill(os.getpid(), number - 128)
            return number
        update = switches.read("update")
        if update is not None and update != self.ignored("update"):
            self.log.info("cloudflared has been updated", version=update)
            return 11
        return None

    def ignored(self, name):
        """Switches that end a process name the one they are for, by `PID` in a file of their own; without it: any."""
        target = switches.read(name + "-pid")
        return switches.read(name) if target not in (None, str(os.getpid())) else None

    def register(self, retry):
        index = next(number for number in range(self.wanted) if number not in self.connected)
        address = f"198.41.192.{index + 7}"
        if self.is_cut() or switches.is_on("never"):
            self.log.error("Unable to establish connection with Cloudflare edge", connIndex=index, event=0, ip=address,
                           error=f"DialContext error: dial tcp {address}:7844: i/o timeout")
            return self.retrying(index, address, retry)
        if switches.is_on("udp-blocked") and self.transport == "quic":
            self.log.error("Failed to dial a quic connection", connIndex=index, event=0, ip=address,
                           error="failed to dial to edge with quic: timeout: no recent network activity")
            return self.retrying(index, address, retry)
        refusal = switches.read("refuse")
        if refusal is not None:
            self.refusals += 1
            if self.transport == "http2":
                self.log.error("Register tunnel error from server side", connIndex=index, event=0, ip=address,
                               error=refusal or "Unauthorized: Invalid tunnel secret")
            self.log.error("failed to serve tunnel connection", connIndex=index, event=0, ip=address,
                           error="control stream encountered a failure while serving")
            return self.retrying(index, address, retry)
        self.connected.add(index)
        self.successes += 1
        self.log.info("Registered tunnel connection", connIndex=index, connection=str(uuid.uuid4()), event=0, ip=address,
                      location=LOCATIONS[index % 4], protocol=self.transport)
        if not self.has_registered:
            self.has_registered = True
            self.notify()
            self.write_pid()
        return True

    def retrying(self, index, address, retry):
        self.log.info(f"Retrying connection in up to {2 ** min(retry + 1, 6)}s", connIndex=index, event=0, ip=address)
        return False

    def lose(self, kept=0):
        """All its connections but so many."""
        for index in sorted(self.connected)[kept:]:
            last = len(self.connected) == 1
            self.connected.discard(index)
            address = f"198.41.192.{index + 7}"
            if self.transport == "http2":
                self.log.info("Lost connection with the edge", connIndex=index)
                (self.log.error if last else self.log.warn)("Serve tunnel error", connIndex=index, event=0, ip=address,
                                                            error="connection with edge closed")
            else:
                self.log.error("failed to accept incoming stream requests", connIndex=index, event=0, ip=address,
                               error="failed to accept QUIC stream: timeout: no recent network activity")
            self.retrying(index, address, 0)
        if not kept:
            self.cut_streams()

    def cut_streams(self):
        for stream in list(self.streams):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def take_remote(self, now):
        # A named one has rules of its own until it is migrated; so has a quick one, which nobody can migrate.
        if not self.connected or self.kind != "remote" and not switches.is_on("migrated"):
            return
        if now - self.began < switches.number("remote-after", 0.06):
            return
        pushed = switches.read("remote")
        if not pushed or pushed == self.pushed:
            return
        self.pushed = pushed
        self.rules = json.loads(pushed)["ingress"]
        self.warp_routing = json.loads(pushed).get("warp-routing", {})
        self.origin_request = json.loads(pushed).get("originRequest", {})
        self.config_version = 0 if self.config_version < 0 else self.config_version + 1
        self.log.info("Updated to new configuration", config=pushed, version=self.config_version)

    def notify(self):
        path = os.environ.get("NOTIFY_SOCKET")
        if not path:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect("\0" + path[1:] if path.startswith("@") else path)
            sender.send(b"READY=1")

    def write_pid(self):
        path = self.values.get("pidfile")
        if not path:
            return
        try:
            with open(path, "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        except OSError as error:
            self.log.error("Unable to write pid", error=str(error))

    # Its end.

    def asked(self, number, _):
        self.signals += 1
        self.number = number
        if self.signals > 1:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def drain(self):
        name = "terminated" if self.number == signal.SIGTERM else "interrupt"
        self.log.info(f"Initiating graceful shutdown due to signal {name} ...")
        self.stopping = True
        for index in sorted(self.connected):
            self.log.info("Unregistered tunnel connection", connIndex=index, event=0, ip=f"198.41.192.{index + 7}")
        until = time.monotonic() + self.grace
        while time.monotonic() < until and (self.in_flight or switches.is_on("slow-drain")):
            time.sleep(TICK)
        self.cut_streams()
        if self.connected:
            self.log.error("Connection terminated", error="graceful shutdown", connIndex=0)
        self.log.error("no more connections active and exiting")
        self.log.info("Tunnel server stopped")
        self.log.info("Metrics server stopped")
        return 0
