"""Drives the page in WebKitGTK, the engine of Safari's relatives, against the built programs and echo-agent.

    check-webkit.py BIN PICTURES

pair → new session → send → words appear while streaming → stop → reload in mid-stream and go on → history → leave is given and
refused → SIGKILL of chat-bridge, agent-worker and the agent in mid-stream → what had come is there. The rest of the page is tried in Chromium (check-web.py). Plain W3C WebDriver over HTTP, so that nothing but Debian's webkit2gtk-driver and
a display without a screen (Xvfb) is needed. WebKit takes the page's cookie over TLS only, so it is served with a self-made
certificate. Every wait is for an event, with a limit.
"""
import base64, json, os, pathlib, re, signal, socket, sys, urllib.error, urllib.request

from checking import ROOT, Box, free_port

PICTURES = pathlib.Path(sys.argv[2])
MINIBROWSER = next(pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
LIMIT = 30  # seconds, of one wait
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 12.1: web element identifier

box = Box("webkit", sys.argv[1], LIMIT, "WebKitGTK: ")
home, environment, ctl, step, until = box.home, box.environment, box.ctl, box.step, box.until
port, driver_port = free_port(), free_port()
config = (ROOT / "Supervisor.toml").read_text().replace(
    'listen = "127.0.0.1:4780"', f'listen = "127.0.0.1:{port}"\ncertificate = "self-made"', 1)
config = config.replace('"--state", "{state}/echo-agent"]', '"--state", "{state}/echo-agent", "--delay-ms", "5"]')
(home / "Supervisor.toml").write_text(config)
# Nothing of the user's, no bus, no GPU.
environment |= {"XDG_CONFIG_HOME": f"{home}/c", "XDG_CACHE_HOME": f"{home}/h", "XDG_DATA_HOME": f"{home}/d", "XDG_RUNTIME_DIR": str(home),
                "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
                "DBUS_SESSION_BUS_ADDRESS": "disabled:"}

class Browser:
    """A session of WebKitWebDriver."""

    def __init__(self):
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            # What is awaited is looked for by the script itself; the driver's own wait for a page now and then had no end.
            "acceptInsecureCerts": True, "pageLoadStrategy": "none",
            "webkitgtk:browserOptions": {"binary": str(MINIBROWSER), "args": ["--automation"]}}}})
        self.session, self.about = f"/session/{made['sessionId']}", made["capabilities"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{driver_port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"WebDriver {method} {path}: {error.read().decode()[:500]}") from None

    def do(self, path, **body):
        return self.call("POST", self.session + path, body)

    def run(self, script, *arguments):
        return self.do("/execute/sync", script=script, args=list(arguments))

    def element(self, css):
        return until(css, lambda: self.run(
            "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()) || null", css))[ELEMENT]

    def click(self, css):
        self.do(f"/element/{self.element(css)}/click")

    def tap(self, css, words):
        """On what has these words."""
        found = until(words, lambda: self.run(
            "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility() && e.innerText.trim() === arguments[1]) || null",
            css, words))
        self.do(f"/element/{found[ELEMENT]}/click")

    def type(self, css, text):
        self.do(f"/element/{self.element(css)}/value", text=text)

    def send(self, text):
        self.type("#message", text)
        self.click(".composer button.send")

    def reload(self):
        self.run("document.documentElement.dataset.old = 'true'")
        self.do("/refresh")
        until("another document", lambda: self.run("return !document.documentElement.dataset.old"))

    def states(self):
        return self.run("return [...document.querySelectorAll('.turn')].map((turn) => turn.dataset.state)")

    def numbers(self):
        """Those that the newest answer consists of."""
        said = self.run("return [...document.querySelectorAll('.turn .answer')].at(-1)?.innerText || ''")
        return [int(number) for number in re.findall(r"\b\d+\b", said)]

    def shot(self, name):
        (PICTURES / f"webkit-{name}.png").write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))


def story(page):
    page.do("/url", url=json.loads(ctl("pair", "--here", "--json"))["url"])
    page.element("form.pairing button")
    page.run("window.faults = []; addEventListener('error', (e) => faults.push(e.message)); addEventListener('unhandledrejection', (e) => faults.push(String(e.reason)))")
    page.click("form.pairing button")
    page.element("#message")
    step("paired")
    page.send("/slow 60")
    until("three words", lambda: len(page.numbers()) >= 3)
    first = len(page.numbers())
    until("more words", lambda: len(page.numbers()) >= first + 4)
    page.shot("1-streaming")
    assert page.states() == ["running"], page.states()
    step("words appear while streaming")
    page.reload()
    until("the turn is there again", lambda: page.states() == ["running"])
    until("it goes on", lambda: len(page.numbers()) >= 12)
    until("its end", lambda: page.states() == ["done"])
    assert page.numbers() == list(range(1, 61)), f"words are missing or twice: {page.numbers()}"
    step("reloaded in mid-stream: every word is there, once")
    page.send("/slow 500")
    until("two words", lambda: page.states() == ["done", "running"] and len(page.numbers()) >= 2)
    page.click("button.stop")
    until("it is stopped", lambda: page.states() == ["done", "interrupted"])
    kept = page.numbers()
    assert kept and kept == list(range(1, len(kept) + 1)), kept
    step("stopped")
    page.reload()
    until("the history", lambda: page.states() == ["done", "interrupted"] and page.numbers() == kept)
    page.shot("2-history")
    step("the history is there")
    asked(page)
    killed(page)


def asked(page):
    """The agent wants leave: it is given by a tap, then refused."""
    cards = "return document.querySelectorAll('.card').length"
    for place, (button, then) in enumerate((("Allow once", "done"), ("Reject", "done|interrupted|failed"))):
        before = page.states()
        page.send("/permission")
        until("the card", lambda: page.run(cards) == 1)
        if not place:
            page.shot("3-asked")
        page.tap(".card button", button)
        until("the card to go", lambda: page.run(cards) == 0)
        until("its end", lambda: len(page.states()) == len(before) + 1 and re.fullmatch(then, page.states()[-1]))
        assert page.states()[:-1] == before, (before, page.states())
    said = page.run("return [...document.querySelectorAll('.turn .answer')].slice(-2).map((one) => one.innerText)")
    assert "Allowed once" in said[0] and "Allowed once" not in said[1], said
    step("leave was given, and refused")


def killed(page):
    """The agent is killed in the middle of an answer, alone and with the two before it. (An answer goes on where they are killed
    alone: scripts/check-web.py.)"""
    pid = lambda name: box.child(name)["pid"]
    for victims in (["opencode"], ["chat-bridge", "agent-worker", "opencode"]):
        before = page.states()
        page.send("/slow 500")
        until("five words", lambda: page.states() == [*before, "running"] and len(page.numbers()) >= 5)
        for name in victims:
            os.kill(pid(name), signal.SIGKILL)
        until("its end", lambda: page.states() == [*before, "interrupted"])
        # Words of the last moment need not be stored (docs/chat.md, Events): gone when it has read the turn again.
        until("it to be read again", lambda: not page.run("return document.querySelectorAll('.turn .live').length"))
        kept = page.numbers()
        assert kept and kept == list(range(1, len(kept) + 1)), f"words are missing or twice after the kill: {kept}"
        page.reload()
        until("the history", lambda: page.states() == [*before, "interrupted"] and page.numbers() == kept)
        ctl("wait", "--ready", "--timeout", "20s")
        step(f"killed in mid-stream: {', '.join(victims)}; {len(kept)} words are kept")
    page.shot("4-killed")


PICTURES.mkdir(parents=True, exist_ok=True)
(home / "c").mkdir()
number, told = os.pipe()
with box.running():
    box.start("Xvfb", "-displayfd", str(told), "-screen", "0", "1280x800x24", "-nolisten", "tcp", pass_fds=[told])
    os.close(told)
    environment["DISPLAY"] = ":" + os.fdopen(number).readline().strip()
    until("the page", lambda: "page at https" in ctl("status"))
    driver = box.start("WebKitWebDriver", f"--port={driver_port}", "--host=127.0.0.1")
    until("WebKitWebDriver", lambda: driver.poll() is not None or not socket.socket().connect_ex(("127.0.0.1", driver_port)))
    page = Browser()
    try:
        story(page)
        faults = page.run("return window.faults || []")
        assert not faults, f"the page has faults: {faults}"
    except BaseException:
        page.shot("failed")
        raise
    finally:
        page.call("DELETE", page.session)
print(f"web: the main script in {page.about['browserName']} {page.about['browserVersion']}, {box.seconds:.0f} s; pictures in {PICTURES}")
