"""Drives the page in a real browser against the built programs and echo-agent, at the size of a phone and of a desk.

    check-web.py BIN PICTURES

pair → send → words appear while streaming → reload in mid-stream and go on → stop → SIGKILL of chat-bridge, agent-worker
and the agent in mid-stream → what had come is there → a message typed offline is sent later → a device is shut out.
Screenshots go into the directory PICTURES; axe-core looks at each in both themes. Every wait is for an event, with a limit.
"""
import base64, contextlib, http.client, http.server, json, os, pathlib, re, signal, socket, statistics, subprocess, sys, threading, time

from playwright.sync_api import sync_playwright, expect

from checking import ROOT, Box, Watch, free_port, skipped

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
LIMIT = 20_000  # ms, of one wait
expect.set_options(timeout=LIMIT)

box = Box("web", sys.argv[1])
home, environment, ctl, step = box.home, box.environment, box.ctl, box.step
port = free_port()
(home / "work").mkdir()
config = (ROOT / "Supervisor.toml").read_text().replace("127.0.0.1:4780", f"127.0.0.1:{port}")
config = config.replace('workspaces = [{ name = "home", path = "~" }]',
                        f'workspaces = [{{ name = "home", path = "~" }}, {{ name = "work", path = "{home}/work" }}]')
config = config.replace('"--state", "{state}/echo-agent"]', '"--state", "{state}/echo-agent", "--delay-ms", "5"]')
config += '\n[word]\nsend = ["turn", "asked", "parked", "address"]\n'
(home / "Supervisor.toml").write_text(config)
origin = f"http://localhost:{port}"
watch = Watch(sys.argv[2], origin)


def qr_is_readable():
    """What `nexusctl pair --qr` draws is drawn again as a picture, and read by zbarimg, which knows nothing of us."""
    drawn = ctl("pair", "--here", "--qr")
    rows = [line for line in drawn.splitlines() if line and set(line) <= set("█▀▄ ")]
    squares = []
    for row in rows:
        squares.append([c not in "█▀" for c in row])
        squares.append([c not in "█▄" for c in row])
    scale = 6
    picture = f"P1\n{len(squares[0]) * scale} {len(squares) * scale}\n"
    for row in squares:
        line = "".join(("1" if dark else "0") * scale for dark in row)
        picture += (line + "\n") * scale
    (home / "qr.pbm").write_text(picture)
    read = subprocess.run(["zbarimg", "-q", "--raw", str(home / "qr.pbm")], capture_output=True, text=True).stdout.strip()
    link = re.search(r"Open\s+(\S+)", drawn)[1]
    assert read == link, (read, link)


def said(page):
    """The text of the newest answer."""
    return page.locator(".turn .answer").last.inner_text()


def grows_to(page, count):
    page.wait_for_function("n => (document.querySelectorAll('.turn .answer')[document.querySelectorAll('.turn .answer').length - 1]?.innerText.match(/\\b\\d+\\b/g) || []).length >= n", arg=count, timeout=LIMIT)


def send(page, text):
    page.get_by_label("Message to the agent").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def shot(page, name):
    watch.shot(page, name, then="dark" if name.startswith("desk") else "light")


def pid(name):
    return box.child(name)["pid"]


def opened(browser, size, scheme):
    return watch.opened(browser, LIMIT, size, f"{size}: ", viewport=SIZES[size], color_scheme=scheme, has_touch=size == "phone", is_mobile=size == "phone")


def pair(page, name, *words):
    link = json.loads(ctl("pair", "--here", "--json", *words))["url"]
    page.goto(link)
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    assert page.url == origin + "/", f"the code stays in the address bar: {page.url}"
    # As a phone does by itself with a page that it had put away.
    page.reload()
    expect(page.get_by_label("Code")).to_have_value(re.sub("(.{5})(.{5})", r"\1-\2", link.split("=")[-1]))
    assert page.url == origin + "/", f"the code comes back into the address bar: {page.url}"
    shot(page, f"{name}-1-pairing")
    page.get_by_role("button", name="Pair this browser").click()
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    return link


def story(page, name):
    link = pair(page, name)
    step(f"{name}: paired")
    shot(page, f"{name}-2-new")

    # Long enough for the looks at it on a busy machine.
    send(page, "/slow 100")
    grows_to(page, 3)
    first = said(page)
    shot(page, f"{name}-3-streaming")
    grows_to(page, len(re.findall(r"\b\d+\b", first)) + 4)
    step(f"{name}: words appear while streaming")
    page.reload()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn")).to_have_attribute("data-state", "running")
    grows_to(page, 12)
    step(f"{name}: reloaded in mid-stream, and it goes on")
    expect(page.locator(".turn")).to_have_attribute("data-state", "done")
    numbers = [int(n) for n in re.findall(r"\b\d+\b", said(page))]
    assert numbers == list(range(1, 101)), f"words are missing or twice: {numbers}"
    step(f"{name}: every word is there, once")

    send(page, "/slow 200")
    grows_to(page, 2)
    send(page, "and this one waits")
    expect(page.locator(".turn")).to_have_count(3)
    expect(page.locator(".turn").last).to_have_attribute("data-state", "queued")
    shot(page, f"{name}-4-queued")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn").nth(1)).to_have_attribute("data-state", "interrupted")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "interrupted")
    shot(page, f"{name}-5-stopped")
    step(f"{name}: stopped, the queued one withdrawn")

    send(page, "/slow 100")
    grows_to(page, 5)
    answers = lambda: [text.split() for text in page.locator(".turn .answer").all_inner_texts()[:3]]
    before = answers()
    for child in ("chat-bridge", "agent-worker", "opencode"):
        os.kill(pid(child), signal.SIGKILL)
    expect(page.locator(".turn").last).to_have_attribute("data-state", "interrupted")
    # Words that were told in the last 250 ms before the kill need not be stored (docs/chat.md, Events): those are gone when it has
    # read the turn again.
    expect(page.locator(".turn").last.locator(".live")).to_have_count(0)
    kept = [int(n) for n in re.findall(r"\b\d+\b", said(page))]
    assert kept and kept == list(range(1, len(kept) + 1)), f"words are missing or twice after the kills: {kept}"
    shot(page, f"{name}-6-killed")
    page.reload()
    expect(page.locator(".turn")).to_have_count(4)
    stored = [int(n) for n in re.findall(r"\b\d+\b", said(page))]
    assert stored == kept, (stored, kept)
    # By words: what is not laid out yet has other spaces.
    after = answers()
    assert after == before, (before, after)
    step(f"{name}: chat-bridge, agent-worker and the agent were killed; {len(kept)} words are kept")
    ctl("wait", "--ready", "--timeout", "20s")
    return link


def later(page):
    """Typed without a network: kept over a reload, sent when there is one."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    page.context.set_offline(True)
    send(page, "typed without a network")
    expect(page.locator(".unsent .turn")).to_have_count(1)
    page.reload()
    expect(page.locator(".unsent .turn")).to_have_count(1)
    expect(page.locator(".turns:not(.unsent) .turn")).to_have_count(4)
    shot(page, "phone-7-offline")
    page.context.set_offline(False)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    expect(page.locator(".turns:not(.unsent) .turn")).to_have_count(5)
    expect(page.locator(".turns .turn").last).to_have_attribute("data-state", "done")
    step("opened and typed offline, sent later")


def rooms(page, name):
    send(page, "Markdown\n\n## A heading\n\nA *list*:\n\n- one\n- two\n\n```swift\nlet a = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<img src=x onerror=alert(1)> [bad](javascript:alert(1))")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(page.locator(".turn").last.locator(".prose h2")).to_have_text("A heading")
    assert page.locator(".answer img, .answer [href^=javascript]").count() == 0, "raw HTML or a script's address got through"
    expect(page.locator(".turn").last.locator(".prose")).to_contain_text("<img src=x onerror=alert(1)>")
    shot(page, f"{name}-8-markdown")
    if name == "phone":
        page.get_by_role("button", name="Sessions").click()
        expect(page.get_by_role("link", name="Machine")).to_be_visible()
        page.wait_for_timeout(250)  # the slide, for the picture only
        shot(page, f"{name}-9-sessions")
    page.get_by_role("link", name="Machine").click()
    expect(page.locator(".child")).not_to_have_count(0)
    # By its heading: others may speak of it in their status.
    worker = page.locator(".child").filter(has=page.get_by_role("heading", name="agent-worker", exact=True))
    expect(worker.locator(".plots")).to_contain_text("MB")
    expect(worker.locator(".plots")).to_contain_text(re.compile(r"CPU\s*[\d.]+ %"))
    worker.get_by_role("button", name="Last lines").click()
    expect(worker.locator("pre")).to_be_visible()
    shot(page, f"{name}-10-machine")
    if name == "phone":
        page.get_by_role("button", name="Sessions").click()
    page.get_by_role("link", name="Devices").click()
    expect(page.locator(".child")).not_to_have_count(0)
    shot(page, f"{name}-11-devices")


def kept(page):
    """A session gets another title, is found by a word of its answer, and is deleted."""
    page.goto(origin + "/#/new")
    send(page, "pomegranate")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    page.locator("summary[aria-label='This session']").click()
    shot(page, "desk-12-menu")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title of the session").fill("half")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="pomegranate")).to_be_visible()
    page.locator("summary[aria-label='This session']").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title of the session").fill("A fruit")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="A fruit")).to_be_visible()
    page.get_by_label("Find in all sessions").fill("pomegr")
    expect(page.locator(".sessions mark").first).to_have_text("pomegranate")
    shot(page, "desk-13-found")
    page.get_by_label("Find in all sessions").fill("")
    page.locator("summary[aria-label='This session']").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as Markdown").click()
    text = open(download.value.path(), encoding="utf-8").read()
    assert download.value.suggested_filename == "A-fruit.md" and text.startswith("# A fruit\n") and "> pomegranate" in text, text
    page.locator("summary[aria-label='This session']").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good?").click()
    expect(page.get_by_role("link", name="A fruit")).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(0)
    step("renamed, saved, found and deleted")


def together(phone, desk):
    """What one device does the other one's list shows without asking: it is told."""
    desk.goto(origin + "/#/devices")
    expect(desk.locator(".side .sessions a").first).to_be_visible()
    polled = []
    desk.on("request", lambda request: polled.append(request.post_data) if '"list"' in (request.post_data or "") and '"op":"list"' in request.post_data else None)
    phone.goto(origin + "/#/new")
    send(phone, "/slow 77")
    entry = desk.locator(".side .sessions a", has_text="/slow 77")
    expect(entry.locator(".sub")).to_have_attribute("data-state", "running")
    expect(phone.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(entry.locator(".sub")).to_have_attribute("data-state", "done")
    session = phone.url.split("/s/")[1]
    desk.goto(f"{origin}/#/s/{session}")
    expect(desk.locator(".turn")).to_have_count(1)
    change = "body => fetch('/api/chat', {method: 'POST', headers: {'Content-Type': 'application/json', 'X-Nexus': JSON.parse(localStorage['nexus.key'])}, body: JSON.stringify(body)}).then(r => r.text())"
    phone.evaluate(change, {"op": "rename", "session": session, "title": "Named elsewhere"})
    expect(desk.locator(".side .sessions a", has_text="Named elsewhere")).to_be_visible()
    expect(desk.locator(".bar")).to_contain_text("Named elsewhere")
    phone.evaluate(change, {"op": "delete", "session": session})
    expect(desk.locator(".side .sessions a", has_text="Named elsewhere")).to_have_count(0)
    # The session that was shown is gone, and the list goes on alone.
    ctl("chat", "--session", "new", "from the terminal")
    expect(desk.locator(".side .sessions a", has_text="from the terminal")).to_be_visible()
    assert not polled, polled
    step("a new session, its turn, its title and its end are seen on the other device, which asks for no list")


def restarted(page):
    """Each child that the page may restart is another process after two taps, and chat-bridge is not. The tunnel is off here:
    cloudflared, which tunnel-worker alone would start, is not offered; check-tunnel.py restarts one that is in use."""
    page.goto(origin + "/#/machine")
    cards = page.locator(".child")
    offered = cards.filter(has=page.get_by_role("button", name="Restart"))
    expect(offered).not_to_have_count(0)
    names = [card.get_by_role("heading").inner_text() for card in offered.all()]
    # All of them, so that none is offered and not tried.
    assert sorted(names) == ["agent-worker", "opencode", "tunnel-worker"], names
    for name in names:
        pids = {child["name"]: child["pid"] for child in json.loads(ctl("status", "--json"))["children"]}
        card = cards.filter(has=page.get_by_role("heading", name=name, exact=True))
        card.get_by_role("button", name="Restart").click()
        card.get_by_role("button", name="Restart, surely?").click()
        box.until(f"another {name}", lambda: pid(name) not in (None, pids[name]))
        ctl("wait", "--ready", "--timeout", "20s")
        assert pid("chat-bridge") == pids["chat-bridge"]
        expect(card.locator(".state")).to_have_text("ready")
    # Nobody can be asked any more: what was heard before is not said as if it held.
    tunnel = page.get_by_role("region", name="Tunnel")
    expect(tunnel.locator(".state")).to_have_text("off")
    ctl("stop", "tunnel-worker")
    expect(tunnel.locator(".state")).to_have_text("not known")
    expect(tunnel).to_contain_text("Who can reach the page: not known.")
    ctl("start", "tunnel-worker")
    expect(tunnel.locator(".state")).to_have_text("off")
    page.goto(origin + "/#/")
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    step(f"restarted from the page: each a new process; offered for {', '.join(names)}")


def tailed(page):
    """A child's log grows while it is open, stops when nobody looks, and goes on without a line twice."""
    page.goto(origin + "/#/machine")
    card = page.locator(".child", has=page.get_by_role("heading", name="chat-bridge", exact=True))
    card.get_by_role("button", name="Last lines").click()
    log = card.get_by_role("log")
    expect(log).to_contain_text("access: a pairing code")
    count = "n => n.innerText.split('a pairing code for one owner').length"
    before = log.evaluate(count)
    ctl("pair", "--here")
    page.wait_for_function("([n, c]) => (document.querySelector('[aria-label=\"Last lines of chat-bridge\"]').innerText.split('a pairing code for one owner').length) === n + 1", arg=[before, 0])
    see = "state => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }"
    with page.expect_event("requestfailed", lambda request: '"tail"' in (request.post_data or "")):
        page.evaluate(see, "hidden")
    ctl("pair", "--here")
    page.evaluate(see, "visible")
    page.wait_for_function("([n, c]) => (document.querySelector('[aria-label=\"Last lines of chat-bridge\"]').innerText.split('a pairing code for one owner').length) === n + 2", arg=[before, 0])
    shot(page, "desk-14-log")
    with page.expect_event("requestfailed", lambda request: '"tail"' in (request.post_data or "")):
        card.get_by_role("button", name="Last lines").click()
    expect(log).to_be_hidden()
    step("a child's log is followed while it is open, and goes on by its place after the page was hidden")
    page.goto(origin + "/#/")
    expect(page.get_by_label("Message to the agent")).to_be_visible()


SEE = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true}); document.dispatchEvent(new Event('visibilitychange'));"
# By the page's own clock: from the moment it is seen to that in which the words stand there.
TIMED = """words => {
    const seen = performance.now(), ticks = window.ticks;
    window.waited = new Promise((done) => {
        const look = () => document.querySelector('main').textContent.includes(words) && (done(performance.now() - seen), true);
        if (!look()) new MutationObserver((_, watch) => { if (look()) watch.disconnect(); }).observe(document.querySelector('main'), { childList: true, characterData: true, subtree: true });
    });
    %s
    return ticks;
}""" % (SEE % "visible")


def returned(page):
    """What was said while the page was frozen and its way was cut is there as soon as it is seen again."""
    ctl("chat", "--session", "new", "before it went away")
    session = json.loads(ctl("chat", "--list", "--json").splitlines()[0])["session"]
    page.goto(f"{origin}/#/s/{session}")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    page.evaluate("window.ticks = 0; setInterval(() => window.ticks++, 10)")
    # Headless browsers freeze no page by themselves: a debugger that stops all its scripts does the same to it.
    devtools = page.context.new_cdp_session(page)
    devtools.send("Debugger.enable")
    waits = []
    for number in range(3):
        words = f"said while it was away {number}"
        page.evaluate("window.ticks = 0; " + SEE % "hidden")
        devtools.send("Debugger.pause")
        away = time.monotonic()
        os.kill(pid("chat-bridge"), signal.SIGKILL)
        ctl("chat", "--session", session, words)
        frozen = time.monotonic() - away
        devtools.send("Debugger.resume")
        ticks = page.evaluate(TIMED, words)
        waits.append(page.evaluate("window.waited"))
        assert ticks < frozen * 50, f"it was not frozen: {ticks} ticks in {frozen:.1f} s"
    step(f"seen again after it was frozen and cut off: what was said is there after {', '.join(f'{wait:.0f}' for wait in waits)} ms")
    devtools.send("Debugger.disable")
    # The best of the three: this machine may have something else to do meanwhile, and the page is no faster for that.
    assert min(waits) <= 1000, waits


LOOKS = """async () => {
    const line = document.querySelector('.link');
    window.ways = [];
    new MutationObserver(() => window.ways.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
    const pause = () => new Promise((done) => setTimeout(done, 80));
    for (let look = 0; look < 30; look++) for (const state of ['hidden', 'visible']) {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
        await pause();
    }
}"""


def looked_at_often(page):
    """Somebody goes to and fro between tabs, thirty looks in five seconds: answers that were given up count for nothing."""
    page.goto(origin + "/#/new")
    send(page, "before it is looked at")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    refused = []
    listen = lambda answer: refused.append(answer.url) if answer.status == 429 else None
    page.on("response", listen)
    page.evaluate(LOOKS)
    ways = page.evaluate("window.ways")
    assert not refused and not any("close a window" in words for words in ways), (len(refused), ways)
    send(page, "/slow 40")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    numbers = [int(n) for n in re.findall(r"\b\d+\b", said(page))]
    assert numbers == list(range(1, 41)), f"words are missing or twice: {numbers}"
    page.remove_listener("response", listen)
    step("thirty looks in five seconds: no answer is refused, every word once")


class Swallowing:
    """A way that dies without a word: from `swallow` on what was connected hears nothing more and is not closed; what connects
    later is served."""

    def __init__(self, to):
        self.to, self.age, self.ways = to, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.ways.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.pass_on, args=(source, sink, self.age), daemon=True).start()

    def pass_on(self, source, sink, age):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.age == age:
                    sink.sendall(data)
            if self.age == age:
                sink.shutdown(socket.SHUT_WR)

    def swallow(self):
        self.age += 1

    def close(self):
        self.listener.close()
        for way in self.ways:
            for end in way:
                end.close()


def died_in_silence(play):
    """The way of a page that is not seen dies without a word (a phone's, a NAT's): seen again, it has what was said within a second."""
    way = Swallowing(port)
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", f"--host-resolver-rules=MAP localhost:{port} 127.0.0.1:{way.port}"])
    page = opened(browser, "desk", "light")
    pair(page, "silent")
    ctl("chat", "--session", "new", "before the way died")
    session = json.loads(ctl("chat", "--list", "--json").splitlines()[0])["session"]
    page.goto(f"{origin}/#/s/{session}")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(page.locator(".link")).to_contain_text("connected")
    assert way.ways, "the page does not come by this way"
    # As it is served; what another protocol in front of it makes of this is in docs/web.md.
    spoken = page.evaluate("[...new Set(performance.getEntries().map((one) => one.nextHopProtocol).filter(Boolean))]")
    assert spoken == ["http/1.1"], spoken
    waits = []
    for number, seconds in enumerate((3, 12, 3)):
        words = f"said in silence {number}"
        page.evaluate(SEE % "hidden")
        way.swallow()
        ctl("chat", "--session", session, words)
        # It is the length of the silence that is tried.
        page.wait_for_timeout(seconds * 1000)
        assert words not in page.locator("main").inner_text()
        page.evaluate(TIMED, words)
        waits.append(page.evaluate("window.waited"))
    step(f"seen again when its way had died in silence: what was said is there after {', '.join(f'{wait:.0f}' for wait in waits)} ms")
    assert sorted(waits)[1] <= 1000 and max(waits) < 5000, waits
    browser.close()
    way.close()


def asked(page, name):
    """The agent wants leave, then asks something; both are answered by a tap."""
    send(page, "/permission")
    card = page.get_by_role("region", name="The agent asks for leave")
    expect(card).to_be_visible()
    shot(page, f"{name}-14-permission")
    # What is allowed must not be read in another order than it has.
    turned = page.evaluate("import('/base/dom.js').then(({ h }) => h('p', { text: 'rm \\u202e# b' }, 'a\\u2067').textContent)")
    assert turned == "rm ·# ba·", turned
    page.reload()
    card.get_by_role("button", name="Allow once").click()
    expect(card).to_have_count(0)
    expect(page.locator(".turn").last.locator("details .how", has_text="Allowed once by")).to_contain_text("Chrome")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    send(page, "/permission")
    card.get_by_label("Why not, for the agent").fill("not on a Friday")
    card.get_by_role("button", name="Reject").click()
    expect(card).to_have_count(0)
    expect(page.locator(".turn").last).to_have_attribute("data-state", re.compile("done|interrupted|failed"))
    send(page, "/question")
    card = page.get_by_role("region", name="The agent asks a question")
    expect(card).to_be_visible()
    shot(page, f"{name}-15-question")
    for box in card.locator("fieldset").all():
        box.locator("label.option").first.click()
    card.get_by_role("button", name="Answer").click()
    expect(card).to_have_count(0)
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    # For a screen reader, and only once: nothing of it is left to be read later.
    spoken = page.locator(".unseen[role=status]")
    expect(spoken).to_have_text("The answer is complete")
    expect(spoken).to_have_text("")
    # What was asked and what came of it stays: the same words when all is read again.
    told = page.locator(".answer details", has=page.locator(".how", has_text=re.compile("^(Allowed|Not allowed|Answered)")))
    expect(told).to_have_count(3)
    words = told.all_inner_texts()
    assert "Not allowed by" in words[1] and "Answered: " in words[2], words
    page.reload()
    expect(page.locator(".link")).to_contain_text("connected")
    expect(told).to_have_count(3)
    assert told.all_inner_texts() == words, (words, told.all_inner_texts())
    told.last.locator("summary").click()
    shot(page, f"{name}-15-told")
    step(f"{name}: leave was given and refused, a question answered; it stands there when it is read again")


def listed(page):
    """Back closes the list of sessions that lies over the room on a phone; only then it leaves the room."""
    room, frame = page.url, page.locator(".frame.open")
    for way in ("Back", "Escape"):
        page.get_by_role("button", name="Sessions").click()
        expect(frame).to_have_count(1)
        page.go_back() if way == "Back" else page.keyboard.press("Escape")
        expect(frame).to_have_count(0)
        assert page.url == room, page.url
    page.get_by_role("button", name="Sessions").click()
    page.locator(".side").get_by_role("link", name="New session").click()
    expect(frame).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("New session")
    page.go_back()
    page.wait_for_url(room)
    expect(page.locator(".turn").last).to_be_visible()
    step("Back closes the list on a phone, and leads from the room that was chosen there to the one before")


def turned(page):
    """Who reads the end of a long session reads it when the phone is turned, too."""
    page.goto(origin + "/#/new")
    page.reload()
    for words in (3000, 400, 700, 1000, 1300):
        send(page, f"/long {words}")
        page.wait_for_url("**/#/s/*")
        expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    newest = page.get_by_role("button", name="Newest")
    for size in ({"width": 844, "height": 390}, SIZES["phone"]):
        expect(newest).to_be_hidden()
        page.set_viewport_size(size)
        page.wait_for_function("width => innerWidth === width", arg=size["width"])
        # Three pictures: the browser lays it out, the page follows, and what came to be seen is laid out.
        page.evaluate("new Promise(done => { let left = 3; const next = () => left-- ? requestAnimationFrame(next) : done(); next() })")
        rest = page.evaluate("(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('.scroller'))")
        assert rest < 80, (size, rest)
    step("a phone that is turned stays at the end")


def lists(page, name):
    """What is to do and what was changed: shown while it comes, and when it is read again."""
    send(page, "/todo /diff /slow 10")
    answer = page.locator(".turn .answer").last
    expect(answer.get_by_text("1 of 3 done; now: Repeat it")).to_be_visible()
    expect(answer.locator(".todos li")).to_have_count(3)
    expect(answer.locator(".todos li").nth(1)).to_contain_text("under way: Repeat it")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    page.reload()
    # What was kept of it stands there at once, and is replaced when the machine has answered.
    expect(page.locator(".link")).to_contain_text("connected")
    changed = answer.locator("summary", has_text="Changed")
    changed.focus()
    page.keyboard.press("Enter")
    expect(answer.locator(".diff .plus")).to_have_text("+new words\n")
    expect(answer.locator(".diff .minus")).to_have_text("-old words\n")
    answer.locator("summary", has_text="To do").click()
    expect(answer.locator(".todos li").first).to_be_visible()
    # What is said to readers of a screen only takes no room: the frame does not scroll away.
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the page is longer than its window"
    shot(page, f"{name}-16-lists")
    step(f"{name}: what is to do and what was changed, live and read again")


def files(page, name):
    """Files are chosen, pasted, dropped, refused, removed, sent, shown and taken back down."""
    page.goto(origin + "/#/new")
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    square = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
    page.locator("input[type=file]").set_input_files([
        {"name": "square.png", "mimeType": "image/png", "buffer": square},
        {"name": "long.txt", "mimeType": "text/plain", "buffer": b"words " * 30_000},
        {"name": "program", "mimeType": "text/plain", "buffer": b"\x7fELF\x02\x01"}])
    chips = page.locator(".composer .attached li")
    expect(chips.nth(1)).to_contain_text("180 KB")
    expect(chips.nth(2)).to_contain_text("only text (UTF-8), PNG, JPEG, GIF, WebP and PDF")
    page.get_by_role("button", name="Remove program").click()
    expect(page.get_by_role("button", name="Attach files")).to_have_attribute("title", "Attach files: 10.0 MB each, 8 a message, 1000.0 MB kept in all")
    # Of one that is too large nothing is asked.
    asked = []
    page.on("request", lambda request: asked.append(request.post_data) if '"upload"' in (request.post_data or "") else None)
    page.locator("input[type=file]").set_input_files({"name": "large.txt", "mimeType": "text/plain", "buffer": b"words " * 2_000_000})
    expect(chips.nth(2)).to_contain_text("Not attached: it has 12.0 MB, and a file may have 10.0 MB ([chat] attachment). Put it into the workspace and name it.")
    assert not asked, asked
    page.get_by_role("button", name="Remove large.txt").click()
    give = """([selector, kind, words]) => {
        const data = new DataTransfer();
        data.items.add(new File([words], words + '.txt', { type: 'text/plain' }));
        const event = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
            : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
        document.querySelector(selector).dispatchEvent(event);
    }"""
    page.evaluate(give, ["#message", "paste", "pasted"])
    page.evaluate(give, [".talk", "drop", "dropped"])
    expect(chips).to_have_count(4)
    expect(chips.nth(3)).to_contain_text("7 bytes")
    page.context.set_offline(True)
    page.locator("input[type=file]").set_input_files({"name": "late.txt", "mimeType": "text/plain", "buffer": b"late"})
    expect(chips.nth(4)).to_contain_text("files do not wait, messages do")
    page.context.set_offline(False)
    page.get_by_role("button", name="Remove late.txt").click()
    shot(page, f"{name}-30-files")
    send(page, "look at these")
    expect(page.locator(".turn[data-turn]")).to_have_count(1)
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    assert "square.png (image/png, 70 bytes), long.txt (text/plain, 180000 bytes), pasted.txt (text/plain, 6 bytes)" in said(page), said(page)
    expect(chips).to_have_count(0)
    page.reload()
    sent = page.locator(".turn .mine .attached")
    expect(sent.locator("li")).to_have_count(4)
    page.wait_for_function("() => document.querySelector('.attached img')?.naturalWidth === 1")
    with page.expect_download() as down:
        sent.get_by_role("link", name="long.txt").click()
    assert pathlib.Path(down.value.path()).read_bytes() == b"words " * 30_000 and down.value.suggested_filename == "long.txt"
    shot(page, f"{name}-31-files-sent")
    step(f"{name}: files go with a message and come down again")


def undone(page, name):
    """What was said is taken back, brought back, and branched."""
    send(page, "second thoughts")
    turns = page.locator(".turn[data-turn]")
    expect(turns).to_have_count(2)
    expect(turns.last).to_have_attribute("data-state", "done")
    turns.last.get_by_label("More about this message").click()
    back, surely = (turns.last.get_by_role("button", name=words) for words in ("Go back to before this", "Take this and all below back"))
    back.click()
    shot(page, f"{name}-32-back")
    # It asks back for 5 s; a picture takes longer on a busy machine.
    if not surely.is_visible():
        back.click()
    surely.click()
    expect(page.get_by_text("One message is taken back, and can be brought back until you write something new.")).to_be_visible()
    expect(turns.last).to_have_attribute("data-taken-back", "true")
    shot(page, f"{name}-33-taken-back")
    page.get_by_role("button", name="Bring back").click()
    expect(turns.last).to_have_attribute("data-taken-back", "false")
    turns.last.get_by_label("More about this message").click()
    before = page.url
    turns.last.get_by_role("button", name="New session up to before this").click()
    page.wait_for_function("before => location.href !== before", arg=before)
    expect(page.get_by_role("heading", level=1)).to_contain_text("(copy)")
    expect(turns).to_have_count(1)
    expect(turns.last).to_contain_text("look at these")
    # Where the agent has what was copied is not known: nobody is offered to go back there.
    expect(turns.last.get_by_role("button", name="Copy answer")).to_be_visible()
    expect(turns.last.get_by_label("More about this message")).to_have_count(0)
    send(page, "/compact")
    expect(turns).to_have_count(2)
    expect(turns.last).to_have_attribute("data-state", "done")
    assert "So far you wrote 1 times." in said(page), said(page)
    step(f"{name}: taken back, brought back, branched, summarized")


def workspace(page, name):
    """A new session in the second workspace: it is of that one, and the agent works in its directory."""
    page.goto(origin + "/#/new")
    choice = page.get_by_label("Workspace of the new session")
    expect(choice.locator("option")).to_have_text(["home", "work"])
    choice.select_option("work")
    shot(page, f"{name}-20-workspace")
    send(page, f"in the workspace work, on the {name}")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(page.locator(".side .sessions a[aria-current] .sub")).to_contain_text("work")
    session = json.loads(ctl("chat", "--list", "--json").splitlines()[0])
    assert (session["workspace"], page.url.split("/")[-1]) == ("work", session["session"]), session
    # What the agent itself keeps of it.
    agents = [json.loads(line).get("session") or {} for line in (home / "s/echo-agent/sessions.jsonl").read_text().splitlines()]
    directories = {one["directory"] for one in agents if one.get("title", "").startswith("in the workspace work")}
    assert directories == {str(home / "work")}, directories
    # It is what the next one begins with, until another is chosen.
    page.goto(origin + "/#/new")
    page.reload()
    expect(choice).to_have_value("work")
    choice.select_option("home")
    step(f"{name}: a session runs in the workspace that was chosen")


def chosen(page, name):
    """Model and agent are chosen before the first message and later, a command is found by its first letters."""
    page.goto(origin + "/#/new")
    page.get_by_label("Model and agent").click()
    model, agent = page.get_by_label("Model", exact=True), page.get_by_label("Agent", exact=True)
    expect(model.locator("option")).to_have_count(3)
    model.select_option("nexus/meter")
    shot(page, f"{name}-17-choice")
    page.keyboard.press("Escape")
    expect(model).to_be_hidden()
    send(page, "grüße")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(page.get_by_label("Model and agent")).to_contain_text("Meter")
    expect(page.locator(".turn .used").last).to_have_text(re.compile(r"^\d+ tokens, 0\.\d+ US dollars, nexus/meter$"))
    page.reload()
    expect(page.get_by_label("Model and agent")).to_contain_text("meter")
    expect(page.locator(".turn .used")).to_contain_text("US dollars")
    page.locator("summary[aria-label='This session']").click()
    expect(page.get_by_text(re.compile("In all: .* US dollars"))).to_be_visible()
    shot(page, f"{name}-19-used")
    page.keyboard.press("Escape")
    page.get_by_label("Model and agent").click()
    with page.expect_response(lambda answer: '"op":"choose"' in (answer.request.post_data or "")) as answer:
        agent.select_option("capitals")
    assert answer.value.ok
    page.keyboard.press("Escape")
    field = page.get_by_label("Message to the agent")
    field.press_sequentially("/tw")
    expect(page.get_by_role("list", name="Commands").get_by_role("button")).to_have_count(1)
    shot(page, f"{name}-18-commands")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("/twice ")
    expect(field).to_be_focused()
    if not name.startswith("phone"):
        # Half a name is not said to the agent: Return takes what is listed first.
        field.fill("")
        field.press_sequentially("/tw")
        expect(page.get_by_role("list", name="Commands").get_by_role("button")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(field).to_have_value("/twice ")
    field.press_sequentially("hi")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    expect(page.locator(".turn .answer").last).to_contain_text("YOU WROTE: HI HI")
    step(f"{name}: model and agent chosen, a command called")


# Chromium without Google's push service: the page's own part of it is played, everything behind it is real.
PUSH = """
PushManager.prototype.getSubscription = async () => made(localStorage.getItem('played'));
PushManager.prototype.subscribe = async (options) => {
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error('not a key of P-256');
  localStorage.setItem('played', 'https://push.example.invalid/' + Math.random());
  return made(localStorage.getItem('played'));
};
function made(endpoint) {
  const keys = {p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg'};
  return endpoint ? {endpoint, toJSON: () => ({endpoint, keys}), unsubscribe: async () => localStorage.removeItem('played')} : null;
}
"""


def told(page):
    """This device wants to be told; what comes is shown, and a tap on it leads to its session."""
    page.context.grant_permissions(["notifications"], origin=origin)
    page.add_init_script(PUSH)
    page.goto(origin + "/#/new")
    page.reload()
    send(page, "to be told")
    expect(page.locator(".turn").last).to_have_attribute("data-state", "done")
    session = page.url.split("/")[-1]
    page.goto(origin + "/#/devices")
    switch = page.get_by_role("switch", name="Tell me")
    expect(switch).to_have_text("Tell me: off")
    switch.click()
    expect(switch).to_have_text("Tell me: on")
    shot(page, "phone-16-told")
    page.reload()
    expect(switch).to_have_text("Tell me: on")
    devtools, registered = page.context.new_cdp_session(page), []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: registered.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.ready")
    word = {"type": "word", "id": "word_x", "kind": "turn", "sentence": "The agent is done.", "session": session}
    active = [one for one in registered if not one["isDeleted"]][-1]
    # Once, on a busy machine, nothing was shown in 20 s, and why is not known. The tool says nothing of what became of a
    # message, so it is handed over again; one of the same tag takes its place, and more than one try is printed.
    shown, tries = [], 0
    while not shown and tries < 10:
        tries += 1
        devtools.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": active["registrationId"], "data": json.dumps(word)})
        shown = page.evaluate("""async (limit) => {
            const registration = await navigator.serviceWorker.getRegistration(), until = performance.now() + limit;
            for (;;) {
                const all = await registration.getNotifications();
                if (all.length || performance.now() > until) return all.map((one) => [one.title, one.body]);
                await new Promise(requestAnimationFrame);
            }
        }""", LIMIT / 4)
    if tries > 1:
        print(f"  told at the {tries}th try; {page.evaluate('Notification.permission')}, {registered}", flush=True)
    assert shown == [["Nexus", "The agent is done."]], (shown, tries, page.evaluate("Notification.permission"), registered)
    page.context.service_workers[0].evaluate("""registration.getNotifications().then(([notification]) =>
        { self.dispatchEvent(new NotificationEvent('notificationclick', {notification})); })""")
    expect(page).to_have_url(f"{origin}/#/s/{session}")
    page.goto(origin + "/#/devices")
    switch.click()
    expect(switch).to_have_text("Tell me: off")
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.reload()
    expect(page.get_by_text("only of a page that came over https")).to_be_visible()
    expect(switch).to_have_count(0)
    step("told: switched on, shown, tapped, switched off; where it cannot be, in words")


class Holding(http.server.BaseHTTPRequestHandler):
    """A way that holds every answer back until it is whole, as some tunnels and proxies do."""
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "origin", "connection", "accept-encoding")}
        headers["Host"] = f"localhost:{port}"
        if "Origin" in self.headers:
            headers["Origin"] = origin
        upstream = http.client.HTTPConnection("localhost", port, timeout=60)
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        whole = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole)

    do_GET = do_POST = pass_on
    log_message = lambda *_: None


def held_back(browser):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Holding)
    server.daemon_threads, server.handle_error = True, lambda *_: None  # a page that leaves is no fault
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = opened(browser, "phone", "light")
    behind = f"http://localhost:{server.server_port}"
    code = json.loads(ctl("pair", "--here", "--json"))["code"]
    watch.hosts.append(behind)
    page.goto(f"{behind}/#pair={code}")
    page.get_by_role("button", name="Pair this browser").click()
    send(page, "/slow 40")
    expect(page.locator(".link")).to_contain_text("in steps")
    grows_to(page, 3)
    expect(page.locator(".turn")).to_have_attribute("data-state", "running")
    first = said(page)
    grows_to(page, len(re.findall(r"\b\d+\b", first)) + 4)
    expect(page.locator(".turn")).to_have_attribute("data-state", "done")
    assert [int(n) for n in re.findall(r"\b\d+\b", said(page))] == list(range(1, 41))
    page.get_by_role("button", name="Sessions").click()
    ctl("chat", "--session", "new", "told in steps")
    expect(page.locator(".side .sessions a", has_text="told in steps")).to_be_visible()
    page.context.close()
    server.shutdown()
    step("behind something that holds streams back: in steps, every word once")


def paints_soon(browser):
    """Median of 5 first looks on a slow phone: a quarter of the CPU, 150 ms, 1.6 Mbit/s."""
    painted = []
    for _ in range(5):
        context = browser.new_context(viewport=SIZES["phone"], service_workers="block")
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000})
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(origin)
        expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
        painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        context.close()
    median = statistics.median(painted)
    step(f"first contentful paint after {median:.0f} ms, the median of 5 on a slow phone")
    # Beside other work it measures that work: there it is told and not judged.
    load = os.getloadavg()[0]
    if median >= 1000 and load > os.cpu_count():
        return skipped(f"first contentful paint under 1 s: {median:.0f} ms at a load of {load:.1f} on {os.cpu_count()} processors")
    assert median < 1000, painted


def focus(page, name, key="Tab"):
    """By Tab alone to what has that name."""
    named = """name => { const at = document.activeElement;
        return [at.getAttribute('aria-label'), at.labels?.[0]?.innerText, at.innerText].some(one => one?.trim() === name); }"""
    for _ in range(60):
        if page.evaluate(named, name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no way to {name} by {key}")


def by_keys(browser):
    """Pair, send, give leave, stop, without a pointer: Tab and Enter."""
    page = opened(browser, "desk", "light")
    page.goto(json.loads(ctl("pair", "--here", "--json"))["url"])
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    focus(page, "Pair this browser")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    for message, button, state in (("/permission", "Allow once", "done"), ("/slow 300", "Stop", "interrupted")):
        focus(page, "Message to the agent")
        page.keyboard.type(message)
        focus(page, "Send")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=button)).to_be_visible()
        focus(page, button)
        page.keyboard.press("Enter")
        expect(page.locator(".turn").last).to_have_attribute("data-state", state)
    assert "Allowed: once" in page.locator(".turn .answer").first.inner_text()
    page.context.close()
    step("by keys alone: paired, sent, leave given, stopped")


def with_password(browser):
    """A code alone lets nobody in where there is a password: a wrong one is said, the right one pairs."""
    subprocess.run([box.programs / "nexusctl", "password"], env=environment, input=b"correct horse\n", check=True, capture_output=True)
    page = opened(browser, "phone", "light")
    page.goto(json.loads(ctl("pair", "--here", "--json"))["url"])
    button = page.get_by_role("button", name="Pair this browser")
    button.click()
    password = page.get_by_label("Password of this machine")
    expect(password).to_be_focused()
    expect(button).to_be_enabled()
    shot(page, "phone-34-password")
    password.fill("wrong horse")
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(password).to_have_value("")
    shot(page, "phone-35-wrong-password")
    password.fill("correct horse")
    password.press("Enter")
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    ctl("password", "--remove")
    page.context.close()
    step("a password: asked for, a wrong one refused in words, the right one lets in")


def shut_out(browser, spent):
    page = opened(browser, "desk", "light")
    page.goto(spent)
    page.get_by_role("button", name="Pair this browser").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong, spent or older")
    step("a spent code lets nobody in")
    pair(page, "guest", "--chat-only")
    expect(page.get_by_role("link", name="Machine")).to_have_count(0)
    guest = next(d for d in map(json.loads, ctl("devices", "--json").splitlines()) if d["role"] == "chat-only")
    send(page, "/slow 300")
    grows_to(page, 2)
    ctl("devices", "revoke", guest["device"])
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    step("a device was shut out in the middle of an answer")


def stolen_cookie(page):
    """The agent's own server on another port of localhost, to which its answer has a link."""
    got = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            got.append(self.headers.get("Cookie", ""))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    other = http.server.HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    visit = page.context.new_page()
    try:
        visit.goto(f"http://localhost:{other.server_port}/")
    except Exception:  # 204 is no page
        pass
    visit.close()
    other.shutdown()
    assert got and "__Host-nexus=" in got[0], f"a browser that keeps cookies by port: {got}; then the key may go"
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    link.request("POST", "/api/devices", '{"op":"devices"}', {
        "Content-Type": "application/json", "X-Nexus": "1", "Origin": origin, "Host": f"localhost:{port}", "Cookie": got[0]})
    answer = link.getresponse()
    said = answer.read()
    assert answer.status == 401, (answer.status, said)
    key = page.evaluate("async () => [JSON.parse(localStorage['nexus.key']), await (await caches.match('/key')).text()]")
    assert len(key[0]) == 64 and key[0] == key[1], "the page and its service worker have not the same key"
    step("the cookie went to another port of localhost, where it is worth nothing")


with box.running(), watch.pictured():
    box.until("the page", lambda: f"page at {origin}" in ctl("status"))
    qr_is_readable()
    step("the QR code is read by zbarimg")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        phone = opened(browser, "phone", "light")
        spent = story(phone, "phone")
        later(phone)
        asked(phone, "phone")
        listed(phone)
        turned(phone)
        lists(phone, "phone")
        rooms(phone, "phone")
        told(phone)
        workspace(phone, "phone")
        chosen(phone, "phone")
        files(phone, "phone")
        undone(phone, "phone")
        desk = opened(browser, "desk", "dark")
        story(desk, "desk")
        asked(desk, "desk")
        rooms(desk, "desk")
        restarted(desk)
        kept(desk)
        together(phone, desk)
        tailed(desk)
        returned(desk)
        looked_at_often(desk)
        lists(desk, "desk")
        workspace(desk, "desk")
        chosen(desk, "desk")
        files(desk, "desk")
        undone(desk, "desk")
        stolen_cookie(desk)
        shut_out(browser, spent)
        by_keys(browser)
        with_password(browser)
        held_back(browser)
        paints_soon(browser)
        browser.close()
        died_in_silence(play)
watch.verdict()
print(f"web: the page does what it says, {box.seconds:.0f} s; pictures in {sys.argv[2]}")
