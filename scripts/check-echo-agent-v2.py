#!/usr/bin/env python3
"""Holds `echo-agent --line v2` to opencode's v2 API: every answer and every frame.

    scripts/check-echo-agent-v2.py PATH/TO/echo-agent

1. against Tests/OpenCodeTests/Schemas/opencode-v2.json, our own schemas of what Nexus uses;
2. against the whole contract, ../shared/reference/opencode/openapi-v2.json, where that is there;
3. by letting an unrelated typed client, opencode-python-sdk from PyPI, drive it.

Needs the packages jsonschema and, for the third part, opencode-python-sdk; says what it skips.
"""

import base64
import json
import sys
import urllib.error
import urllib.request

import echoing
from echoing import FRAMES, LIMIT, PASSWORD, ROOT, Events


class Schemas(echoing.Schemas):
    own_file = ROOT / "Tests/OpenCodeTests/Schemas/opencode-v2.json"
    whole_file = ROOT.parent / "shared/reference/opencode/openapi-v2.json"

    def frame(self, what, frame):
        """The whole contract's union of events has one member that any type fits: the type's own is looked for."""
        whole = None
        if self.whole is not None:
            schemas = self.whole["components"]["schemas"]
            names = [name for name, schema in schemas.items()
                     if name.endswith(("Event", "SessionStatusUpdated"))
                     and schema.get("properties", {}).get("type", {}).get("const") == frame["type"]]
            if len(names) == 1:
                whole = {"$ref": f"#/components/schemas/{names[0]}"}
            else:
                self.failures.append(f"{what}: the whole contract has {len(names)} events of this type")
        self.check(what, frame, "Event", whole)


class Agent(echoing.Agent):
    arguments = ["--line", "v2"]
    ready = "server listening on "


def tag(error):
    return error and error.get("_tag")


def check_calls(agent, schemas):
    def call(method, path, own, body=None, status=200, template=None):
        got, value = agent.call(method, path, body)
        what = f"{method} {path}"
        if got != status:
            schemas.failures.append(f"{what}: status {got} instead of {status}: {value}")
        elif own is not None:
            whole = schemas.operation(method, template or path.split("?")[0], status) if status == 200 else None
            schemas.check(what, value, own, whole)
        return value

    place = "?location%5Bdirectory%5D=/srv/work"
    call("GET", "/api/info", "Info")
    for path in ["/api/agent", "/api/model", "/api/model/default", "/api/provider", "/api/command"]:
        call("GET", path + place, "Located")
    call("GET", "/api/permission/request" + place, "Permissions")
    call("GET", "/api/form" + place, "Forms")
    made = {"title": "first", "location": {"directory": "/srv/work"}}
    session = call("POST", "/api/session", "SessionAnswer", made)["data"]["id"]
    child = call("POST", "/api/session", "SessionAnswer", {**made, "parentID": session})["data"]["id"]
    one, template = f"/api/session/{session}", "/api/session/{sessionID}"
    call("GET", one, "SessionAnswer", template=template)
    call("PATCH", one, None, {"title": "renamed"}, status=204)
    assert call("GET", one, "SessionAnswer", template=template)["data"]["title"] == "renamed"
    children = call("GET", f"/api/session?parentID={session}", "Sessions", template="/api/session")
    assert [found["id"] for found in children["data"]] == [child]
    roots = call("GET", "/api/session?directory=/srv/work&parentID=null", "Sessions", template="/api/session")
    assert [found["id"] for found in roots["data"]] == [session]

    prompt = {"id": "msg_0199c3a1e600001aaaaaaaaaaaaa", "text": "grüße", "metadata": {"nexus": True}}
    message = template + "/message"
    assert call("GET", f"{one}/message/{prompt['id']}", "MessageNotFoundError", status=404)
    taken = call("POST", one + "/prompt", "WaitingAnswer", prompt, template=template + "/prompt")["data"]
    assert taken["id"] == prompt["id"] and taken["payload"]["metadata"] == {"nexus": True}, taken
    call("POST", f"/api/experimental/session/{session}/wait", None, status=204)
    again = call("POST", one + "/prompt", "WaitingAnswer", prompt, template=template + "/prompt")
    assert again["data"]["id"] == prompt["id"]
    call("POST", one + "/prompt", "ConflictError", {**prompt, "text": "other words"}, status=409)
    found = call("GET", one + "/message", "Messages", template=message)["data"]
    assert [one["type"] for one in found] == ["user", "assistant", "idle"], "the same id is the same prompt"
    call("GET", f"{one}/message/{prompt['id']}", "MessageAnswer", template=message + "/{messageID}")

    call("POST", one + "/prompt", "WaitingAnswer", {"text": "/slow 1000"}, template=template + "/prompt")
    waiting = call("POST", one + "/prompt", "WaitingAnswer", {"text": "later"}, template=template + "/prompt")["data"]
    inbox = call("GET", one + "/inbox", "Inbox", template=template + "/inbox")["data"]
    assert [found["id"] for found in inbox] == [waiting["id"]], inbox
    assert session in call("GET", "/api/session/active", "Active")["data"]
    call("DELETE", f"{one}/inbox/{waiting['id']}", None, status=204)
    call("POST", one + "/interrupt", "Interrupted", template=template + "/interrupt")
    call("POST", f"/api/experimental/session/{session}/wait", None, status=204)
    assert call("GET", "/api/session/active", "Active")["data"] == {}
    found = call("GET", one + "/message?order=desc&limit=1", "Messages", template=message)
    assert found["data"][0]["outcome"] == "interrupted", found
    older = call("GET", f"{one}/message?order=desc&limit=50&cursor={found['cursor']['next']}", "Messages",
                 template=message)
    assert len(older["data"]) == 5 and older["cursor"]["next"] is None, older

    copy = call("POST", one + "/fork", "SessionAnswer", {"before": prompt["id"]}, template=template + "/fork")["data"]
    assert copy["fork"]["sessionID"] == session, copy
    copied = f"/api/session/{copy['id']}"
    assert call("GET", copied + "/message", "Messages", template=message)["data"] == []
    file = {"uri": "data:text/plain;base64,aGVsbG8=", "name": "a.txt"}
    sent = call("POST", copied + "/prompt", "WaitingAnswer", {"text": "look", "files": [file]}, template=template + "/prompt")
    call("POST", f"/api/experimental/session/{copy['id']}/wait", None, status=204)
    said = call("GET", copied + "/message", "Messages", template=message)["data"]
    assert "a.txt (text/plain, 5 bytes)" in json.dumps(said), said
    call("POST", copied + "/compact", None, {"id": "msg_0199c3a1e600002aaaaaaaaaaaaa", "delivery": "queue"})
    call("POST", f"/api/experimental/session/{copy['id']}/wait", None, status=204)
    summary = call("GET", copied + "/message?order=desc&limit=1", "Messages", template=message)["data"][0]
    assert summary["type"] == "compaction" and summary["id"] == "msg_0199c3a1e600002aaaaaaaaaaaaa", summary
    call("POST", copied + "/revert/stage", None, {"messageID": sent["data"]["id"], "files": True})
    staged = call("GET", copied, "SessionAnswer", template=template)["data"]
    assert staged["revert"]["messageID"] == sent["data"]["id"], staged
    call("DELETE", copied + "/revert", None, status=204)
    call("POST", copied + "/revert/stage", None, {"messageID": sent["data"]["id"], "files": True})
    call("POST", copied + "/revert/commit", None, status=204)
    assert call("GET", copied + "/message", "Messages", template=message)["data"] == []

    call("DELETE", f"/api/session/{child}", None, status=204)
    call("GET", f"/api/session/{child}", "SessionNotFoundError", status=404)
    call("POST", one + "/prompt", "InvalidRequestError", {"nonsense": 1}, status=400)
    call("GET", one + "/message?cursor=x", "InvalidCursorError", status=400)
    call("GET", one + "/diff?from=msg_nobody", "MessageNotFoundError", status=404)
    wrong = urllib.request.Request(agent.url + "/api/info", headers={
        "Authorization": "Basic " + base64.b64encode(b"opencode:wrong").decode()})
    try:
        urllib.request.urlopen(wrong, timeout=LIMIT)
        schemas.failures.append("a wrong password is let in")
    except urllib.error.HTTPError as error:
        assert error.code == 401 and error.headers["WWW-Authenticate"].startswith("Basic")
        schemas.check("401", json.loads(error.read()), "UnauthorizedError")


def check_everything(agent, schemas):
    """All that the prompts with a meaning of their own can do, in one turn, then its ways to fail."""
    stream = Events(agent, "/api/event")
    made = {"title": "asking", "location": {"directory": "/srv/asking"}}
    session = agent.call("POST", "/api/session", made)[1]["data"]["id"]
    one, template = f"/api/session/{session}", "/api/session/{sessionID}"
    place = "?location%5Bdirectory%5D=/srv/asking"

    def call(method, path, own, template=None, body=None, status=200):
        got, value = agent.call(method, path, body)
        assert got == status, f"{method} {path}: status {got} instead of {status}: {value}"
        if own is not None:
            schemas.check(f"{method} {path}", value, own, schemas.operation(method, template, 200) if template else None)
        return value

    def seen(kind, count=1):
        frames = stream.wait(lambda frame: sum(f["type"] == kind for f in stream.frames) >= count)
        return [frame["data"] for frame in frames if frame["type"] == kind][count - 1]

    words = "/todo /diff /reasoning /tool /429 /permission /question /subagent"
    prompt = agent.call("POST", one + "/prompt", {"text": words})[1]["data"]["id"]
    leave = seen("permission.asked")
    waiting = call("GET", "/api/permission/request" + place, "Permissions", "/api/permission/request")["data"]
    assert [found["id"] for found in waiting] == [leave["id"]]
    assert call("GET", "/api/permission/request?location%5Bdirectory%5D=/else", "Permissions")["data"] == []
    reply = f"{one}/permission/{leave['id']}/reply"
    call("POST", reply, None, None, {"decision": "once"}, 204)
    call("POST", reply, "PermissionNotFoundError", None, {"decision": "once"}, 404)
    form = seen("form.created")["form"]
    call("GET", "/api/form" + place, "Forms", "/api/form")
    path = f"{one}/form/{form['id']}"
    call("GET", path, "FormAnswer", template + "/form/{formID}")
    call("POST", path + "/reply", "FormInvalidAnswerError", None, {"answer": {"q0": "Oracle"}}, 400)
    call("POST", path + "/reply", None, None, {"answer": {"q0": "SQLite", "q1": ["mauve"]}}, 204)
    call("POST", path + "/reply", "FormAlreadySettledError", None, {"answer": {"q0": "SQLite"}}, 409)
    child = seen("permission.asked", 2)
    assert child["sessionID"] != session, "a subagent asks in its own session"
    call("POST", f"/api/session/{child['sessionID']}/permission/{child['id']}/reply", None, None,
         {"decision": "reject", "message": "not there"}, 204)
    seen("session.idle")
    types = {frame["type"] for frame in stream.frames}
    for wanted in ("session.reasoning.ended", "session.tool.progress", "session.tool.failed", "session.retry.scheduled",
                   "permission.replied", "form.replied"):
        assert wanted in types, f"no {wanted}"
    messages = call("GET", one + "/message", "Messages", template + "/message")["data"]
    assert messages[-1]["type"] == "idle" and messages[-1]["outcome"] == "succeeded", messages[-1]
    diff = call("GET", f"{one}/diff?from={prompt}", "Diffs", template + "/diff")["data"]
    assert [changed["file"] for changed in diff] == ["notes.txt"]

    for number, (words, error) in enumerate([("/401", "provider.auth"), ("/error", "provider.internal")], 1):
        agent.call("POST", one + "/prompt", {"text": words})
        failed = seen("session.execution.failed", number)
        assert failed["error"]["type"] == error, failed
    agent.call("POST", one + "/prompt", {"text": "/permission"})
    asked = seen("permission.asked", 3)
    call("POST", f"{one}/permission/{asked['id']}/reply", None, None, {"decision": "reject"}, 204)
    assert seen("session.execution.interrupted")["reason"] == "user"
    agent.call("POST", one + "/prompt", {"text": "/question"})
    asked = seen("form.created", 2)["form"]
    call("DELETE", f"{one}/form/{asked['id']}", None, None, None, 204)
    seen("form.cancelled")
    seen("session.idle", 5)
    call("GET", one + "/message", "Messages", template + "/message")
    agent.call("PATCH", one, {"title": "renamed"})
    agent.call("DELETE", one)
    seen("session.deleted")
    for frame in list(stream.frames):
        schemas.frame(f"/api/event {frame['type']}", frame)
    numbers = [frame["durable"]["seq"] for frame in stream.frames
               if frame.get("durable", {}).get("aggregateID") == session]
    assert numbers == list(range(len(numbers))), "the log of a session has gaps"


def check_order(agent):
    """The order of a plain turn."""
    stream = Events(agent, "/api/event")
    session = agent.call("POST", "/api/session", {"location": {"directory": "/srv/order"}})[1]["data"]["id"]
    agent.call("POST", f"/api/session/{session}/prompt", {"text": "hello"})
    frames = stream.wait(lambda frame: frame["type"] == "session.idle")
    order = []
    for frame in frames:
        if frame["type"] not in ("server.connected", "session.created", *order[-1:]):
            order.append(frame["type"])
    expected = [
        "session.inbox.enqueued", "session.execution.started", "session.inbox.delivered", "session.status",
        "session.step.started", "session.text.started", "session.text.delta", "session.text.ended",
        "session.step.ended", "session.usage.updated", "session.execution.succeeded", "session.status",
        "session.idle"]
    assert order == expected, f"order of a turn: {order}"
    text = "".join(frame["data"]["delta"] for frame in frames if frame["type"] == "session.text.delta")
    assert [frame["data"]["text"] for frame in frames if frame["type"] == "session.text.ended"] == [text]


def check_recorded(schemas):
    files = sorted(FRAMES.glob("v2-*.sse"))
    for file in files:
        for line in file.read_text().splitlines():
            if line.startswith("data: "):
                frame = json.loads(line[6:])
                schemas.frame(f"{file.name} {frame['type']}", frame)
    return len(files)


def drive_with_typed_client(agent):
    """An unrelated client that was generated from opencode's own contract."""
    from opencode import NotFoundError, Opencode

    with Opencode(agent.url, password=PASSWORD) as client:
        assert "echo-agent" in client.server.info().version
        place = {"directory": "/srv/typed"}
        session = client.session.create(title="typed", location=place)
        client.session.update(session.id, title="renamed")
        assert client.session.get(session.id).title == "renamed"
        assert session.id in [one.id for one in client.session.list(directory="/srv/typed")]
        with client.event.subscribe() as events:
            client.session.prompt(session.id, text="hello from a typed client")
            deltas = []
            for event in events:
                if event.type == "session.text.delta":
                    deltas.append(event.data.delta)
                if event.type == "session.idle":
                    break
        text = "".join(deltas)
        assert "hello from a typed client" in text and "not an AI" in text, text
        result = client.session.run("and once more", session_id=session.id)
        assert "and once more" in result.text, result
        types = [message.type for message in client.message.list(session.id)]
        assert types == ["user", "assistant", "idle"] * 2, types
        assert client.agent.list() and client.model.list() and client.provider.list()
        client.session.prompt(session.id, text="/permission")
        while not (pending := client.permission.list(session.id)):
            pass
        client.permission.reply(session.id, pending[0].id, decision="once")
        client.session.wait(session.id)
        client.session.prompt(session.id, text="/slow 1000")
        assert client.session.interrupt(session.id).interrupted
        client.session.wait(session.id)
        client.session.remove(session.id)
        try:
            client.session.get(session.id)
            raise AssertionError("a deleted session is still there")
        except NotFoundError:
            pass


def everything(agent, schemas):
    check_calls(agent, schemas)
    check_everything(agent, schemas)
    check_order(agent)
    files = check_recorded(schemas)
    schemas.tell(files)


def drive(agent):
    drive_with_typed_client(agent)
    print("opencode-python-sdk drives it: create, rename, list, prompt, stream, run, messages, permission, interrupt, delete")


if __name__ == "__main__":
    sys.exit(echoing.check(Schemas, Agent, everything, drive))
