"""Word out from the real tree to a push service and a webhook on the loopback interface, read by foreign libraries.

    check-word.py BIN

Every wait is for an event, with a limit.
"""
import base64, datetime, http.client, http.server, ipaddress, json, os, queue, ssl, stat, sys, threading, time

import http_ece
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from standardwebhooks.webhooks import Webhook

from checking import ROOT, Box, free_port

LIMIT = 20  # s, of one wait
box = Box("word", sys.argv[1], LIMIT)
home, ctl, step, until = box.home, box.ctl, box.step, box.until


def plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate():
    """One for 127.0.0.1, trusted by whoever is told to."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "push.example.invalid")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    (home / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (home / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def receiver(tls):
    """A server on a port of its own; what comes goes into a queue, the answers come from a list, then 201."""
    got, answers = queue.Queue(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers.pop(0) if answers else 201)
            self.send_header("Content-Length", "0")
            self.end_headers()
            got.put((self.path, dict(self.headers), body))

        log_message = lambda *_: None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.handle_error = True, lambda *_: None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(home / "cert.pem", home / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, got, answers


class Browser:
    """A paired device with a subscription."""

    def __init__(self):
        code = json.loads(ctl("pair", "--here", "--json"))["code"]
        status, headers, body = self.post("/api/pair", {"code": code, "name": "check"})
        assert status == 200, body
        self.cookie, paired = headers["Set-Cookie"].split(";")[0], json.loads(body)
        self.device, self.beside = paired["device"], paired["key"]
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    cookie, beside = "", "1"

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("POST", path, json.dumps(body), {
            "Content-Type": "application/json", "X-Nexus": self.beside, "Origin": f"http://localhost:{port}", "Host": f"localhost:{port}", "Cookie": self.cookie})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def subscribe(self, endpoint):
        point = self.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        status, _, body = self.post("/api/push", {"op": "subscribe", "endpoint": endpoint, "p256dh": url64(point), "auth": url64(self.auth)})
        assert status == 200, body

    def read(self, message):
        """What http-ece makes of a message, and what cryptography says of its token."""
        path, headers, body = message
        assert headers["Content-Encoding"] == "aes128gcm" and int(headers["TTL"]) > 0 and len(body) <= 4096, headers
        kind, _, fields = headers["Authorization"].partition(" ")
        fields = dict(field.strip().split("=", 1) for field in fields.split(","))
        assert kind == "vapid" and fields["k"] == json.loads(self.post("/api/push", {"op": "key"})[2])["key"], headers
        signed, signature = fields["t"].rsplit(".", 1)
        r, s = (int.from_bytes(half, "big") for half in (plain(signature)[:32], plain(signature)[32:]))
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), plain(fields["k"])).verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(plain(signed.split(".")[1]))
        assert claims["aud"] == f"https://127.0.0.1:{push_port}" and claims["sub"] == "mailto:owner@example.invalid", claims
        assert 0 < claims["exp"] - time.time() <= 86_400, claims
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"))


def hooked(kind):
    """The next word at the webhook, its signature checked by Standard Webhooks' own library."""
    _, headers, body = hook.get(timeout=LIMIT)
    word = Webhook(secret).verify(body.decode(), {name.lower(): value for name, value in headers.items()})
    assert word["kind"] == kind and word["id"] == headers["webhook-id"], word
    return word


TUNNEL = '''
import json, os, struct, sys
HEADER = struct.Struct(">IBBHQ")
def send(kind, payload=b"", peer=0, name=0):
    os.write(4, HEADER.pack(len(payload), 1, kind, peer, name) + payload)
def exactly(count):
    data = b""
    while len(data) < count:
        piece = os.read(3, count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data
send(1, b"1 1 tunnel-worker")
epoch = number = 0
while True:
    length, _, kind, peer, name = HEADER.unpack(exactly(16))
    payload = exactly(length)
    if kind == 2:
        epoch = json.loads(payload)["epoch"] << 32
        send(15)
    if kind == 3:
        send(4, b'{"type":"tunnel","url":"https://a.example.invalid"}', peer, name)
        number += 1
        send(6, b'{"event":"address","url":"https://b.example.invalid"}', peer, epoch | number)
    if kind == 13:
        send(14)
        sys.exit(0)
'''


def configure(reach):
    config = (ROOT / "Supervisor.toml").read_text().replace("127.0.0.1:4780", f"127.0.0.1:{port}")
    config = config.replace("\n[child.chat-bridge]\n", '\n[child.chat-bridge]\nsecrets = ["webhook"]\n')
    config = config.replace('NEXUS_WORD = "{word}"\n', f'NEXUS_WORD = "{{word}}"\nSSL_CERT_FILE = "{home}/cert.pem"\n')
    config = config.replace('\ncommand = ["tunnel-worker"]\n', f'\ncommand = ["python3", "{home}/tunnel.py"]\n')
    # It does not say that it comes round.
    config = config.replace('\nwatchdog = "2min"\n', '\n')
    (home / "Supervisor.toml").write_text(config + f'''
[word]
send = ["turn", "asked", "parked", "address"]
text = "title"
contact = "mailto:owner@example.invalid"
push-to = "{reach}"
webhook = "http://127.0.0.1:{hook_port}/hook"
[secret.webhook]
file = "{home}/webhook"
''')


certificate()
push_port, pushed, push_answers = receiver(tls=True)
hook_port, hook, _ = receiver(tls=False)
secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
(home / "webhook").write_text(secret + "\n")
(home / "webhook").chmod(0o600)
(home / "tunnel.py").write_text(TUNNEL)
port = free_port()
configure("private")
with box.running():
    # The second comes by an event right behind the first, which need not be told any more.
    told = [hooked("address")["url"]]
    if told != ["https://b.example.invalid"]:
        told.append(hooked("address")["url"])
    assert told[-1] == "https://b.example.invalid", told
    step("the tunnel's new address is at the webhook")

    browser = Browser()
    browser.subscribe(f"https://127.0.0.1:{push_port}/one")
    push_answers.append(503)
    ctl("chat", "a pie of pomegranates")
    word = browser.read(pushed.get(timeout=LIMIT))
    assert (word["kind"], word["state"], word["title"]) == ("turn", "done", "a pie of pomegranates"), word
    assert hooked("turn")["id"] == word["id"]
    again = pushed.get(timeout=LIMIT)
    assert browser.read(again) == word and again[1]["Topic"] == word["id"], "what failed comes again, the same"
    step("the end of a turn is at the push service, again after it failed, and http-ece reads it")

    _, _, lines = browser.post("/api/chat", {"op": "send", "session": None, "text": "/question", "client_id": "q", "wait": 1})
    session = json.loads(lines.splitlines()[0])["session"]
    assert browser.read(pushed.get(timeout=LIMIT))["asking"] == "question"
    hooked("asked")
    browser.post("/api/chat", {"op": "abort", "session": session})
    step("a question too")

    key = home / "s/chat/push-key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600, oct(key.stat().st_mode)
    ctl("devices", "revoke", browser.device)
    pushed.queue.clear(), hook.queue.clear()
    ctl("chat", "nobody hears this")
    while hooked(word["kind"])["title"] != "nobody hears this":
        pass
    assert pushed.empty(), "a device that was shut out is told something"
    step("a device that was shut out is told nothing")

    browser = Browser()
    browser.subscribe(f"https://127.0.0.1:{push_port}/two")
    push_answers.append(410)
    ctl("chat", "gone")
    assert pushed.get(timeout=LIMIT)[0] == "/two"
    until("the subscription to be forgotten", lambda: "endpoint" not in json.loads(browser.post("/api/push", {"op": "key"})[2]))
    step("410 forgets the subscription")

    configure("public")
    ctl("reload")
    ctl("wait", "--ready", "--timeout", "20s")
    until("the page", lambda: f"page at http://localhost:{port}" in ctl("status"))
    browser.subscribe(f"https://127.0.0.1:{push_port}/three")
    ctl("chat", "to this machine itself")
    until("the refusal", lambda: "127.0.0.1 is an address of this machine" in ctl("logs", "chat-bridge", "-n", "200"))
    assert pushed.empty(), "a push service on this machine was called although it may not be"
    step("a push service on this machine is not called unless the owner says so")
    said = ctl("logs", "-n", "1000")
    assert secret[6:] not in said and "/three" not in said and "pomegranates" not in said, "a secret is in the log"
print(f"word: foreign libraries read what we say, {box.seconds:.0f} s")
