"""The edge and the way from it to the origin: HTTP/1.1 from a local port, chunk by chunk as it comes."""
import re
import select
import socket
import socketserver
import ssl
import threading
import urllib.parse

import switches

HEAD_LIMIT = 65536
FORWARDED = {"cf-connecting-ip", "x-forwarded-for", "x-forwarded-proto", "cf-ray", "cf-visitor", "cdn-loop",
             "connection", "cf-warp-tag-id"}


def is_for(name, host):
    """As it stands there, and, where that is another, in its lower-case ASCII form; a pattern has none."""
    if name in ("", "*") or name == host or name.startswith("*.") and host.endswith(name[1:]):
        return True
    try:
        return "*" not in name and name.lower().encode("idna").decode() == host
    except UnicodeError:
        return False


def rule_for(rules, host, path):
    """The first rule that matches, and its number."""
    for index, rule in enumerate(rules):
        matches = is_for(rule.get("hostname") or "", host)
        if matches and (not rule.get("path") or re.search(rule["path"], path)):
            return index, rule
    return None, {"service": "http_status:404"}


def open_origin(service):
    if service.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(service[5:])
        return connection
    parts = urllib.parse.urlsplit(service)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=30)


def answer(client, status, body):
    reason = {404: "Not Found", 502: "Bad Gateway", 503: "Service Unavailable", 530: ""}.get(status, "OK")
    client.sendall(f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\n"
                   f"Server: cloudflare\r\nConnection: close\r\n\r\n{body}".encode())


class Visitor(socketserver.BaseRequestHandler):
    """One request of a browser; the connection ends with its answer."""

    def handle(self):
        head = b""
        self.request.settimeout(30)
        try:
            while b"\r\n\r\n" not in head:
                more = self.request.recv(65536)
                if not more or len(head) > HEAD_LIMIT:
                    return
                head += more
            self.carry(head)
        except OSError:
            return

    def carry(self, head):
        tunnel = self.server.tunnel
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]
        names = {name.lower(): value for name, value in fields}
        host = names.get("host", "").split(":")[0].lower()
        path = lines[0].split(" ")[1]
        in_front = switches.read("front")
        if in_front:
            return answer(self.request, int(in_front), "")
        if not tunnel.carries():
            return answer(self.request, 530, "error code: 1033")
        if tunnel.rules is None:
            return answer(self.request, 503, "")
        tunnel.log.debug(f"{lines[0]}", **{"originService": "", "headers": names})
        index, rule = rule_for(tunnel.rules, host, path)
        with tunnel.counting():
            self.forward(tunnel, index, rule["service"], lines[0], fields, names, body)

    def forward(self, tunnel, index, service, first, fields, names, body):
        if service.startswith("http_status:"):
            tunnel.count_response(service[12:])
            return answer(self.request, int(service[12:]), "")
        try:
            # Another connector of the tunnel gets the visitors: they come to its origin.
            origin = open_origin(switches.read("elsewhere") or service)
        except OSError as error:
            tunnel.request_errors += 1
            tunnel.count_response("502")
            tunnel.log.error("", error="Unable to reach the origin service. The service may be down or it may not be "
                             f"responding to traffic from cloudflared: dial: connect: {error.strerror}", connIndex=0,
                             event=1, ingressRule=index, originService=service)
            return answer(self.request, 502, "Bad Gateway")
        with origin:
            tunnel.streams.add(origin)
            try:
                self.pipe(tunnel, origin, first, fields, names, body)
            finally:
                tunnel.streams.discard(origin)

    def pipe(self, tunnel, origin, first, fields, names, body):
        address = tunnel.visitor_address(self.client_address[0])
        upgrade = "upgrade" in names.get("connection", "").lower()
        kept = [f"{name}: {value}" for name, value in fields if name.lower() not in FORWARDED]
        kept += [f"Cf-Connecting-Ip: {address}", f"X-Forwarded-For: {address}", "X-Forwarded-Proto: https",
                 "Cf-Ray: 8f0000000000000-LIS", 'Cf-Visitor: {"scheme":"https"}', "Cdn-Loop: cloudflare; loops=1",
                 f"Cf-Warp-Tag-Id: {tunnel.connector}", "Connection: " + ("Upgrade" if upgrade else "close")]
        origin.sendall(("\r\n".join([first] + kept) + "\r\n\r\n").encode("latin-1") + body)
        status = None
        open_sides = {self.request: origin, origin: self.request}
        origin.settimeout(None)
        self.request.settimeout(None)
        while origin in open_sides:
            # What TLS has decrypted already select(2) does not know of.
            waiting = [side for side in open_sides if getattr(side, "pending", int)()]
            ready = waiting or select.select(list(open_sides), [], [], 1)[0]
            for side in ready:
                data = side.recv(65536)
                if not data:
                    # A browser that has gone is told to the origin at once.
                    if side is self.request:
                        return
                    open_sides.pop(side)
                    continue
                if side is origin and status is None:
                    status = data[9:12].decode("latin-1", "replace")
                    tunnel.count_response(status)
                open_sides[side].sendall(data)


class Edge(socketserver.ThreadingTCPServer):
    """The public side. It answers as Cloudflare does, also when no connection of the tunnel stands."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, tunnel, certificate=None):
        """With a certificate (PEM, its key beside it) visitors come by TLS, as they do to Cloudflare."""
        self.tunnel = tunnel
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        super().__init__(address, Visitor)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def finish_request(self, request, client_address):
        """In the visitor's own thread: a slow handshake holds up nobody else."""
        if self.context:
            request.settimeout(30)
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        """A visitor that leaves in the middle is no fault."""
