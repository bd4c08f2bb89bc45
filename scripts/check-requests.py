#!/usr/bin/env python3
"""Holds what agent-worker asks of opencode to opencode's own API documents, in both lines: path, method, query, body.

    scripts/check-requests.py BIN

The built programs, with something in front of echo-agent that writes down what is sent to it; over the page's API it is asked
for all that Nexus can do with an agent. Each request has to be one of the document of its line
(../shared/reference/opencode/openapi-*.json; without them this is skipped), and each call that docs/agent.md names has to be
among them. Needs the Python package jsonschema.
"""
import base64, contextlib, http.client, json, os, pathlib, re, signal, socket, subprocess, sys, threading, urllib.parse

DOCUMENTS = pathlib.Path(__file__).resolve().parent.parent.parent / "shared/reference/opencode"


def record():
    """`check-requests.py --record DIRECTORY ECHO-AGENT WORDS…` in its place: what it is sent goes into a file a connection."""
    directory = pathlib.Path(sys.argv[2])
    agent = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *sys.argv[3:]], stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGTERM, lambda *_: agent.terminate())
    words, behind = re.fullmatch(r"(.*http://127\.0\.0\.1:)(\d+)\s*", agent.stdout.readline()).groups()
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"{words}{listener.getsockname()[1]}", flush=True)

    def stay():
        for line in agent.stdout:
            print(line, end="", flush=True)
        os._exit(agent.wait())
    threading.Thread(target=stay, daemon=True).start()
    ways = []

    def cut(*_):
        for one in ways:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
    signal.signal(signal.SIGUSR1, cut)

    def pass_on(source, sink, file):
        try:
            while data := source.recv(65536):
                if file:
                    file.write(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for one in (source, sink):
                one.close()

    for number in range(1 << 30):
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", int(behind)))
        ways.append(near)
        file = open(directory / f"{os.getpid()}-{number}", "wb", buffering=0)
        threading.Thread(target=pass_on, args=(near, far, file), daemon=True).start()
        threading.Thread(target=pass_on, args=(far, near, None), daemon=True).start()


def requests(directory):
    """Whole ones: method, path, query, media type, body."""
    for path in sorted(directory.iterdir()):
        rest = path.read_bytes()
        while b"\r\n\r\n" in rest:
            head, rest = rest.split(b"\r\n\r\n", 1)
            first, *lines = head.decode().split("\r\n")
            fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
            length = int(fields.get("content-length", 0))
            if len(rest) < length:
                break
            body, rest = rest[:length], rest[length:]
            method, target, _ = first.split(" ")
            path, _, query = target.partition("?")
            yield method, path, urllib.parse.parse_qsl(query, keep_blank_values=True), fields.get("content-type"), body


class Document:
    """Of one line. `more`: paths that are asked for to find out which line it is, and that it need not have."""

    def __init__(self, line, more):
        self.validator, self.more = jsonschema.Draft202012Validator, more
        self.whole = json.loads((DOCUMENTS / f"openapi-{line}.json").read_text())

    def operation(self, method, path):
        """The document's words for a path: as they are before those with a name in braces."""
        segments = path.split("/")
        fits = [template for template in self.whole["paths"] if method.lower() in self.whole["paths"][template]
                and len(template.split("/")) == len(segments)
                and all(a == b or a.startswith("{") and b for a, b in zip(template.split("/"), segments))]
        return min(fits, key=lambda template: template.count("{"), default=None)

    def problems(self, request):
        """The call in the document's words, and what is wrong with it."""
        method, path, query, kind, body = request
        template = self.operation(method, path)
        if template is None:
            return f"{method} {path}", [] if (method, path) in self.more else ["there is no such call"]
        operation = self.whole["paths"][template][method.lower()]
        named = [self.followed(one) for one in operation.get("parameters", [])]
        wrong = []
        for name, place in zip(path.split("/"), template.split("/")):
            if place.startswith("{"):
                schema = next(one["schema"] for one in named if one["in"] == "path" and one["name"] == place[1:-1])
                wrong += self.held(urllib.parse.unquote(name), schema, place)
        given = {}
        for name, text in query:
            outer, _, inner = name.partition("[")
            if inner:
                given.setdefault(outer, {})[inner.rstrip("]")] = text
            else:
                given[name] = text
        known = [one for one in named if one["in"] == "query"]
        for name, value in given.items():
            schemas = [one["schema"] for one in known if one["name"] == name]
            if not schemas:
                wrong.append(f"the query has no {name}")
            # A number is told from a text by the schema alone.
            elif not any(not self.held(one, schema, name) for schema in schemas for one in (value, self.read(value))):
                wrong.append(f"{name}={value} is not one of {schemas}")
        wrong += [f"the query needs {one['name']}" for one in known if one.get("required") and one["name"] not in given]
        asked = self.followed(operation.get("requestBody", {}))
        if body:
            schema = asked.get("content", {}).get((kind or "").split(";")[0], {}).get("schema")
            wrong += self.held(json.loads(body), schema, "the body") if schema else [f"no body of {kind} is taken"]
        elif asked.get("required"):
            wrong.append("it needs a body")
        return f"{method} {template}", wrong

    def followed(self, value):
        while "$ref" in value:
            name = value["$ref"].removeprefix("#/").split("/")
            value = self.whole
            for step in name:
                value = value[step]
        return value

    @staticmethod
    def read(text):
        try:
            return json.loads(text)
        except (TypeError, ValueError):
            return text

    def held(self, value, schema, what):
        found = self.validator({**schema, "components": self.whole["components"]}).iter_errors(value)
        wrong = [f"{what}: {error.message[:300]}" for error in found]
        # What a server does not know it may drop without a word.
        open_to = self.followed(schema).get("properties") if isinstance(value, dict) else None
        return wrong + [f"{what}: {name} is unknown" for name in value if name not in open_to] if open_to else wrong


class Page:
    """The page's API, as an owner's browser has it."""

    def __init__(self, port, code):
        self.port, self.cookie, self.key, self.last = port, "", "1", 0
        with_cookie = self.post("/api/pair", {"code": code, "name": "check"})
        self.cookie = with_cookie.getheader("Set-Cookie").split(";")[0]
        self.key = json.loads(with_cookie.read())["key"]

    def post(self, path, body):
        link = http.client.HTTPConnection("localhost", self.port, timeout=30)
        headers = {"Content-Type": "application/json", "X-Nexus": self.key, "Origin": f"http://localhost:{self.port}", "Cookie": self.cookie}
        link.request("POST", path, json.dumps(body), headers)
        return link.getresponse()

    def ask(self, _each=lambda line: None, **body):
        """All lines of the answer."""
        lines = []
        with self.post("/api/chat", body) as answer:
            while line := answer.readline():
                lines.append(json.loads(line))
                assert lines[-1].get("type") != "error", (body, lines[-1])
                _each(lines[-1])
        assert len(lines) == 1 or lines[-1] == {"type": "end"}, (body, lines)
        return lines

    def send(self, text, session=None, then="done", on={}, **more):
        """A turn to its end; `on`: what is asked when the first line of that type comes, of its session or its asking."""
        self.last, left = self.last + 1, dict(on)

        def each(line):
            asked = left.pop(line["type"], None)
            if callable(asked):
                asked()
            elif asked:
                self.ask(**{"session": line["session"], **({"id": line["id"]} if "id" in line else {}), **asked})
        lines = self.ask(each, op="send", session=session, text=text, client_id=f"check-{self.last}", **more)
        ended = next(line for line in lines if line["type"] == "ended")
        assert then is None or ended["state"] == then, (text, lines)
        return ended


def everything(page, cut):
    """All that Nexus does with an agent. `cut` ends every connection to it."""
    def answer(**words):
        return {"permission": {"op": "answer", **words}, "question": {"op": "answer", **words}}
    page.ask(op="catalog", workspace="home")
    session = page.send("hello", workspace="home", model="nexus/meter", agent="capitals")["session"]
    upload = page.ask(op="upload", bytes=5)[0]["upload"]
    file = page.ask(op="piece", upload=upload, at=0, data=base64.b64encode(b"hello").decode())[0]["id"]
    page.send("look", session, attachments=[{"id": file, "name": "a.txt"}])
    page.ask(op="choose", session=session, model="nexus/echo", agent=None)
    page.send("/permission", session, on=answer(reply="once"))
    page.send("/permission", session, then=None, on=answer(reply="reject", message="not on a Friday"))
    page.send("/subagent", session, on=answer(reply="always"))
    page.send("/question", session, then=None, on=answer(reply="dismiss"))
    page.send("/question", session, on=answer(answers=[["SQLite"], ["red", "a shade of mine"]]))
    page.send("/todo /diff /slow 20", session, then=None, on={"text": cut})
    page.send("/twice hi", session)
    page.send("/slow 500", session, then="interrupted", on={"text": {"op": "abort"}})
    page.send("/compact", session)
    last = page.send("and then", session)["turn"]
    page.ask(op="rename", session=session, title="renamed")
    page.ask(op="fork", session=session)
    copy = page.ask(op="fork", session=session, turn=last)[0]["session"]
    page.ask(op="revert", session=session, turn=last)
    page.ask(op="unrevert", session=session)
    page.ask(op="revert", session=session, turn=last)
    page.send("after it", session)
    page.send("in the copy", copy)
    page.ask(op="delete", session=copy)


# What docs/agent.md says that is called, in the words of the documents; the first to find out which line it is.
PROBES = {("GET", "/api/info"), ("GET", "/global/health"), ("GET", "/api/health")}
CALLS = {
    "v1": """GET /global/event|GET /config/providers|GET /agent|GET /command|POST /session/{sessionID}/command
        POST /session/{sessionID}/summarize|POST /session|GET /session/{sessionID}|GET /session/{sessionID}/children
        POST /session/{sessionID}/prompt_async|GET /session/{sessionID}/message/{messageID}|GET /session/status|GET /permission|GET /question
        GET /session/{sessionID}/message|GET /session/{sessionID}/todo|GET /session/{sessionID}/diff
        POST /session/{sessionID}/abort|POST /permission/{requestID}/reply|POST /question/{requestID}/reply
        POST /question/{requestID}/reject|PATCH /session/{sessionID}|DELETE /session/{sessionID}
        POST /session/{sessionID}/fork|POST /session/{sessionID}/revert|POST /session/{sessionID}/unrevert""",
    "v2": """GET /api/event|GET /api/model|GET /api/agent|POST /api/session|GET /api/session/{sessionID}|GET /api/session
        POST /api/session/{sessionID}/prompt|GET /api/session/active|GET /api/permission/request|GET /api/form
        GET /api/session/{sessionID}/message|GET /api/session/{sessionID}/diff|POST /api/session/{sessionID}/interrupt
        POST /api/session/{sessionID}/permission/{requestID}/reply|GET /api/session/{sessionID}/form/{formID}
        POST /api/session/{sessionID}/form/{formID}/reply|DELETE /api/session/{sessionID}/form/{formID}
        PATCH /api/session/{sessionID}|DELETE /api/session/{sessionID}|POST /api/session/{sessionID}/fork
        POST /api/session/{sessionID}/revert/stage|POST /api/session/{sessionID}/revert/commit
        DELETE /api/session/{sessionID}/revert|GET /api/session/{sessionID}/inbox
        GET /api/session/{sessionID}/message/{messageID}|POST /api/session/{sessionID}/model|POST /api/session/{sessionID}/agent
        POST /api/session/{sessionID}/compact|POST /api/experimental/session/{sessionID}/wait""",
}


def held_to(line, programs):
    from checking import ROOT, Box, free_port
    box, port, document = Box(f"requests-{line}", programs, who=f"{line}: "), free_port(), Document(line, PROBES)
    directory = box.home / "requests"
    directory.mkdir()
    agent = [sys.executable, os.path.abspath(__file__), "--record", directory, box.programs / "echo-agent", "serve", "--hostname", "127.0.0.1",
             "--port", "0", "--state", box.home / "echo-agent", "--delay-ms", "5", "--line", line]
    config = (ROOT / "Supervisor.toml").read_text().replace("127.0.0.1:4780", f"127.0.0.1:{port}")
    command = 'command = ["opencode", "serve", "--hostname", "127.0.0.1", "--port", "0"]'
    assert command in config
    config = re.sub(r"(?m)^fallback.*\n", "", config.replace(command, f"command = {json.dumps([str(word) for word in agent])}"))
    (box.home / "Supervisor.toml").write_text(config)
    missing = lambda: set(re.split(r"\s*[|\n]\s*", CALLS[line])) - {document.problems(request)[0] for request in requests(directory)}
    with box.running():
        everything(Page(port, json.loads(box.ctl("pair", "--here", "--json"))["code"]), lambda: os.kill(box.child("opencode")["pid"], signal.SIGUSR1))
        try:
            # The agent may be told later of what became of a session.
            box.until("every call", lambda: not missing())
        except AssertionError:
            raise AssertionError(f"{line}: not asked for: {sorted(missing())}") from None
        all = list(requests(directory))
    wrong = sorted({f"{line}: {call}: {words}" for request in all for call, found in [document.problems(request)] for words in found})
    print(*wrong, sep="\n", file=sys.stderr, end="\n" if wrong else "")
    # That it would find something.
    one = next(request for request in all if request[0] == "POST" and json.loads(request[4] or b"{}").get("title"))
    for broken in (("PUT", *one[1:]), (*one[:2], [("where", "x")], *one[3:]), (*one[:4], b'{"title":1}'), (*one[:4], b'{"tittle":"x"}')):
        assert document.problems(broken)[1], broken
    print(f"{line}: {len(all)} requests of {len({document.problems(request)[0] for request in all})} kinds are the document's")
    return bool(wrong)


if sys.argv[1] == "--record":
    record()
else:
    from checking import skipped
    if not DOCUMENTS.is_dir():
        skipped(f"what agent-worker asks of opencode, against its API documents: they are not there ({DOCUMENTS})")
        sys.exit()
    try:
        import jsonschema
    except ImportError:
        skipped("what agent-worker asks of opencode, against its API documents: the Python package jsonschema is not installed")
        sys.exit()
    sys.exit(any([held_to(line, sys.argv[1]) for line in CALLS]))
