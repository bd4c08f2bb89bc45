#!/usr/bin/env python3
"""Holds echo-agent to opencode's v1 API: every answer and every frame.

    scripts/check-echo-agent.py PATH/TO/echo-agent

1. against Tests/OpenCodeTests/Schemas/opencode-v1.json, our own schemas of what Nexus uses;
2. against the whole document of a real server, ../shared/reference/opencode/openapi-v1.json, where that is there;
3. by letting an unrelated typed client, opencode-client-python from PyPI, drive it.

Needs the packages jsonschema and, for the third part, opencode-client-python; says what it skips.
"""

import json
import sys

import echoing
from echoing import FRAMES, PASSWORD, ROOT, Agent, Events

CAPTURES = ROOT.parent / "shared/reference/opencode/samples/v1.18.4"


class Schemas(echoing.Schemas):
    own_file = ROOT / "Tests/OpenCodeTests/Schemas/opencode-v1.json"
    whole_file = ROOT.parent / "shared/reference/opencode/openapi-v1.json"


def check_calls(agent, schemas):
    def call(method, path, own, body=None, status=200, template=None):
        got, value = agent.call(method, path, body)
        what = f"{method} {path}"
        if got != status:
            schemas.failures.append(f"{what}: status {got} instead of {status}: {value}")
        elif own is not None:
            schemas.check(what, value, own, schemas.operation(method, template or path.split("?")[0], status))
        return value

    call("GET", "/global/health", "Health")
    for path, own in [("/agent", "Agents"), ("/command", "Commands"), ("/config/providers", "ConfiguredProviders"),
                      ("/provider", "AllProviders"), ("/permission", "Permissions"), ("/question", "Questions")]:
        call("GET", path, own)
    session = call("POST", "/session?directory=/srv/work", "Session", {"title": "first"})["id"]
    child = call("POST", "/session?directory=/srv/work", "Session", {"parentID": session})["id"]
    call("POST", "/session", "Session", {})
    one = f"/session/{session}"
    call("GET", one, "Session", template="/session/{sessionID}")
    call("PATCH", one, "Session", {"title": "renamed"}, template="/session/{sessionID}")
    children = call("GET", one + "/children", "Sessions", template="/session/{sessionID}/children")
    assert [found["id"] for found in children] == [child]
    message = "/session/{sessionID}/message"
    call("POST", one + "/message", "Answer", {"parts": [{"type": "text", "text": "grüße"}]}, template=message)
    call("POST", one + "/command", "Answer", {"command": "twice", "arguments": "a", "model": "nexus/meter"},
         template="/session/{sessionID}/command")
    call("POST", one + "/command", "Invalid", {"command": "thrice", "arguments": ""}, status=400,
         template="/session/{sessionID}/command")
    call("POST", one + "/summarize", "True", {"providerID": "nexus", "modelID": "echo"},
         template="/session/{sessionID}/summarize")
    call("POST", one + "/prompt_async", None, {"parts": [{"type": "text", "text": "/slow 1000"}]}, status=204)
    busy = call("GET", "/session/status?directory=/srv/work", "StatusMap")
    assert session in busy, busy
    assert call("GET", "/session/status?directory=/elsewhere", "StatusMap") == {}
    call("GET", one + "/message", "Messages", template=message)
    call("POST", one + "/abort", "True", template="/session/{sessionID}/abort")
    call("GET", one + "/message?limit=1", "Messages", template=message)
    call("GET", "/session?directory=/srv/work&roots=true", "Sessions")
    call("DELETE", f"/session/{child}", "True", template="/session/{sessionID}")
    call("GET", f"/session/{child}", "NotFound", status=404, template="/session/{sessionID}")
    call("POST", one + "/message", "Invalid", {"nonsense": 1}, status=400, template=message)
    call("GET", one + "/message?before=x", "Invalid", status=400, template=message)
    first = call("GET", one + "/message", "Messages", template=message)[0]["info"]["id"]
    copy = call("POST", one + "/fork", "Session", {"messageID": first}, template="/session/{sessionID}/fork")
    assert copy["id"] != session and call("GET", f"/session/{copy['id']}/message", "Messages", template=message) == []
    gone = call("POST", one + "/revert", "Session", {"messageID": first}, template="/session/{sessionID}/revert")
    assert gone["revert"] == {"messageID": first}, gone
    back = call("POST", one + "/unrevert", "Session", template="/session/{sessionID}/unrevert")
    assert "revert" not in back, back
    call("POST", one + "/revert", "NotFound", {"messageID": "msg_nobody"}, status=404, template="/session/{sessionID}/revert")
    file = {"type": "file", "mime": "text/plain", "filename": "a.txt", "url": "data:text/plain;base64,aGVsbG8="}
    said = call("POST", one + "/message", "Answer", {"parts": [{"type": "text", "text": "look"}, file]}, template=message)
    assert any("a.txt (text/plain, 5 bytes)" in part.get("text", "") for part in said["parts"]), said


def check_events(agent, schemas):
    narrow = Events(agent, "/event?directory=/srv/events")
    wide = Events(agent, "/global/event")
    _, session = agent.call("POST", "/session?directory=/srv/events", {"title": "events"})
    _, other = agent.call("POST", "/session?directory=/srv/other", {"title": "other"})
    is_idle = lambda frame: frame["type"] == "session.idle"  # noqa: E731
    agent.call("POST", f"/session/{session['id']}/prompt_async", {"parts": [{"type": "text", "text": "hello"}]})
    turn = narrow.wait(is_idle)
    agent.call("POST", f"/session/{session['id']}/prompt_async", {"parts": [{"type": "text", "text": "/slow 1000"}]})
    agent.call("POST", f"/session/{session['id']}/abort")
    narrow.wait(lambda frame: frame["type"] == "session.error")
    agent.call("DELETE", f"/session/{session['id']}")
    bare = narrow.wait(lambda frame: frame["type"] == "session.deleted")
    wrapped = wide.wait(lambda frame: frame["payload"]["type"] == "session.deleted")
    for frame in bare:
        schemas.frame(f"/event {frame['type']}", frame)
    for frame in wrapped:
        schemas.frame(f"/global/event {frame['payload']['type']}", frame, is_global=True)
    assert other["id"] not in json.dumps(bare), "/event shows another directory"
    assert other["id"] in json.dumps(wrapped)
    check_order(turn)


def check_asking(agent, schemas):
    """Everything that the prompts with a meaning of their own can do, in one turn, then its ways to fail."""
    place = "?directory=/srv/asking"
    stream = Events(agent, "/event" + place)
    _, session = agent.call("POST", "/session" + place, {"title": "asking"})
    one = f"/session/{session['id']}"

    def call(method, path, own, template, body=None, status=200):
        got, value = agent.call(method, path, body)
        assert got == status, f"{method} {path}: status {got} instead of {status}: {value}"
        schemas.check(f"{method} {path}", value, own, schemas.operation(method, template, status))
        return value

    def asked(kind, count):
        frames = stream.wait(lambda frame: sum(f["type"] == kind for f in stream.frames) >= count)
        return [frame["properties"] for frame in frames if frame["type"] == kind][count - 1]

    prompt = "/todo /diff /reasoning /tool /429 /permission /question /subagent"
    agent.call("POST", one + "/prompt_async", {"parts": [{"type": "text", "text": prompt}]})
    leave = asked("permission.asked", 1)
    assert [found["id"] for found in call("GET", "/permission" + place, "Permissions", "/permission")] == [leave["id"]]
    assert call("GET", "/permission?directory=/elsewhere", "Permissions", "/permission") == []
    reply = "/permission/{requestID}/reply"
    call("POST", f"/permission/{leave['id']}/reply{place}", "True", reply, {"reply": "once"})
    call("POST", f"/permission/{leave['id']}/reply{place}", "NotWaiting", reply, {"reply": "once"}, status=404)
    question = asked("question.asked", 1)
    call("GET", "/question" + place, "Questions", "/question")
    reply = "/question/{requestID}/reply"
    path = f"/question/{question['id']}/reply{place}"
    call("POST", path, "Invalid", reply, {"answers": [["Oracle"], []]}, status=400)
    call("POST", path, "True", reply, {"answers": [["SQLite"], ["mauve"]]})
    child = asked("permission.asked", 2)
    assert child["sessionID"] != session["id"], "a subagent asks in its own session"
    call("POST", f"/permission/{child['id']}/reply{place}", "True", "/permission/{requestID}/reply",
         {"reply": "reject", "message": "not there"})
    frames = stream.wait(lambda frame: frame["type"] == "session.idle")
    types = {frame["type"] for frame in frames}
    for wanted in ("todo.updated", "session.diff", "permission.replied", "question.replied"):
        assert wanted in types, f"no {wanted}"
    call("GET", one + "/todo", "Todos", "/session/{sessionID}/todo")
    call("GET", one + "/diff", "Diffs", "/session/{sessionID}/diff")
    call("GET", one + "/message", "Messages", "/session/{sessionID}/message")
    for prompt, name in [("/401", "ProviderAuthError"), ("/error", "APIError")]:
        answer = call("POST", one + "/message", "Answer", "/session/{sessionID}/message",
                      {"parts": [{"type": "text", "text": prompt}]})
        assert answer["info"]["error"]["name"] == name, answer
    for frame in list(stream.frames):
        schemas.frame(f"/event {frame['type']}", frame)


def check_order(frames):
    """The order of one turn as captured from opencode 1.18."""
    seen = []
    for frame in frames[2:]:  # server.connected and session.created come before
        name = frame["type"]
        if name == "message.updated":
            name += " " + frame["properties"]["info"]["role"]
        if name == "message.part.updated":
            name += " " + frame["properties"]["part"]["type"]
        if name == "session.status":
            name += " " + frame["properties"]["status"]["type"]
        if not seen or seen[-1] != name:
            seen.append(name)
    expected = [
        "session.updated", "message.updated user", "message.part.updated text", "session.status busy",
        "message.updated assistant", "session.diff", "message.part.updated step-start", "message.part.updated text",
        "message.part.delta", "message.part.updated text", "message.part.updated step-finish",
        "message.updated assistant", "session.status idle", "session.idle"]
    assert seen == expected, f"order of a turn: {seen}"


def check_recorded(schemas):
    """Our own recorded frames and, where they are there, those of a real server."""
    own = [file for file in FRAMES.glob("*.sse") if not file.name.startswith("v2-")]
    files = sorted(own) + (sorted(CAPTURES.glob("*.txt")) if CAPTURES.exists() else [])
    for file in files:
        for line in file.read_text().splitlines():
            if line.startswith("data: "):
                frame = json.loads(line[6:])
                schemas.frame(f"{file.name} {frame.get('type')}", frame, is_global="payload" in frame)
    return len(files)


def drive_with_typed_client(agent):
    """An unrelated client that knows the API from opencode's own document."""
    from opencode_client import OpenCodeApiError, OpenCodeClient
    from opencode_client.models import CreateSessionRequest, UpdateSessionRequest

    with OpenCodeClient(agent.url, password=PASSWORD) as client:
        assert "echo-agent" in client.server.health().version
        session = client.sessions.create(directory="/srv/typed", body=CreateSessionRequest(title="typed"))
        assert client.sessions.update(session.id, UpdateSessionRequest(title="renamed")).title == "renamed"
        assert session.id in [one.id for one in client.sessions.list_sessions(directory="/srv/typed")]
        answer = client.sessions.prompt(session.id, "hello from a typed client")
        text = "".join(part.text for part in answer.parts if part.type == "text")
        assert "hello from a typed client" in text and "not an AI" in text, text
        with client.server.stream_events(directory="/srv/typed") as stream:
            client.sessions.prompt_async(session.id, "stream this")
            deltas = []
            for event in stream.iter_events():
                if event.type == "message.part.delta":
                    deltas.append(event.properties)
                if event.type == "session.idle":
                    break
            assert len(deltas) > 10, deltas
        assert [one.info.role for one in client.sessions.list_messages(session.id)] == ["user", "assistant"] * 2
        assert client.server.list_agents() and client.server.list_providers()
        assert client.server.list_permissions() == [] and client.server.list_questions() == []
        assert client.sessions.abort(session.id) and client.sessions.delete(session.id)
        try:
            client.sessions.get(session.id)
            raise AssertionError("a deleted session is still there")
        except OpenCodeApiError:
            pass


def everything(agent, schemas):
    check_calls(agent, schemas)
    check_events(agent, schemas)
    check_asking(agent, schemas)
    files = check_recorded(schemas)
    schemas.tell(files)


def drive(agent):
    drive_with_typed_client(agent)
    print("opencode-client-python drives it: create, rename, list, prompt, stream, messages, abort, delete")


if __name__ == "__main__":
    sys.exit(echoing.check(Schemas, Agent, everything, drive))
