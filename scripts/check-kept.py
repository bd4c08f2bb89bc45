"""What the page keeps, and what it waits for, in a real browser: a device that is shut out, a store that is another one, a session
that was deleted elsewhere, two windows in one field, an upload that breaks off; and every request of the page without an answer.

    check-kept.py BIN PICTURES

Nothing typed may be lost, nothing may be called connected that is not, and nothing may be waited for without words and a limit. Every
wait is for an event, with a limit; limits of the page's own are waited for by the browser's clock, which is turned on.
"""
import contextlib, http.server, json, os, pathlib, re, signal, sqlite3, sys, threading

from playwright.sync_api import sync_playwright, expect

from checking import ROOT, Box, Watch, copy, free_port

LIMIT = 20_000  # ms, of one wait
expect.set_options(timeout=LIMIT)

box = Box("kept", sys.argv[1])
ctl, step = box.ctl, box.step
port = free_port()
config = (ROOT / "Supervisor.toml").read_text().replace("127.0.0.1:4780", f"127.0.0.1:{port}")
config = config.replace('"--state", "{state}/echo-agent"]', '"--state", "{state}/echo-agent", "--delay-ms", "5"]')
(box.home / "Supervisor.toml").write_text(config)
origin = f"http://localhost:{port}"
watch = Watch(sys.argv[2], origin)


def opened(browser, name, **more):
    page = watch.opened(browser, LIMIT, name, **{"viewport": {"width": 1280, "height": 800}, **more})
    pair(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


def pair(page):
    page.goto(json.loads(ctl("pair", "--here", "--json"))["url"])
    # The form that stood there before, without a code, pairs nobody.
    expect(page.get_by_label("Code", exact=True)).to_have_value(re.compile("."))
    page.get_by_role("button", name="Pair this browser").click()
    expect(field(page)).to_be_visible()


def window(page, address):
    """Another one of the same browser."""
    other = page.context.new_page()
    other.set_default_timeout(LIMIT)
    other.on("pageerror", lambda error: watch.complaints.append(str(error)))
    other.goto(address)
    return other


def field(page):
    return page.get_by_label("Message to the agent")


def send(page, text):
    field(page).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def over(page, state="done"):
    expect(page.locator(".turn").last).to_have_attribute("data-state", state)


def new(page):
    page.goto(origin + "/#/new")
    page.reload()
    expect(field(page)).to_be_visible()


def begun(page, words):
    """A new session; its address."""
    new(page)
    send(page, words)
    page.wait_for_url("**/#/s/*")
    over(page)
    return page.url


def kept_here(page):
    return page.evaluate("Object.keys(localStorage).filter(one => one.startsWith('nexus.') && one !== 'nexus.typed').sort()")


def outlives(page):
    """What was stored is where a browser that is killed keeps it."""
    assert page.evaluate("import('/base/shelf.js').then(shelf => shelf.written)") is True


def shot(page, name):
    watch.shot(page, f"kept-{name}")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=str(watch.pictures / f"kept-{name}-dark.png"))
    page.emulate_media(color_scheme="light")


def shut_out(browser):
    """A device is shut out while a message waits and drafts stand: they stay, what was read goes, and both are there when it is paired again."""
    page = opened(browser, "phone", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    session = begun(page, "before it was shut out")
    device = max(map(json.loads, ctl("devices", "--json").splitlines()), key=lambda one: one["seen"])
    page.context.set_offline(True)
    send(page, "sent while it was away")
    expect(page.locator(".unsent .turn")).to_have_count(1)
    field(page).fill("typed while it was away")
    ctl("devices", "revoke", device["device"])
    page.context.set_offline(False)
    words = page.get_by_text("Not sent and kept in this browser: messages 1, drafts 1.")
    expect(words).to_be_visible()
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    page.wait_for_function("caches.has('nexus').then((has) => !has)")
    shot(page, "shut-out")
    page.reload()
    expect(words).to_be_visible()
    names = kept_here(page)
    assert names == [f"nexus.draft.{session.split('/')[-1]}", "nexus.outbox"], names
    pair(page)
    page.goto(session)
    over(page)
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(page.locator(".turn .said").last).to_have_text("sent while it was away")
    expect(field(page)).to_have_value("typed while it was away")
    step("shut out: what was typed stays, what was read goes, and it is sent once when paired again")
    device = max(map(json.loads, ctl("devices", "--json").splitlines()), key=lambda one: one["seen"])
    ctl("devices", "revoke", device["device"])
    expect(page.get_by_text("messages 0, drafts 1.")).to_be_visible()
    page.get_by_role("button", name="Forget that").click()
    page.get_by_role("button", name="Forget it, surely?").click()
    expect(page.get_by_text("Not sent and kept")).to_have_count(0)
    assert kept_here(page) == [], kept_here(page)
    page.context.close()
    step("shut out for good: its owner has it forget what was typed")


def forgotten(browser):
    """Who forgets this browser forgets what was typed in it, though the list hears first that it is shut out; and what is not attached is not sent without."""
    page = opened(browser, "forgotten")
    field(page).fill("a secret draft")
    page.context.set_offline(True)
    page.locator("input[type=file]").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"})
    expect(page.locator(".composer .attached")).to_contain_text("Not attached: this device is offline.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("plan.txt is not attached: remove it, or attach it again")).to_be_visible()
    expect(page.locator(".unsent .turn")).to_have_count(0)
    page.get_by_role("button", name="Remove plan.txt").click()
    page.context.set_offline(False)
    page.wait_for_function("() => localStorage.getItem('nexus.draft.new')")
    page.goto(origin + "/#/devices")
    page.get_by_role("button", name="Forget this browser").click()
    page.get_by_role("button", name="Forget it, with what is kept here?").click()
    expect(page.get_by_text("This browser is forgotten.")).to_be_visible()
    expect(page.get_by_text("Not sent and kept")).to_have_count(0)
    assert kept_here(page) == [], kept_here(page)
    page.reload()
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    assert kept_here(page) == [], kept_here(page)
    page.context.close()
    step("forgotten: with what was typed here; a file that is not attached holds its message back")


def connected(page):
    """The way is called connected when something came over it, and not while nobody answers."""
    begun(page, "a way")
    expect(page.locator(".link")).to_have_text("connected")
    page.evaluate("""() => {
        window.ways = [];
        const line = document.querySelector('.link');
        new MutationObserver(() => window.ways.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
    }""")
    ctl("stop", "chat-bridge")
    page.wait_for_function("() => window.ways.filter(one => one.includes('trying again')).length > 3")
    ways = page.evaluate("window.ways")
    assert "connected" not in ways, ways
    ctl("start", "chat-bridge")
    expect(page.locator(".link")).to_have_text("connected")
    step("nothing is called connected while nobody answers")


DELETE = """session => fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Nexus': JSON.parse(localStorage['nexus.key']) },
    body: JSON.stringify({ op: 'delete', session }) }).then(answer => answer.text())"""


def deleted(page):
    """Sessions are deleted elsewhere: a message on its way, and what was typed, are given back for a new one."""
    other = begun(page, "to be deleted, not looked at")
    field(page).fill("typed where nobody looks")
    session = begun(page, "to be deleted, looked at")
    elsewhere = window(page, origin + "/#/machine")
    page.context.set_offline(True)
    send(page, "for a session that goes")
    expect(page.locator(".unsent .turn")).to_have_count(1)
    field(page).fill("typed in it")
    ctl("stop", "chat-bridge")
    page.context.set_offline(False)
    # The window elsewhere asks first when chat-bridge is back.
    page.evaluate("window.fetch = (fetch => (...given) => window.isHeld ? Promise.reject(new TypeError('held')) : fetch(...given))(window.fetch); window.isHeld = true")
    ctl("start", "chat-bridge")
    ctl("wait", "--ready", "--timeout", "20s")
    for address in (session, other):
        answer = elsewhere.evaluate(DELETE, address.split("/")[-1])
        assert "deleted" in answer, answer
    elsewhere.close()
    page.evaluate("window.isHeld = false")
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("Not taken: its session was deleted")
    expect(page.get_by_role("heading", level=1)).to_have_text("New session")
    expect(page.get_by_text("That session is not there any more.")).to_be_visible()
    for words in ("typed in it", "typed where nobody looks"):
        expect(field(page)).to_have_value(re.compile(words))
    shot(page, "deleted")
    page.reload()
    expect(card).to_contain_text("for a session that goes")
    card.get_by_role("button", name="Send as a new session").click()
    page.wait_for_url("**/#/s/*")
    over(page)
    expect(page.locator(".turn .said")).to_have_text("for a session that goes")
    expect(card).to_have_count(0)
    for words in ("typed in it", "typed where nobody looks"):
        expect(field(page)).to_have_value(re.compile(words))
    assert page.url not in (session, other), page.url
    field(page).fill("")
    step("deleted elsewhere: the message goes as a new session by a tap, drafts stand in the field for one")


def unheard(page):
    """A first message was done and nobody heard of it, and its session was deleted elsewhere: the agent does it again by a tap only."""
    new(page)
    answers = []

    def cut(route):
        if '"op":"send"' not in (route.request.post_data or ""):
            return route.continue_()
        if not answers:
            answers.append(route.fetch().text())
        route.abort()

    # In all its windows: each sends what waits.
    page.context.route("**/api/chat", cut)
    send(page, "done and not heard of")
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("trying again")
    session = json.loads(answers[0].splitlines()[0])["session"]
    elsewhere = window(page, origin + "/#/machine")
    # It may still run, for its answer was cut off at the acceptance; then it is refused.
    for _ in range(100):
        answer = elsewhere.evaluate(DELETE, session)
        if "deleted" in answer:
            break
        elsewhere.wait_for_timeout(100)
    assert "deleted" in answer, answer
    elsewhere.close()
    page.context.unroute("**/api/chat")
    expect(card).to_contain_text("Not taken: its session was deleted")
    said = lambda: ctl("chat", "--list", "--json").count("done and not heard of")
    assert said() == 0, ctl("chat", "--list")
    page.reload()
    card.get_by_role("button", name="Send as a new session").click()
    page.wait_for_url("**/#/s/*")
    over(page)
    expect(card).to_have_count(0)
    assert said() == 1, ctl("chat", "--list")
    step("done, not heard of, and deleted elsewhere: it is done again by a tap only")


class NoGateway(http.server.BaseHTTPRequestHandler):
    """What says in place of the machine that it is not there."""

    def do_GET(self):
        with contextlib.suppress(OSError):
            self.send_response(502)
            self.end_headers()
            self.wfile.write(b"<title>502 Bad Gateway</title>")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def in_its_place(page):
    """Something on the way answers in place of the machine: the page opens all the same, with what was typed."""
    begun(page, "before something answered in place of it")
    field(page).fill("typed before")
    ctl("stop", "chat-bridge")
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), NoGateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.reload()
        expect(field(page)).to_have_value("typed before")
        expect(page.locator(".link")).to_contain_text("trying again")
        server.shutdown()
    ctl("start", "chat-bridge")
    expect(page.locator(".link")).to_have_text("connected")
    field(page).fill("")
    step("answered in its place: the page opens as without a network")


def two_fields(page):
    """Two windows at one session: what is typed shows where nothing was typed, and nothing of either is lost."""
    session = begun(page, "two windows, one field")
    other = window(page, session)
    expect(other.locator(".turn[data-turn]")).to_have_count(1)
    field(page).fill("from the first")
    expect(field(other)).to_have_value("from the first")
    field(other).fill("from the second")
    page.wait_for_function("name => ['from the first', 'from the second'].every(one => localStorage.getItem(name).includes(one))", arg=f"nexus.draft.{session.split('/')[-1]}")
    expect(field(page)).to_have_value("from the first")
    page.close()
    third = window(other, session)
    for words in ("from the first", "from the second"):
        expect(field(third)).to_have_value(re.compile(words))
    expect(field(other)).to_have_value("from the second")
    other.get_by_role("button", name="Send", exact=True).click()
    expect(other.locator(".turn[data-turn]")).to_have_count(2)
    expect(field(other)).not_to_have_value(re.compile("^from the second$"))
    expect(field(third)).to_have_value(re.compile("from the first"))
    other.close()
    third.reload()
    expect(field(third)).to_have_value(re.compile("from the first"))
    field(third).fill("")
    step("two windows in one field: each keeps its own, the next one has both")
    return third


ASK = """body => fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Nexus': JSON.parse(localStorage['nexus.key']) },
    body: JSON.stringify(body) }).then(answer => answer.text())"""


def away(page):
    """To another room, and back."""
    page.get_by_role("link", name="Devices").click()
    expect(page.locator("main.room")).to_be_visible()
    page.go_back()


def told_nothing(page):
    """Without [word] the page shows the lines that switch it on, to be copied."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write", "notifications"], origin=origin)
    page.goto(origin + "/#/devices")
    expect(page.get_by_text("To be told, put these lines into Supervisor.toml")).to_contain_text("then: nexusctl reload")
    copy(page, "Copy this code")
    lines = page.evaluate("navigator.clipboard.readText()")
    assert lines == '[word]\nsend = ["turn", "asked", "parked", "address"]', lines
    path = box.home / "Supervisor.toml"
    before = path.read_text()
    path.write_text(before + "\n" + lines + "\n")
    ctl("reload")
    expect(page.get_by_role("switch", name="Tell me")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("switch", name="Tell me")).to_be_visible()
    path.write_text(before)
    ctl("reload")
    box.until("the page again", lambda: f"page at {origin}" in ctl("status"))
    step("words are off: the lines that switch them on are there to copy, and do")


def card_words(page):
    """What is typed and chosen in a card outlives a reload and another room; it goes with the answer, or stands in the field when the card goes without it."""
    session = begun(page, "before the cards").split("/")[-1]
    card = page.locator(".card")
    send(page, "/permission")
    card.get_by_role("button", name="Reject").click()
    # What says nothing is no answer to be copied, also when it is read again.
    for _ in range(2):
        over(page)
        expect(page.locator(".turn").last.get_by_text("failed")).to_be_visible()
        expect(page.locator(".turn").last.get_by_text("Copy answer")).to_be_hidden()
        expect(page.locator(".turn").first.get_by_role("button", name="Copy answer")).to_be_visible()
        page.reload()
    send(page, "/permission")
    why = card.get_by_label("Why not, for the agent")
    why.fill("not on a Friday")
    page.reload()
    expect(why).to_have_value("not on a Friday")
    away(page)
    expect(why).to_have_value("not on a Friday")
    outlives(page)
    card.get_by_role("button", name="Reject").click()
    expect(card).to_have_count(0)
    expect(field(page)).to_have_value("")
    page.wait_for_function("() => !Object.keys(localStorage).some(one => one.startsWith('nexus.draft.'))")
    expect(page.locator(".foot.working")).to_have_count(0)
    # Neither button takes the words that stand beside it.
    for order, label, name in (("/permission", "Why not, for the agent", "Allow once"), ("/question", "In own words", "Put aside")):
        send(page, order)
        card.get_by_label(label).first.fill("not to be lost")
        card.get_by_role("button", name=name).click()
        expect(card).to_have_count(0)
        expect(field(page)).to_have_value("not to be lost")
        over(page, re.compile("done|interrupted|failed"))
        field(page).fill("")
        page.wait_for_function("() => !Object.keys(localStorage).some(one => one.startsWith('nexus.draft.'))")
    send(page, "/question")
    expect(card).to_be_visible()
    card.locator("label.option input").first.check()
    own = card.get_by_label("In own words").first
    own.fill("as I say")
    page.reload()
    expect(own).to_have_value("as I say")
    expect(card.locator("label.option input").first).to_be_checked()
    key = card.get_attribute("data-key")
    page.evaluate(ASK, {"op": "answer", "session": session, "id": key.removeprefix(session + "/"), "reply": "dismiss"})
    expect(card).to_have_count(0)
    expect(field(page)).to_have_value("as I say")
    over(page, re.compile("done|interrupted|failed"))
    page.reload()
    expect(field(page)).to_have_value("as I say")
    # Answered while the page was elsewhere.
    field(page).fill("")
    send(page, "/question")
    own.fill("and once more")
    key = card.get_attribute("data-key")
    page.get_by_role("link", name="Devices").click()
    expect(card).to_have_count(0)
    page.evaluate(ASK, {"op": "abort", "session": session})
    page.go_back()
    expect(field(page)).to_have_value("and once more")
    expect(card).to_have_count(0)
    field(page).fill("")
    step("words in cards: over a reload and another room, gone with the answer, in the field when somebody else gave it")


def renamed(page):
    """A title that is being typed stays when another device gives the session one."""
    session = begun(page, "to be renamed").split("/")[-1]
    page.locator("summary[aria-label='This session']").click()
    page.get_by_role("button", name="Rename").click()
    title = page.get_by_label("Title of the session")
    title.fill("mine")
    # On a phone the bar is the field's, with its two buttons.
    for width in (390, 360, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert title.bounding_box()["width"] >= 150, (width, title.bounding_box())
        for one in (title, page.get_by_role("button", name="Save", exact=True), page.get_by_role("button", name="Cancel", exact=True)):
            expect(one).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("link", name="New session")).to_be_hidden()
        assert page.get_by_role("button", name="Cancel", exact=True).bounding_box()["y"] < 20, "in a row of its own"
        shot(page, f"rename-{width}")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(ASK, {"op": "rename", "session": session, "title": "theirs"})
    expect(page.locator(".side .sessions a", has_text="theirs")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("theirs")
    expect(title).to_have_value("mine")
    for _ in range(2):
        page.reload()
        expect(title).to_have_value("mine")
        away(page)
        expect(title).to_have_value("mine")
    outlives(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("mine")
    expect(title).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("mine")
    expect(title).to_be_hidden()
    step("a title is typed on while another device gives one, over a reload and another room too")


def waits_elsewhere(page):
    """That another session waits for an answer stands below the title on a phone, on one line each, in a bar that does not grow."""
    session = begun(page, "the title of a session that is long enough to be cut")
    bar, words = page.locator("header.bar"), page.locator("header.bar .sub")
    for width in (390, 360, 320):
        page.set_viewport_size({"width": width, "height": 700})
        expect(words).to_be_hidden()
        high = bar.bounding_box()["height"]
        new(page)
        send(page, "/permission")
        page.wait_for_url("**/#/s/*")
        expect(page.locator(".card")).to_be_visible()
        expect(words).to_have_text("waits for your answer")
        asking = page.url
        page.goto(session)
        expect(words).to_have_text("another waits for your answer")
        shot(page, f"waits-{width}")
        heading = page.get_by_role("heading", level=1)
        assert bar.bounding_box()["height"] == high, (width, bar.bounding_box(), high)
        for one in (heading, words):
            box = one.bounding_box()
            assert box["y"] >= 0 and 15 < box["height"] < 30 and box["width"] > 120, (width, box)
        words.click()
        page.wait_for_url(asking)
        page.get_by_role("button", name="Stop", exact=True).click()
        over(page, "interrupted")
        page.goto(session)
    page.set_viewport_size({"width": 1280, "height": 800})
    step("what waits elsewhere is one line below the title on a phone")


# What is uploaded waits until `release` is called.
GATE = """() => {
    const fetch = window.fetch;
    const gate = new Promise(done => { window.release = done; });
    window.fetch = async (path, given) => {
        if (given?.body?.includes('"op":"piece"')) await gate;
        return fetch(path, given);
    };
}"""


def uploaded_elsewhere(page):
    """A file goes up while another room is shown; one that a revocation cuts off is named when the browser is let in again."""
    begun(page, "with a file")
    chips = page.locator(".composer .attached li")
    give = lambda name: page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": b"words " * 20_000})
    page.evaluate(GATE)
    give("long.txt")
    expect(chips).to_contain_text("Being uploaded")
    field(page).fill("read it")
    away(page)
    expect(chips).to_contain_text("Being uploaded")
    expect(chips).to_have_count(1)
    page.get_by_role("link", name="Devices").click()
    expect(chips).to_have_count(0)
    page.evaluate("window.release()")
    page.wait_for_function("() => Object.entries(localStorage).some(([name, text]) => name.startsWith('nexus.draft.') && text.includes('120000'))")
    page.go_back()
    for _ in range(2):
        expect(chips).to_contain_text("120 KB")
        expect(chips).to_have_count(1)
        expect(field(page)).to_have_value("read it")
        page.reload()
    page.get_by_role("button", name="Send", exact=True).click()
    over(page)
    expect(page.locator(".turn .mine .attached li")).to_have_count(1)
    expect(chips).to_have_count(0)
    page.evaluate(GATE)
    give("cut.txt")
    expect(chips).to_contain_text("Being uploaded")
    device = max(map(json.loads, ctl("devices", "--json").splitlines()), key=lambda one: one["seen"])
    ctl("devices", "revoke", device["device"])
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    page.evaluate("window.release()")
    pair(page)
    page.locator(".side .sessions a", has_text="with a file").click()
    expect(chips).to_contain_text("cut.txt")
    expect(chips).to_contain_text("Not attached: its upload was cut off. Attach it again.")
    page.get_by_role("button", name="Remove cut.txt").click()
    step("uploads: go on while another room is shown, and are named when a revocation cut them off")


def kill(word):
    """SIGKILL of a browser with that word among its arguments, and of all that it started: at once, or the others still write what they have."""
    parents, first = {}, None
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            parent = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(place.name))
        if word.encode() in words and not any(one.startswith(b"--type=") for one in words):
            first = int(place.name)
    family = [first]
    for one in family:
        family += parents.get(one, [])
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)


def killed(play):
    """The browser is killed while a message waits and words stand in a field: both are there in the next one, and the message goes out once."""
    profile = str(box.home / "profile")

    def browser():
        context = play.chromium.launch_persistent_context(profile, executable_path="/usr/bin/chromium", args=["--no-sandbox"], viewport={"width": 1280, "height": 800})
        watch.open["killed"] = page = context.pages[0]
        page.set_default_timeout(LIMIT)
        return page

    page = browser()
    pair(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = begun(page, "before it was killed")
    field(page).fill("an old draft")
    # Written by now is what is from long ago: the cookie, and what the browser had in its store.
    page.context.close()
    page = browser()
    page.goto(session)
    expect(field(page)).to_have_value("an old draft")
    ctl("stop", "chat-bridge")
    send(page, "sent right before")
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("trying again")
    expect(card).not_to_contain_text("has not kept it")
    field(page).fill("typed right before")
    outlives(page)
    kill(f"--user-data-dir={profile}")
    with contextlib.suppress(Exception):
        # It may be over before it is waited for.
        page.wait_for_event("close")
    page = browser()
    page.goto(session)
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("sent right before")
    expect(field(page)).to_have_value("typed right before")
    ctl("start", "chat-bridge")
    expect(card).to_have_count(0)
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(page.locator(".turn .said", has_text="sent right before")).to_have_count(1)
    over(page)
    page.context.close()
    step("killed at once after it was sent and typed: both are there, and it is sent once")


def pieces(page):
    """Uploads that break off say what to do; one that chat-bridge forgot begins anew by itself."""
    new(page)
    page.evaluate("""() => {
        const fetch = window.fetch;
        window.broken = [];
        window.fetch = (path, given) => {
            const error = given?.body?.includes('"op":"piece"') && window.broken.shift();
            return error ? Promise.resolve(new Response(JSON.stringify({ type: 'error', ...error }), { status: 500 })) : fetch(path, given);
        };
    }""")
    chips = page.locator(".composer .attached li")
    give = lambda name: page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": b"words " * 20_000})
    page.evaluate("window.broken = [null, { code: 'unknown', message: 'no such upload (any more); begin anew' }]")
    give("forgotten.txt")
    expect(chips.first).to_contain_text("120 KB")
    page.evaluate("window.broken = [{ code: 'failed', message: 'the disk is full; make room' }]")
    give("full.txt")
    expect(chips.last).to_contain_text("Not attached: the disk is full; make room.")
    shot(page, "upload")
    chips.last.get_by_role("button", name="Try again").click()
    expect(chips.last).to_contain_text("120 KB")
    expect(chips).to_have_count(2)
    send(page, "both of them")
    over(page)
    expect(page.locator(".turn .mine .attached li")).to_have_count(2)
    step("uploads: begun anew by itself, or by a tap")


MANY = """async () => {
    const sessions = [];
    for (let n = 0; n < 21; n++) {
        const answer = await fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Nexus': JSON.parse(localStorage['nexus.key']) },
            body: JSON.stringify({ op: 'send', session: null, text: `one of many, ${n}.`, client_id: `many.${Math.random()}` }) });
        sessions.push(JSON.parse((await answer.text()).split('\\n')[0]).session);
    }
    return sessions;
}"""


# Not a byte more goes in.
FULL = """() => {
    for (let size = 1 << 22; size >= 1; size >>= 1) {
        try { for (;;) localStorage.setItem('filler' + Math.random(), 'x'.repeat(size)); } catch { /* Full, but for less than that. */ }
    }
}"""


def no_room(page):
    """Drafts in many sessions are all kept; the browser has no room for what is typed: that is said, of a text and of a message."""
    sessions = page.evaluate(MANY)
    page.evaluate("""sessions => {
        for (const one of sessions) localStorage.setItem(`nexus.draft.${one}`, JSON.stringify({ text: `typed in ${one}`, files: [] }));
    }""", sessions)
    session = begun(page, "before it was full").rsplit("/", 1)[1]
    page.wait_for_function("session => localStorage.getItem(`nexus.kept.${session}`)", arg=session)
    page.context.set_offline(True)
    expect(page.locator(".link")).to_contain_text("trying again")
    draft = f"localStorage.getItem('nexus.draft.{session}')"
    # What was read goes for what is typed.
    page.evaluate("localStorage.setItem('nexus.kept.' + JSON.parse(localStorage['nexus.shelf'])[0], 'r'.repeat(20000))")
    page.evaluate(FULL)
    field(page).fill("w" * 3000)
    page.wait_for_function(f"() => {draft}?.includes('www')")
    expect(page.get_by_text("There is no room in this browser")).to_have_count(0)
    page.evaluate("for (const name of Object.keys(localStorage)) if (/^nexus.(kept|shelf)/.test(name)) localStorage.removeItem(name)")
    page.evaluate(FULL)
    field(page).fill("w" * 40000)
    expect(page.get_by_text("There is no room in this browser to keep this when the page closes.")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".unsent .turn")).to_contain_text("this browser has not kept it: leave the page open")
    shot(page, "no-room")
    page.evaluate("for (const name of Object.keys(localStorage)) if (name.startsWith('filler')) localStorage.removeItem(name)")
    page.context.set_offline(False)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    over(page)
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    kept = page.evaluate("sessions => sessions.filter(one => localStorage.getItem(`nexus.draft.${one}`))", sessions)
    assert kept == sessions, kept
    page.evaluate("sessions => { for (const one of sessions) localStorage.removeItem(`nexus.draft.${one}`); }", sessions)
    step("no room in the browser: said, and sent all the same; no draft goes for another one")


# Holds the page's requests that have one of these words, until whoever asked leaves.
HOLD = """() => {
    const fetch = window.fetch;
    window.held = [];
    window.fetch = (path, given) => !window.held.some(one => `${path} ${given?.body}`.includes(one)) ? fetch(path, given)
        : new Promise((_, fail) => given.signal.addEventListener('abort', () => fail(given.signal.reason)));
}"""


def waited(page):
    """Each request of the page without an answer: it says what it waits for, then that it was in vain."""
    played = set()

    def hold(*words):
        page.evaluate("words => { window.held = words; }", list(words))

    def plays(act, words, then, place=None):
        act()
        place = place or page.locator("main, .bar, .side")
        expect(place.get_by_text(words).first).to_be_visible()
        page.clock.run_for(45_000)
        expect(place.get_by_text(then).first).to_be_visible()
        played.add(words)

    ctl("chat", "--session", "new", "turn 1")
    long = json.loads(ctl("chat", "--list", "--json").splitlines()[0])["session"]
    for number in range(2, 23):
        ctl("chat", "--session", long, f"turn {number}")
    short = begun(page, "something to wait for")
    page.clock.install()
    page.evaluate(HOLD)
    gone = "the machine cannot be reached"
    page.goto(f"{origin}/#/s/{long}")
    expect(page.locator(".turn[data-turn]")).to_have_count(20)
    hold('"before"')
    plays(lambda: page.get_by_role("button", name="Show earlier").click(), "Reading messages.", f"They cannot be read now: {gone}")
    hold()
    page.get_by_role("button", name="Show earlier").click()
    expect(page.locator(".turn[data-turn]")).to_have_count(22)
    page.goto(short)
    expect(page.locator(".turn[data-turn]")).to_have_count(1)
    menu = lambda name: (page.locator("summary[aria-label='This session']").click(), page.get_by_role("button", name=name, exact=True).click())
    hold('"limit":1')
    plays(lambda: page.locator("summary[aria-label='This session']").click(), "Asking what it used.", f"What it used is not known: {gone}")
    page.keyboard.press("Escape")
    hold('"rename"', '"export"', '"delete"', '"limit":1')
    menu("Rename")
    page.get_by_label("Title of the session").fill("another")
    plays(lambda: page.get_by_role("button", name="Save", exact=True).click(), "Being changed.", f"Not changed: {gone}")
    page.keyboard.press("Escape")
    plays(lambda: menu("Save as JSON"), "Being written.", f"Not saved: {gone}")
    page.keyboard.press("Escape")
    plays(lambda: menu("Copy all"), "Being copied.", f"Not copied: {gone}")
    page.keyboard.press("Escape")
    menu("Delete")
    plays(lambda: page.get_by_role("button", name="Delete for good?").click(), "Being deleted.", f"Not deleted: {gone}")
    page.keyboard.press("Escape")
    hold('"catalog"')
    plays(lambda: page.get_by_label("Model and agent").click(), "Asking the agent what there is.", f"What there is cannot be read now: {gone}")
    page.keyboard.press("Escape")
    hold('"search"')
    page.get_by_label("Find in all sessions").fill("something")
    page.clock.run_for(300)
    plays(lambda: None, "Searching messages and answers.", f"Not searched: {gone}")
    page.get_by_label("Find in all sessions").fill("")
    hold('"fork"')
    page.locator(".turn").last.get_by_label("More about this message").click()
    plays(lambda: page.get_by_role("button", name="New session up to before this").click(), "Being done.", f"Not done: {gone}")
    hold('"upload"')
    page.locator("input[type=file]").set_input_files({"name": "held.txt", "mimeType": "text/plain", "buffer": b"held"})
    expect(page.locator(".composer .attached")).to_contain_text("Being uploaded")
    for _ in range(5):
        page.clock.run_for(35_000)
    expect(page.locator(".composer .attached")).to_contain_text(f"Not attached: {gone}.")
    page.get_by_role("button", name="Remove held.txt").click()
    hold('"send"')
    plays(lambda: send(page, "held back"), "Being sent", f"Waiting: {gone}; trying again")
    hold()
    # The answers of all that was given up within a moment of the machine's time may be open there still: the next try
    # comes by this page's clock, and their end by the machine's.
    for _ in range(10):
        page.clock.run_for(15_000)
        try:
            expect(page.locator(".turn[data-turn]")).to_have_count(2, timeout=1500)
            break
        except AssertionError:
            pass
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    over(page)
    hold('"abort"', '"answer"')
    send(page, "/permission")
    plays(lambda: page.get_by_role("button", name="Allow once").click(), "Being answered.", f"Not answered: {gone}")
    plays(lambda: page.get_by_role("button", name="Stop").click(), "Being stopped.", f"It could not be stopped: {gone}")
    hold()
    page.get_by_role("button", name="Stop").click()
    over(page, "interrupted")
    hold('"why"', '"restart"', '"tail"', '/api/tunnel')
    plays(lambda: page.get_by_role("link", name="Machine").click(), "Asking how the tunnel is.", f"The tunnel cannot be asked now: {gone}")
    card = page.locator(".child", has=page.get_by_role("heading", name="opencode", exact=True))
    card.get_by_role("button", name="Restart").click()
    plays(lambda: card.get_by_role("button", name="Restart, surely?").click(), "Asking nexusd.", f"Not restarted: {gone}", card)
    plays(lambda: card.get_by_role("button", name="Last lines").click(), "Asking for the log.", f"Not kept up: {gone}.", card)
    hold('/api/devices', '/api/push')
    plays(lambda: page.get_by_role("link", name="Devices").click(), "Asking who is let in.", f"Who is let in cannot be read now: {gone}")
    expect(page.get_by_text(f"Not known now: {gone}")).to_be_visible()
    played.add("Asking whether this device is told anything.")
    hold('"open"', '"changes"', '"list"')
    page.evaluate("history.back()")
    page.evaluate("history.back()")
    plays(lambda: None, "connecting", f"{gone}; trying again")
    hold()
    # What says that it is there, and never more, is given up as well; what is followed is not.
    page.evaluate("""async () => {
        window.fetch = async (path, { signal }) => new Response(new ReadableStream({ start(answer) {
            const beat = setInterval(() => answer.enqueue(new TextEncoder().encode('{"type":"beat"}\\n')), 10000);
            signal.addEventListener('abort', () => { clearInterval(beat); answer.error(signal.reason); });
        } }), { headers: { 'Content-Type': 'application/x-ndjson' } });
        const { ask } = await import('/base/wire.js');
        window.outcomes = [];
        ask('/x', {}).catch(error => window.outcomes.push(error.message));
        ask('/x', {}, () => {}, { isFollowed: true }).catch(error => window.outcomes.push(`followed: ${error.message}`));
    }""")
    for _ in range(10):
        page.clock.run_for(10_000)
    page.wait_for_function("() => window.outcomes.length > 0")
    assert page.evaluate("window.outcomes") == ["the machine took longer than 40 s"], page.evaluate("window.outcomes")
    # Whatever else the page waits for in words goes through the same function; each of its words was seen.
    source = "".join(path.read_text() for path in (ROOT / "Sources/ChatWeb/Page").rglob("*.js"))
    words = set(re.findall(r"waiting\([\w.]+, '([^']+)'", source))
    assert words <= played, words - played
    page.clock.resume()
    step(f"{len(played)} kinds of waiting: each says for what, and ends in words")


# While `cut` stands in the session's store the machine gets these messages, and its answer is lost.
CUT = """(() => {
    const fetch = window.fetch;
    window.fetch = async (path, given) => {
        const answer = await fetch(path, given);
        if (!sessionStorage.getItem('cut') || !given?.body?.includes('"op":"send"')) return answer;
        await answer.text();
        throw new TypeError('cut');
    };
})()"""


def taken_back(page):
    """What the machine may have is given back when it said that the agent does not get it; else it is said that it was too late."""
    page.add_init_script(CUT)
    turns = page.locator(".turn[data-turn]")
    begun(page, "before it")
    page.evaluate("sessionStorage.setItem('cut', 1)")
    send(page, "lost its answer")
    expect(turns).to_have_count(2)
    expect(turns.last).to_have_attribute("data-state", "done")
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("trying again")
    card.get_by_role("button", name="Take back").click()
    expect(card).to_contain_text("Being taken back")
    expect(field(page)).to_have_value("")
    page.reload()
    expect(card).to_contain_text("Being taken back")
    shot(page, "taken-back")
    page.evaluate("sessionStorage.clear()")
    expect(page.get_by_text("Not taken back: the agent had done it already.")).to_be_visible()
    expect(card).to_have_count(0)
    expect(field(page)).to_have_value("")
    send(page, "/slow 300")
    expect(turns.last).to_have_attribute("data-state", "running")
    page.evaluate("sessionStorage.setItem('cut', 1)")
    send(page, "lost its answer too")
    expect(turns).to_have_count(4)
    card.get_by_role("button", name="Take back").click()
    expect(card).to_contain_text("Being taken back")
    page.evaluate("sessionStorage.clear()")
    expect(field(page)).to_have_value("lost its answer too")
    expect(card).to_have_count(0)
    expect(turns.last).to_have_attribute("data-state", "interrupted")
    expect(turns.last).to_contain_text("withdrawn before it was handed to the agent")
    field(page).fill("")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    step("taken back: what the machine had already is withdrawn there first, or it is said that it was done")
    # One that the agent has begun with is stopped, and what had come stays.
    page.evaluate("sessionStorage.setItem('cut', 1)")
    send(page, "/slow 300 running")
    expect(turns.last).to_have_attribute("data-state", "running")
    expect(turns.last.locator(".answer")).to_contain_text("3")
    expect(card).to_contain_text("trying again")
    card.get_by_role("button", name="Take back").click()
    expect(card).to_contain_text("Being taken back")
    page.evaluate("sessionStorage.clear()")
    expect(field(page)).to_have_value("/slow 300 running")
    expect(card).to_have_count(0)
    expect(turns.last).to_have_attribute("data-state", "interrupted")
    expect(turns.last).to_contain_text("stopped by the user")
    expect(turns.last.locator(".answer")).to_contain_text("3")
    field(page).fill("")
    # The first one of a session, which the page knows nothing of, over a reload.
    new(page)
    sessions = lambda: list(map(json.loads, ctl("chat", "--list", "--json").splitlines()))
    before = len(sessions())
    page.evaluate("sessionStorage.setItem('cut', 1)")
    send(page, "/slow 300 first")
    expect(card).to_contain_text("trying again")
    box.until("its turn", lambda: len(sessions()) == before + 1 and sessions()[0]["state"] == "running")
    card.get_by_role("button", name="Take back").click()
    expect(card).to_contain_text("Being taken back")
    page.reload()
    expect(card).to_contain_text("Being taken back")
    page.evaluate("sessionStorage.clear()")
    expect(field(page)).to_have_value("/slow 300 first")
    expect(card).to_have_count(0)
    box.until("its end", lambda: sessions()[0]["state"] == "interrupted")
    assert len(sessions()) == before + 1 and sessions()[0]["turns"] == 1, sessions()[0]
    field(page).fill("")
    step("taken back: one that runs and the first one of a session are stopped, and given back")


def tapped_twice(page):
    """What is tapped several times is done once, also without a network and after a reload."""
    thrice = "button => { button.click(); button.click(); button.click(); }"
    turns = page.locator(".turn[data-turn]")
    begun_badly = lambda: (new(page), send(page, "/error on purpose"), page.wait_for_url("**/#/s/*"), over(page, "failed"))
    again = page.get_by_role("button", name="Send again")
    begun_badly()
    page.context.set_offline(True)
    again.evaluate(thrice)
    expect(page.locator(".unsent .turn")).to_have_count(1)
    expect(turns.first).to_contain_text("Sent again")
    expect(again).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    expect(turns).to_have_count(2)
    over(page, "failed")
    for _ in range(2):
        # What was sent again is not offered again: its copy is, once. What is kept here is shown until the machine's own is there,
        # which is when the page follows it.
        with page.expect_request(lambda one: '"op":"resume"' in (one.post_data or "")):
            page.reload()
        expect(again).to_have_count(1)
        expect(turns.first).to_contain_text("Sent again")
    again.evaluate(thrice)
    expect(turns).to_have_count(3)
    over(page, "failed")
    expect(again).to_have_count(1)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    page.wait_for_function("() => !JSON.parse(localStorage.getItem('nexus.outbox')).length")
    before = page.url
    sessions = len(ctl("chat", "--list", "--json").splitlines())
    turns.last.get_by_label("More about this message").click()
    turns.last.get_by_role("button", name="New session up to before this").evaluate(thrice)
    page.wait_for_function("before => location.href !== before", arg=before)
    expect(turns).to_have_count(2)
    assert len(ctl("chat", "--list", "--json").splitlines()) == sessions + 1
    step("tapped three times: sent again once, copied once")


def damaged(page):
    """The store's file was damaged: the page says so, and where it is kept."""
    new(page)
    ctl("stop", "chat-bridge")
    store = box.home / "s/chat/chat.sqlite"
    for name in ("chat.sqlite-wal", "chat.sqlite-shm"):
        store.with_name(name).unlink(missing_ok=True)
    with open(store, "r+b") as file:
        file.truncate(0)
        file.write(b"this is no database, is it?")
    ctl("start", "chat-bridge")
    expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
    pair(page)
    warning = page.get_by_text("A store of conversations was damaged. It is kept on the machine as")
    expect(warning).to_be_visible()
    path = warning.inner_text().split(" as ")[1].strip()
    assert pathlib.Path(path).read_bytes() == b"this is no database, is it?", path
    shot(page, "damaged")
    step("a damaged store is said on the page, with its place")


def locked(page):
    """Another program holds the store: that is said within two seconds, and all goes on by itself."""
    session = begun(page, "before the lock")
    other = sqlite3.connect(box.home / "s/chat/chat.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    send(page, "said to a store that is locked")
    waits = page.locator(".unsent .turn")
    expect(waits).to_contain_text("another program holds the store", timeout=2000)
    other.execute("ROLLBACK")
    expect(waits).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(2)
    over(page)
    assert page.url == session
    # A chat-bridge that has just begun is to write before it can follow a session.
    other.execute("BEGIN IMMEDIATE")
    ctl("restart", "chat-bridge")
    page.reload()
    expect(page.locator(".link")).to_contain_text("another program holds the store")
    expect(page.locator(".turn")).to_have_count(2)
    other.execute("ROLLBACK")
    other.close()
    expect(page.locator(".link")).to_have_text("connected")
    step("a store that another program holds: said within 2 s, and sent by itself when it is free")


def paired_already(page):
    """A pairing link that is opened where a device is let in already has a way back, also while the machine cannot be asked."""
    session = begun(page, "before the link")
    devices = ctl("devices", "--json")
    back = page.get_by_role("link", name="Back to the sessions")
    for isOffline in (False, True):
        link = json.loads(ctl("pair", "--here", "--json"))["url"]
        page.context.set_offline(isOffline)
        page.goto(link)
        expect(page.get_by_text("offline" if isOffline else "This browser is paired already")).to_be_visible()
        expect(page.get_by_role("button", name="Pair this browser")).to_be_visible()
        if not isOffline:
            watch.shot(page, "kept-paired-already", then="light")
        back.click()
        expect(field(page)).to_be_visible()
        expect(back).to_have_count(0)
        page.context.set_offline(False)
    page.goto(session)
    expect(page.locator(".turn").last.get_by_text("before the link").first).to_be_visible()
    assert len(ctl("devices", "--json").splitlines()) == len(devices.splitlines())
    step("a pairing link where a device is let in already: back to the sessions, with and without a network")


def another_store(page):
    """The store was moved aside: nobody is known to the new one, and what was typed is there when the browser is paired again."""
    session = begun(page, "in the store of before")
    page.context.set_offline(True)
    send(page, "sent to the store of before")
    field(page).fill("typed before")
    expect(page.locator(".unsent .turn")).to_have_count(1)
    ctl("stop", "chat-bridge")
    for path in (box.home / "s/chat").glob("chat.sqlite*"):
        path.rename(path.with_name("aside-" + path.name))
    ctl("start", "chat-bridge")
    page.context.set_offline(False)
    expect(page.get_by_text("Not sent and kept in this browser: messages 1, drafts 1.")).to_be_visible()
    pair(page)
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("Not taken: its session was deleted")
    expect(field(page)).to_have_value("typed before")
    card.get_by_role("button", name="Send as a new session").click()
    page.wait_for_url("**/#/s/*")
    over(page)
    assert page.url != session
    expect(field(page)).to_have_value("typed before")
    step("another store: what was typed for the one of before is sent to the new one by a tap")


with box.running(), watch.pictured():
    box.until("the page", lambda: f"page at {origin}" in ctl("status"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        acts = sys.argv[3:] or ["shut_out", "forgotten", "connected", "deleted", "unheard", "in_its_place", "two_fields", "told_nothing", "card_words", "renamed", "waits_elsewhere", "uploaded_elsewhere", "pieces", "no_room", "taken_back", "tapped_twice", "waited", "locked", "paired_already", "another_store", "damaged", "killed"]
        if "killed" in acts:
            killed(play)
        if "shut_out" in acts:
            shut_out(browser)
        if "forgotten" in acts:
            forgotten(browser)
        page = opened(browser, "desk")
        for act in (connected, deleted, unheard, in_its_place, two_fields, told_nothing, card_words, renamed, waits_elsewhere, uploaded_elsewhere, pieces, no_room, taken_back, tapped_twice, waited, locked, paired_already, another_store, damaged):
            if act.__name__ in acts:
                watch.open["desk"] = page = act(page) or page
        browser.close()
watch.verdict()
print(f"kept: nothing typed is lost, nothing is waited for in silence, {box.seconds:.0f} s; pictures in {sys.argv[2]}")
