"""A receiver of webhooks, for WordScenarios: checks each signature as Standard Webhooks has it, and prints what came.

    receiver.py PORT SECRET-FILE [STATUS…]     answers with these statuses in order, then with 204
"""
import base64, hashlib, hmac, http.server, json, sys

port, secret, statuses = int(sys.argv[1]), open(sys.argv[2], "rb").read().strip(), [int(word) for word in sys.argv[3:]]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, time = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        expected = "v1," + base64.b64encode(hmac.new(secret, f"{name}.{time}.".encode() + body, hashlib.sha256).digest()).decode()
        good = hmac.compare_digest(expected, self.headers["webhook-signature"])
        status = statuses.pop(0) if statuses else 204
        print("got", json.dumps({"good": good, "status": status, "same": name == json.loads(body)["id"], "word": json.loads(body)}, sort_keys=True), flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
print("listening", flush=True)
server.serve_forever()
