"""What both checks of echo-agent have in common: schemas, a running agent, its event streams, and the frame of a check."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

from checking import ROOT, skipped

FRAMES = ROOT / "Tests/OpenCodeTests/Frames"
PASSWORD = "check"
LIMIT = 20  # seconds for anything that is waited for


class Schemas:
    """Our own schemas and, where it is there, the whole document; counts what was checked."""

    # Of the line: our own, and the whole document.
    own_file = whole_file = None

    def __init__(self):
        import jsonschema

        self.validator = jsonschema.Draft202012Validator
        self.own = json.loads(self.own_file.read_text())
        self.whole = json.loads(self.whole_file.read_text()) if self.whole_file.exists() else None
        self.checked = {"own": 0, "whole": 0}
        self.failures = []

    def check(self, what, value, own, whole=None):
        """`own`: a name in our $defs; `whole`: a schema inside the whole document."""
        self._hold("own", what, value, {"$ref": f"#/$defs/{own}", "$defs": self.own["$defs"]})
        if self.whole is not None and whole is not None:
            self._hold("whole", what, value, {**whole, "components": self.whole["components"]})

    def tell(self, recorded):
        """How much was checked; `recorded`: files of it that were recorded before."""
        print(f"{self.checked['own']} answers and frames against our own schemas, {recorded} recorded files among them")
        if self.whole is None:
            skipped(f"echo-agent against the whole API document: it is not there ({self.whole_file})")
        else:
            print(f"{self.checked['whole']} answers and frames against the whole API document")

    def _hold(self, which, what, value, schema):
        self.checked[which] += 1
        error = next(self.validator(schema).iter_errors(value), None)
        if error is not None:
            error = self._reason(error)
            path = "/".join(map(str, error.absolute_path))
            self.failures.append(f"{what} ({which} schema) at {path or 'the top'}: {error.message[:300]}")

    def _reason(self, error):
        """What is wrong with the alternative that was meant: the one whose constants (type, role, status) fit."""
        if not error.context:
            return error
        alternatives = {}
        for one in error.context:
            alternatives.setdefault(one.relative_schema_path[0], []).append(one)
        meant = min(alternatives.values(), key=lambda all: any(one.validator in ("const", "enum") for one in all))
        return self._reason(meant[0])

    def operation(self, method, path, status):
        """The whole document's schema for an answer."""
        if self.whole is None:
            return None
        answer = self.whole["paths"][path][method.lower()]["responses"][str(status)]
        return answer.get("content", {}).get("application/json", {}).get("schema")

    def frame(self, what, frame, is_global=False):
        name = "GlobalEvent" if is_global else "Event"
        self.check(what, frame, name, {"$ref": f"#/components/schemas/{name}"})


class Agent:
    """A running echo-agent."""

    arguments = []
    ready = "opencode server listening on "

    def __init__(self, program, state):
        environment = {"OPENCODE_SERVER_PASSWORD": PASSWORD, "PATH": os.environ["PATH"], "HOME": state}
        self.process = subprocess.Popen(
            [program, "serve", "--hostname", "127.0.0.1", "--port", "0", "--delay-ms", "1", "--state", state,
             *self.arguments],
            env=environment, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith(self.ready), f"unexpected first line {line!r}"
        self.url = line.removeprefix(self.ready).strip()

    def request(self, method, path, body=None):
        token = base64.b64encode(f"opencode:{PASSWORD}".encode()).decode()
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method)
        return urllib.request.urlopen(request, timeout=LIMIT)

    def call(self, method, path, body=None):
        """Status and value."""
        try:
            with self.request(method, path, body) as answer:
                raw = answer.read()
                assert not raw or answer.headers["Content-Type"] == "application/json", answer.headers["Content-Type"]
                return answer.status, json.loads(raw) if raw else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


class Events:
    """Reads an event stream in a thread until told to stop."""

    def __init__(self, agent, path):
        self.frames = []
        self.changed = threading.Condition()
        self.answer = agent.request("GET", path)
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.answer:
            if line.startswith(b"data: "):
                with self.changed:
                    self.frames.append(json.loads(line[6:]))
                    self.changed.notify_all()

    def wait(self, matches):
        with self.changed:
            assert self.changed.wait_for(lambda: any(matches(frame) for frame in self.frames), LIMIT), "no such event"
            return list(self.frames)


def check(schemas, agent, body, drive):
    """`body` holds a running agent to schemas; `drive` is the unrelated client's part. The exit status."""
    try:
        schemas = schemas()
    except ImportError:
        skipped("echo-agent against its schemas: the Python package jsonschema is not installed")
        return 0
    with tempfile.TemporaryDirectory() as state:
        agent = agent(sys.argv[1], state)
        try:
            body(agent, schemas)
            try:
                drive(agent)
            except ImportError as error:
                skipped(f"the typed client is not installed ({error})")
        finally:
            agent.process.kill()
            agent.process.wait()
    for failure in schemas.failures[:20]:
        print(f"NOT: {failure}", file=sys.stderr)
    return 1 if schemas.failures else 0
