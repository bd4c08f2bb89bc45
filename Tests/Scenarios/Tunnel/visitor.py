"""A browser without a screen, for the tunnel's scenarios: pairs through the edge, sends messages, follows each to its end by
number, over any break of the way.

    visitor.py EDGE HOST CODE FOLDER TEXT...

Says what happens to it, one JSON object a line: paired, accepted, words (so many of the answer are there), broke, resumed, ended
with the whole answer. A number that comes a second time is `twice`, and the end. Waits for FOLDER/go-N before message N, from the
second on, so that who watches may do something in between.
"""
import http.client
import json
import pathlib
import re
import sys
import time
import uuid

edge, host, code, folder, *texts = sys.argv[1:]
cookie = None
# chat-bridge says something each 10 s; the page waits for 25.
SILENCE = 12


def say(what, **more):
    print(json.dumps({"what": what} | more), flush=True)


class Refused(Exception):
    """The chat says no."""


def ask(path, body, each):
    """One POST; `each` gets every line, and ends it by returning True."""
    global cookie
    connection = http.client.HTTPConnection(*edge.split(":"), timeout=SILENCE)
    headers = {"Host": host, "Origin": f"https://{host}", "X-Nexus": "1", "Content-Type": "application/json"}
    if cookie:
        headers["Cookie"] = cookie
    try:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        if response.status in (502, 503, 530):
            raise OSError(f"the edge answers with {response.status}")
        if "Set-Cookie" in response.headers:
            cookie = response.headers["Set-Cookie"].split(";")[0]
        for line in response:
            line = json.loads(line)
            if line["type"] == "error":
                if line["code"] in ("unavailable", "busy", "peer-restarted"):
                    raise OSError(line["message"])
                raise Refused(f"{line['code']}: {line['message']}")
            if line["type"] != "beat" and each(line):
                return
    finally:
        connection.close()


def persist(path, body, each, broke):
    """The same until `each` has had enough, whatever breaks meanwhile; `body()` says what to ask then."""
    done = False

    def take(line):
        nonlocal done
        done = each(line)
        return done

    while True:
        try:
            ask(path, body(), take)
            if done:
                return
            trouble = "the answer ended"
        except (OSError, http.client.HTTPException, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}"
        broke(trouble)
        time.sleep(0.1)


class Answer:
    """One turn as the page would show it."""

    def __init__(self, after):
        self.blocks, self.after, self.session, self.turn, self.waits = {}, after, None, None, False

    def accepted(self, line):
        if line["type"] == "accepted":
            self.session, self.turn = line["session"], line["turn"]
            say("accepted", session=self.session)
            return True
        return False

    def resume(self):
        return {"op": "resume", "session": self.session, "after": self.after, "follow": True}

    def broke(self, trouble):
        if not self.waits:
            say("broke", why=trouble)
        self.waits = True

    def text(self):
        return "".join(self.blocks.values())

    def take(self, line):
        if self.waits:
            self.waits = False
            say("resumed", after=self.after)
        number = line.get("seq")
        if number is not None:
            if number <= self.after:
                say("twice", number=number)
                sys.exit(1)
            self.after = number
        if line.get("turn") != self.turn:
            return False
        if line["type"] == "text":
            block = line["block"]
            self.blocks[block] = line["text"] if line.get("whole") else self.blocks.get(block, "") + line["text"]
            say("words", count=len(re.findall(r"\b\d+\b", self.text())))
        if line["type"] == "ended":
            say("ended", state=line["state"], reason=line.get("reason"), answer=self.text(), session=self.session)
            return True
        return False


def main():
    ask("/api/pair", {"code": code, "name": "visitor"}, lambda line: say("paired", device=line["device"]))
    session, after = None, 0
    for number, text in enumerate(texts):
        while number and not pathlib.Path(folder, f"go-{number}").exists():
            time.sleep(0.02)
        answer = Answer(after)
        message = {"op": "send", "session": session, "workspace": "home", "text": text, "client_id": str(uuid.uuid4())}
        persist("/api/chat", lambda: message, answer.accepted, answer.broke)
        session = answer.session
        persist("/api/chat", answer.resume, answer.take, answer.broke)
        after = answer.after


main()
