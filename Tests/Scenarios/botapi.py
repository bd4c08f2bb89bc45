"""A stand-in of Telegram's Bot API, for TelegramScenarios: as much of it as the documentation says about what is used.

    botapi.py PORT TOKEN-FILE FIFO

Each line that comes through the FIFO is one update's content, as JSON ({"text":…}, {"tap":DATA,"on":MESSAGE},
{"text":…,"reply":MESSAGE}), or {"fail":[STATUS,…]}: the next calls are answered so; or {"away":true}: all are
answered by 503, until {"away":false}. Every call is printed as one line.
"""
import http.server, json, os, sys, threading

port, token, fifo = int(sys.argv[1]), open(sys.argv[2]).read().strip(), sys.argv[3]
changed = threading.Condition()
updates, messages, failures, state = [], {}, [], {"update": 100, "message": 1000, "away": False}


def feed():
    # Opened for reading and writing: no end of file between two writers.
    with os.fdopen(os.open(fifo, os.O_RDWR), "rb", buffering=0) as pipe:
        rest = b""
        while True:
            *lines, rest = (rest + pipe.read(65536)).split(b"\n")
            for line in lines:
                take(json.loads(line))


def take(line):
    with changed:
        if "fail" in line:
            failures.extend(line["fail"])
            return
        if "away" in line:
            state["away"] = line["away"]
            return
        chat = {"id": line.get("chat", 42), "type": "private"}
        state["update"] += 1
        update = {"update_id": state["update"]}
        if "tap" in line:
            update["callback_query"] = {"id": f"q{state['update']}", "from": {"id": chat["id"]}, "data": line["tap"],
                                        "message": {"message_id": line["on"], "chat": chat}}
        else:
            state["message"] += 1
            update["message"] = {"message_id": state["message"], "chat": chat, "text": line["text"]}
            if "reply" in line:
                update["message"]["reply_to_message"] = {"message_id": line["reply"], "chat": chat}
        updates.append(update)
        changed.notify_all()


class Bot(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        method = self.path.rsplit("/", 1)[1]
        if self.path != f"/bot{token}/{method}":
            return self.answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        result = self.call(method, body)
        if not isinstance(result, int):
            return self.answer(200, {"ok": True, "result": result})
        words = {429: "Too Many Requests", 400: "Bad Request: message is not modified"}.get(result, "Internal Server Error")
        answer = {"ok": False, "error_code": result, "description": words}
        if result == 429:
            answer["parameters"] = {"retry_after": 1}
        self.answer(result, answer)

    def call(self, method, body):
        """The result, or a status that says no."""
        if method == "getMe":
            return {"id": 1, "is_bot": True, "username": "nexus_test_bot"}
        if method == "getUpdates":
            with changed:
                updates[:] = [update for update in updates if update["update_id"] >= body["offset"]]
                changed.wait_for(lambda: updates, timeout=body["timeout"])
                return updates[: body["limit"]]
        with changed:
            if state["away"]:
                print("call", json.dumps({"method": method, "status": 503}), flush=True)
                return 503
            if failures and method != "answerCallbackQuery":
                status = failures.pop(0)
                print("call", json.dumps({"method": method, "status": status}), flush=True)
                return status
            print("call", json.dumps({"method": method, "status": 200, "body": body}), flush=True)
            if method == "answerCallbackQuery":
                return True
            text = body["text"]
            if not text.strip() or len(text.encode("utf-16-le")) // 2 > 4096:
                return 500
            if method == "sendMessage":
                state["message"] += 1
                messages[state["message"]] = text
                print("message", json.dumps({"id": state["message"], "text": text, "buttons": body.get("reply_markup")}), flush=True)
                return {"message_id": state["message"], "chat": {"id": body["chat_id"]}}
            if messages[body["message_id"]] == text:
                return 400
            messages[body["message_id"]] = text
            print("message", json.dumps({"id": body["message_id"], "text": text, "buttons": body.get("reply_markup")}), flush=True)
            return {"message_id": body["message_id"], "chat": {"id": body["chat_id"]}}

    def answer(self, status, answer):
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


threading.Thread(target=feed, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Bot)
server.daemon_threads = True
print("listening", flush=True)
server.serve_forever()
