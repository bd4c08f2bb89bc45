"""What goes wrong at the page in a real browser: too much is pasted, the tab closes, the network goes, a turn is stopped while a card
waits, a tap is not meant.

    check-mishaps.py BIN PICTURES [ACT…]

Nothing typed may be lost, nothing may be cut without a word, and nothing may stand over the edge of a phone. Every wait is for an
event, with a limit; what has a limit of its own in the page is waited for by the browser's clock, which is turned on.
"""
import json, os, re, signal, sqlite3, subprocess, sys

from playwright.sync_api import sync_playwright, expect

from checking import ROOT, Box, Watch, copy, free_port

SIZES = {"phone": (390, 844), "small": (360, 640), "desk": (1280, 800)}
LIMIT = 20_000  # ms, of one wait
expect.set_options(timeout=LIMIT)

box = Box("mishaps", sys.argv[1])
ctl, step = box.ctl, box.step
port = free_port()
config = (ROOT / "Supervisor.toml").read_text().replace("127.0.0.1:4780", f"127.0.0.1:{port}")
config = config.replace('"--state", "{state}/echo-agent"]', '"--state", "{state}/echo-agent", "--delay-ms", "5"]')
config = config.replace('workspaces = [{ name = "home", path = "~" }]',
                        f'workspaces = [{{ name = "home", path = "~" }}, {{ name = "work", path = "{box.home}/work" }}]')
(box.home / "work").mkdir()
(box.home / "Supervisor.toml").write_text(config + '\n[word]\nsend = ["turn", "asked", "parked", "address"]\n')
origin = f"http://localhost:{port}"
watch = Watch(sys.argv[2], origin)


def opened(browser, size, *words):
    width, height = SIZES[size]
    page = watch.opened(browser, LIMIT, size, viewport={"width": width, "height": height}, has_touch=size != "desk", is_mobile=size != "desk")
    page.context.grant_permissions(["clipboard-read", "clipboard-write", "notifications"], origin=origin)
    page.goto(json.loads(ctl("pair", "--here", "--json", *words))["url"])
    page.get_by_role("button", name="Pair this browser").click()
    expect(field(page)).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


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


def last(page):
    return page.locator(".turn").last


def over(page, state="done"):
    expect(last(page)).to_have_attribute("data-state", state)


def new(page):
    page.goto(origin + "/#/new")
    page.reload()
    expect(field(page)).to_be_visible()


def fits(page, what):
    """Nothing of the composer stands over its edge, or over that of the screen, and no words stand one on a line."""
    found = page.evaluate("""() => {
        const box = document.querySelector('.composer').getBoundingClientRect(), bad = [];
        for (const one of document.querySelectorAll('.composer *')) {
            const place = one.getBoundingClientRect();
            if (!place.width || one.closest('[hidden], select') || one.parentElement.closest('summary')) continue;
            if (place.left < box.left - 1 || place.right > Math.min(box.right, innerWidth) + 1) bad.push([one.className || one.tagName, place.left, place.right]);
        }
        const line = document.querySelector('.link');
        if (line.getBoundingClientRect().height > 60) bad.push(['link', line.textContent, line.getBoundingClientRect().height]);
        if (document.documentElement.scrollWidth > innerWidth) bad.push(['page', document.documentElement.scrollWidth]);
        return bad;
    }""")
    assert not found, f"{what}: {found}"


def shot(page, name):
    watch.shot(page, f"mishap-{name}")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=str(watch.pictures / f"mishap-{name}-dark.png"))
    page.emulate_media(color_scheme="light")


def whole_answers(page):
    """An answer above one frame: live, copied and read again it is the same, whole and rendered."""
    new(page)
    items = "\n".join(f"- item **{i}** of a list that is long enough to be too much for one" for i in range(1, 30))
    send(page, items)
    over(page)
    send(page, "/long 12")
    over(page)
    words = "e => [...e.textContent.matchAll(/word-(\\d+)/g)].map(one => Number(one[1]))"
    answer = page.locator(".turn .answer").last
    for _ in range(2):
        expect(answer.locator(".prose p")).not_to_have_count(0)
        assert answer.evaluate(words) == list(range(1, 13)), answer.evaluate(words)
        copy(last(page), "Copy answer")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert [int(n) for n in re.findall(r"word-(\d+)", copied)] == list(range(1, 13)) and "echo agent" in copied, len(copied)
        page.reload()
        over(page)
    step("an answer above 10,000 bytes is whole, rendered and copied, live and read again")


NUMBERS = "(e, word) => [...e.textContent.matchAll(new RegExp(`\\\\b${word}-(\\\\d+)`, 'g'))].map(one => Number(one[1]))"


def long_answers(page):
    """Answers of 1 MB: not more of one than is asked for is on the screen, all of it by a tap; copied and found is the whole."""
    new(page)
    send(page, "a long one")
    over(page)
    send(page, "/long 300")
    over(page)
    # What grew here stays as it was when it is told once more at its end.
    live = last(page).locator(".answer .prose")
    expect(live).to_contain_text("echo agent")
    assert live.evaluate(NUMBERS, "word") == list(range(1, 301))
    # Also what comes behind a paragraph that is too long to be rendered.
    expect(live.locator("p code").last).to_contain_text("nexusctl agent install")
    expect(live).not_to_contain_text("`")
    expect(page.get_by_role("button", name="Show all of it")).to_have_count(0)
    # Paragraphs, and a block of code that is longer than what is rendered at a time, with what would end it elsewhere.
    code = "```swift\n" + "".join(f"let value = {number} // **code**\n\n" for number in range(1500)) + "```\n\n"
    paragraphs = [f"par-{number} is **bold** " + "and goes on " * 20 + "\n\n" for number in range(1, 3701)]
    text = "".join(paragraphs[:10]) + code + "".join(paragraphs[10:])
    store = sqlite3.connect(box.home / "s/chat/chat.sqlite", timeout=10, isolation_level=None)
    store.execute("UPDATE block SET text = ? WHERE kind = 'text' AND turn = (SELECT id FROM turn WHERE text = 'a long one')", (text,))
    store.close()
    page.reload()
    turns = page.locator(".turn[data-turn]")
    more = turns.get_by_role("button", name="Show all of it")
    expect(more).to_have_count(2)
    expect(more.first).to_have_text(f"Show all of it ({len(text) / 1e6:.1f} MB)")
    expect(more.last).to_have_text("Show all of it (303 KB)")
    page.wait_for_function("() => { const s = document.querySelector('.scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight < 2; }")
    for turn in (0, 1):
        shown = turns.nth(turn).locator(".answer .prose").evaluate("e => [e.textContent.length, e.querySelectorAll('*').length]")
        assert 90_000 < shown[0] < 125_000 and shown[1] < 2_000, shown
        copy(turns.nth(turn), "Copy answer")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == text if turn == 0 else re.findall(r"word-(\d+)", copied) == [str(one) for one in range(1, 301)], len(copied)
    # Who asks for more stays where it begins.
    shot(page, "long")
    expect(more.last).to_be_in_viewport()
    assert more.last.bounding_box()["height"] >= 40
    top = page.evaluate("document.querySelector('.scroller').scrollTop")
    more.last.focus()
    page.keyboard.press("Enter")
    expect(more).to_have_count(1)
    page.wait_for_function("() => document.querySelectorAll('.turn[data-turn]')[1].querySelector('.prose').textContent.includes('word-300-')")
    assert turns.last.locator(".prose").evaluate(NUMBERS, "word") == list(range(1, 301))
    now = page.evaluate("document.querySelector('.scroller').scrollTop")
    assert abs(now - top) < 3, (top, now)
    assert page.evaluate("document.activeElement.matches('.turn .prose')")
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    more.click()
    expect(more).to_have_count(0, timeout=60_000)
    first = turns.first.locator(".answer .prose")
    page.wait_for_function("() => document.querySelector('.turn[data-turn] .prose').textContent.includes('par-3700 ')", timeout=60_000)
    assert first.evaluate(NUMBERS, "par") == list(range(1, 3701))
    # Rendered but for the block of code, which is as it came.
    assert first.locator("strong").count() == 3700 and first.locator(".code").count() == 0
    # Without a network the beginning of each is there, and that the rest is not.
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".link")).to_contain_text("As it was")
    for turn, words in ((0, "par-1 "), (1, "word-1-")):
        expect(turns.nth(turn).locator(".answer")).to_contain_text(words)
        expect(turns.nth(turn).locator(".answer .note")).to_have_text("The rest of this is not kept in this browser.")
    shot(page, "long-offline")
    page.context.set_offline(False)
    expect(page.locator(".link")).to_have_text("connected")
    expect(turns.locator(".note")).to_have_count(0)
    page.get_by_label("Find in all sessions").fill("word-300")
    page.locator(".side .sessions a", has=page.locator("mark")).first.click()
    expect(page.locator(".turn.hit")).to_contain_text("/long 300")
    page.get_by_label("Find in all sessions").fill("")
    step("answers of 1 MB: bounded until asked for, then whole; copied and found whole")


def folded(page):
    """Reasoning and calls are folded until somebody wants them, code is copied by its button, and the browser would install the page."""
    new(page)
    send(page, "/reasoning /tool\n\n```swift\nlet a = 1\n```")
    over(page)
    for summary, body in (("Reasoning", ".thought"), ("bash", ".fold.tool pre")):
        place = last(page).locator(body)
        expect(place).to_be_hidden()
        last(page).locator(".fold summary", has_text=summary).click()
        expect(place).to_be_visible()
    copy(last(page), "Copy this code")
    assert page.evaluate("navigator.clipboard.readText()") == "let a = 1\n"
    # A context of Playwright's is a private window, in which nothing is ever installed.
    against = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in against if one["errorId"] != "in-incognito"] == [], against
    shot(page, "unfolded")
    step("folded until wanted, code copied, can be installed")


def too_long(page):
    """More than a message takes is pasted: all of it stays, and it goes as a file."""
    new(page)
    text = "q" * 69_990 + "THE-END"
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    field(page).focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_text("Too long to be sent: it has 70 KB, a message takes 60.")).to_be_visible()
    assert field(page).input_value() == text
    page.get_by_role("button", name="Send", exact=True).click()
    assert page.locator(".turn").count() == 0 and field(page).input_value() == text
    shot(page, "too-long")
    page.reload()
    assert field(page).input_value() == text, "it did not outlive the page"
    page.get_by_role("button", name="Attach it as a file").click()
    chip = page.locator(".composer .attached li")
    expect(chip).to_contain_text("70 KB")
    expect(field(page)).to_have_value("")
    field(page).fill("ü" * 31_000)
    expect(page.get_by_text("it has 62 KB")).to_be_visible()
    send(page, "read it")
    over(page)
    expect(page.locator(".turn .mine .attached")).to_contain_text("message.txt")
    step("more than a message takes: kept, said, and sent as a file")


def drafts(page):
    """What is typed belongs to the session it is typed in, and outlives the tab."""
    new(page)
    send(page, "first")
    over(page)
    field(page).fill("typed in the new session")
    page.reload()
    expect(field(page)).to_have_value("typed in the new session")
    session = page.url
    new(page)
    expect(field(page)).to_have_value("")
    field(page).fill("for another one")
    again = window(page, session)
    page.close()
    expect(field(again)).to_have_value("typed in the new session")
    again.get_by_role("button", name="Send", exact=True).click()
    expect(again.locator(".turn[data-turn]")).to_have_count(2)
    over(again)
    again.goto(origin + "/#/new")
    expect(field(again)).to_have_value("for another one")
    field(again).fill("")
    again.goto(session)
    expect(field(again)).to_have_value("")
    step("drafts: each in its session, over a closed tab")
    return again


def without_network(page):
    """On the machine itself, which has no network: the browser says that it is offline, and all goes all the same."""
    page.add_init_script("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    new(page)
    expect(page.locator(".link")).to_have_text("connected")
    page.locator("input[type=file]").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"})
    expect(page.locator(".composer .attached li")).to_contain_text("6 bytes")
    send(page, "with a file")
    over(page)
    expect(page.locator(".turn .mine .attached")).to_contain_text("plan.txt")
    # What the machine may have is settled with it first, though the answer was lost.
    asked = []
    def lose(route):
        asked.append(json.loads(route.request.post_data))
        if asked[-1].get("op") != "send" or asked[-1].get("withdrawn"):
            return route.continue_()
        route.fetch() if len(asked) == 1 else None
        route.abort()
    page.route("**/api/chat", lambda route: lose(route) if '"op":"send"' in (route.request.post_data or "") else route.continue_())
    send(page, "its answer is lost")
    card = page.locator(".unsent .turn")
    expect(card).to_contain_text("trying again")
    expect(page.locator(".turn[data-turn]").last).to_have_attribute("data-state", "done")
    card.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Not taken back: the agent had done it already.")).to_be_visible()
    assert asked[-1].get("withdrawn"), asked
    page.unroute_all()
    expect(field(page)).to_have_value("")
    step("without a network on the machine itself: files go, and what may be done is not given back")


def growing(page):
    """Markdown is shown while it grows: what is over of it as it will be, the rest as it comes."""
    new(page)
    text = "**one** is over\n\n```swift\nlet a = 1\n\nlet b = 2\n```\n\n- two\n\nthe **rest**\n" + "and more of it " * 60
    send(page, text)
    last_one = last(page).locator(".answer .prose")
    expect(last_one.locator("strong")).to_have_text("one")
    expect(last_one.locator(".code pre")).to_have_text("let a = 1\n\nlet b = 2\n")
    expect(last_one.get_by_role("button", name="Copy this code")).to_be_visible()
    expect(last_one.locator("li")).to_have_text("two")
    expect(last_one.locator(".live")).to_contain_text("the **rest**")
    expect(last(page)).to_have_attribute("data-state", "running")
    shot(page, "growing")
    page.reload()
    expect(last_one.locator(".code pre")).to_have_count(1)
    over(page)
    expect(last_one.locator("strong")).to_have_count(2)
    expect(last_one.locator(".live")).to_have_count(0)
    step("Markdown is rendered while it grows")


def silent(page):
    """An agent that says nothing for long: how long, and what ends it."""
    new(page)
    send(page, "/stall 18 /slow 3")
    foot = last(page).locator(".foot")
    expect(foot).to_contain_text(re.compile(r"Working: nothing heard for 1\d s; Stop ends it"), timeout=30000)
    shot(page, "silent")
    over(page)
    expect(foot).not_to_contain_text("nothing heard")
    step("a silent agent: for how long is said")


def begun_offline(page):
    """Two messages of a session that is not there yet, over a reload; one is taken back, the other sent."""
    new(page)
    expect(page.locator(".link")).to_have_text("connected")
    page.context.set_offline(True)
    expect(page.locator(".link")).to_contain_text("trying again")
    send(page, "begun without a network")
    send(page, "and taken back")
    page.reload()
    waiting = page.locator(".unsent .turn")
    expect(waiting).to_have_count(2)
    expect(waiting.first).to_contain_text("Sent when this device is online again")
    expect(page.locator(".link")).to_contain_text("offline")
    shot(page, "offline-new")
    waiting.last.get_by_role("button", name="Take back").click()
    expect(waiting).to_have_count(1)
    expect(field(page)).to_have_value("and taken back")
    page.context.set_offline(False)
    expect(page.locator(".turns:not(.unsent) .turn")).to_have_count(1)
    page.wait_for_url("**/#/s/*")
    over(page)
    expect(page.locator(".bar-title")).to_contain_text("begun without")
    expect(field(page)).to_have_value("and taken back")
    field(page).fill("")
    step("begun offline: shown after a reload, taken back, sent and followed")


def two_workspaces(page):
    """Written without a network for one workspace, then for another: two sessions, each where it was written for."""
    new(page)
    choice = page.get_by_label("Workspace of the new session")
    page.context.set_offline(True)
    where, waiting = page.locator(".hello .note"), page.locator(".unsent .turn")
    expect(where).to_have_text("There is no connection now. A new session will be made in the workspace “home” when it is back.")
    choice.select_option("work")
    expect(where).to_contain_text("in the workspace “work”")
    shot(page, "offline-workspace")
    for name in ("home", "work"):
        choice.select_option(name)
        send(page, f"meant for {name}")
    expect(waiting).to_have_count(2)
    for one, name in enumerate(("home", "work")):
        expect(waiting.nth(one)).to_contain_text(f"Sent when this device is online again, in a new session in the workspace “{name}”")
    shot(page, "offline-workspaces")
    page.context.set_offline(False)
    page.wait_for_url("**/#/s/*")
    over(page)
    expect(page.locator(".turns:not(.unsent) .turn")).to_have_count(1)
    expect(where).to_be_hidden()
    there = {one["title"]: one["workspace"] for one in map(json.loads, ctl("chat", "--list", "--json").splitlines()) if one.get("title", "").startswith("meant for")}
    assert there == {"meant for home": "home", "meant for work": "work"}, there
    step("two workspaces without a network: each message in its own")


def two_devices(browser):
    """What one device chooses, takes back and brings back shows on the other, and so does what a restore took."""
    one, other = opened(browser, "desk"), opened(browser, "phone")
    send(one, "kept before")
    over(one)
    kept = box.home / "kept.sqlite"
    ctl("chat", "backup", str(kept))
    send(one, "taken back and brought back")
    over(one)
    other.goto(one.url)
    shown = other.locator(".turn[data-turn]")
    expect(shown).to_have_count(2)
    one.get_by_label("Model and agent").click()
    one.get_by_label("Agent", exact=True).select_option("capitals")
    one.keyboard.press("Escape")
    expect(other.locator(".choice summary")).to_contain_text("capitals")
    turn = one.locator(".turn[data-turn]").last
    turn.get_by_label("More about this message").click()
    turn.get_by_role("button", name="Go back to before this").click()
    turn.get_by_role("button", name="Take this and all below back").click()
    expect(shown.last).to_have_attribute("data-taken-back", "true")
    other.get_by_role("button", name="Bring back").click()
    for page in (other, one):
        expect(page.locator(".turn[data-turn]").last).to_have_attribute("data-taken-back", "false")
        expect(page.get_by_role("button", name="Bring back")).to_be_hidden()
    ctl("chat", "restore", str(kept))
    for page in (other, one):
        expect(page.locator(".turn[data-turn]")).to_have_count(1)
        page.context.close()
    step("two devices: chosen, taken back and restored shows on both")


# Holds the answer of what a session used until `late` is called.
LATE = """() => {
    const fetch = window.fetch, comes = new Promise((then) => { window.late = then; });
    window.fetch = async (path, given) => {
        const answer = await fetch(path, given);
        if (!given?.body?.includes('"limit":1')) return answer;
        window.isHeld = true;
        await comes;
        return answer;
    };
}"""


def answered_late(page):
    """What was asked for before the network went is no proof of a way when its answer is read afterwards."""
    new(page)
    send(page, "asked before")
    over(page)
    page.evaluate(LATE)
    menu = page.locator("summary[aria-label='This session']")
    menu.click()
    page.wait_for_function("() => window.isHeld")
    page.context.set_offline(True)
    page.wait_for_function("() => !navigator.onLine")
    page.evaluate("window.late()")
    page.keyboard.press("Escape")
    send(page, "written afterwards")
    expect(page.locator(".unsent .turn")).to_contain_text("Sent when this device is online again")
    page.context.set_offline(False)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    over(page)
    step("an answer that comes late is not taken for a network")


def two_windows(page):
    """Both write without a network; what one keeps the other does not forget."""
    new(page)
    send(page, "two windows")
    over(page)
    other = window(page, page.url)
    expect(other.locator(".turn[data-turn]")).to_have_count(1)
    page.context.set_offline(True)
    send(page, "from the first")
    send(other, "from the second")
    expect(page.locator(".unsent .turn")).to_have_count(2)
    other.close()
    page.context.set_offline(False)
    expect(page.locator(".turn[data-turn]")).to_have_count(3)
    expect(page.locator(".unsent .turn")).to_have_count(0)
    over(page)
    step("two windows of one browser: nothing of either is lost")


def cards(page):
    """Eight cards are each seen whole; Stop says who it was, leaves no tool running and no focus lost."""
    new(page)
    send(page, "/slow 30")
    over(page)
    for turn in range(8):
        send(page, ["/question", "/permission"][turn % 2])
        card = page.locator(".card")
        expect(card).to_be_visible()
        page.wait_for_function("() => { const s = document.querySelector('.scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight < 2; }")
        if turn < 7:
            page.get_by_role("button", name="Stop").click()
            expect(card).to_have_count(0)
            over(page, "interrupted")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    over(page, "interrupted")
    expect(field(page)).to_be_focused()
    shot(page, "stopped-card")
    # What became of a call is said the same way at once, when it is read, and in the terminal.
    tools = page.locator(".fold.tool .how")
    expect(last(page).locator(".fold.tool .how")).to_have_text("broken off")
    said = tools.all_inner_texts()
    for _ in range(2):
        assert "elsewhere" not in last(page).inner_text(), last(page).inner_text()
        assert tools.all_inner_texts() == said, (tools.all_inner_texts(), said)
        page.reload()
        over(page, "interrupted")
    assert "broken-off" in ctl("chat", "--history", page.url.rsplit("/", 1)[1], "--json")
    send(page, "/permission")
    button = page.get_by_role("button", name="Allow once")
    button.focus()
    page.keyboard.press("Enter")
    over(page)
    expect(field(page)).to_be_focused()
    step("cards: seen at once, stopped by this device, and the focus stays")


def lost_words(page):
    """What was heard and not stored when chat-bridge was killed: the agent is asked once more, and all of it is there, once."""
    new(page)
    send(page, "/stall 2 /tool /slow 100")
    expect(last(page)).to_have_attribute("data-state", "running")
    # Nothing can be stored while somebody else holds the store: the call of a tool is lost, and all words.
    store = sqlite3.connect(box.home / "s/chat/chat.sqlite", isolation_level=None)
    store.execute("BEGIN IMMEDIATE")
    expect(last(page).locator(".answer")).to_contain_text("word-5 ")
    expect(last(page).locator(".fold.tool")).to_be_visible()
    os.kill(box.child("chat-bridge")["pid"], signal.SIGKILL)
    store.rollback()
    store.close()
    over(page)
    whole = list(range(1, 101))
    for _ in range(2):
        expect(last(page).locator(".fold.tool")).to_have_count(1)
        assert [int(n) for n in re.findall(r"word-(\d+)", last(page).inner_text())] == whole
        page.reload()
        over(page)
    history = ctl("chat", "--history", page.url.rsplit("/", 1)[1])
    assert [int(n) for n in re.findall(r"word-(\d+)", history)] == whole, history
    step("what a crash took goes from the page")


def reading_above(page):
    """Who reads above is not dragged down by what comes."""
    send(page, "/slow 40")
    expect(last(page)).to_have_attribute("data-state", "running")
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -600)
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    # The way of a wheel takes its time, and what followed the words may just have come to its end as well.
    page.evaluate("""() => new Promise(done => {
        const scroller = document.querySelector('.scroller');
        let top = scroller.scrollTop, frames = 0;
        const look = () => {
            frames = scroller.scrollTop === top ? frames + 1 : 0;
            top = scroller.scrollTop;
            if (frames < 10) requestAnimationFrame(look); else done();
        };
        requestAnimationFrame(look);
    })""")
    top = page.evaluate("document.querySelector('.scroller').scrollTop")
    over(page)
    now = page.evaluate("document.querySelector('.scroller').scrollTop")
    assert now == top, (top, now)
    page.get_by_role("button", name="Newest").click()
    step("reading above while words come: it stays")


def not_meant(page):
    """One tap deletes, shuts out and forgets nothing; what it armed is disarmed by time, and by closing."""
    new(page)
    send(page, "to be kept")
    over(page)
    page.clock.install()
    menu, sure = page.locator("summary[aria-label='This session']"), page.get_by_role("button", name="Delete for good?")
    menu.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(sure).to_be_visible()
    page.keyboard.press("Escape")
    menu.click()
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.clock.fast_forward(6000)
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title of the session").fill("t" * 300)
    expect(page.get_by_text("Too long: it has 300 bytes, a title takes 200.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("Title of the session").input_value() == "t" * 300
    shot(page, "title")
    page.keyboard.press("Escape")
    opened(page.context.browser, "phone").context.close()
    page.goto(origin + "/#/devices")
    for name, question in (("Forget this browser", "Forget it, with what is kept here?"), ("Shut out", "Shut it out, surely?")):
        button = page.get_by_role("button", name=name).first
        button.click()
        expect(page.get_by_role("button", name=question)).to_be_visible()
        page.clock.fast_forward(6000)
        expect(page.get_by_role("button", name=question)).to_have_count(0)
    page.clock.resume()
    step("what is not meant is not done")


def no_push_service(page):
    page.add_init_script("PushManager.prototype.subscribe = () => { window.isAsked = true; return new Promise(() => {}); }; PushManager.prototype.getSubscription = async () => null;")
    page.goto(origin + "/#/devices")
    page.reload()
    page.clock.install()
    page.get_by_role("switch", name="Tell me").click()
    expect(page.get_by_text("that takes 15 s at most")).to_be_visible()
    page.wait_for_function("() => window.isAsked")
    page.clock.fast_forward(16_000)
    expect(page.get_by_text("Not done: the push service of this browser did not answer")).to_be_visible()
    expect(page.get_by_role("switch", name="Tell me")).to_be_enabled()
    page.clock.resume()
    step("no push service: said within its limit")


def unknown_certificate(browser):
    """Browsers set up no worker of a page whose certificate they do not know; they say so in a SecurityError."""
    page = opened(browser, "desk")
    page.add_init_script("""ServiceWorkerContainer.prototype.register = () =>
        Promise.reject(new DOMException('An SSL certificate error occurred when fetching the script.', 'SecurityError'));""")
    page.goto(origin + "/#/devices")
    page.reload()
    expect(page.get_by_text("does not know the certificate of this page, which is self-made")).to_contain_text("nexusctl tunnel setup")
    expect(page.get_by_role("switch", name="Tell me")).to_have_count(0)
    shot(page, "unknown-certificate")
    page.context.close()
    step("a certificate that the browser does not know: said at once, with the remedy")


def devices_come_and_go(browser):
    """The room of devices, the machine's and that of files say what is so now."""
    page = opened(browser, "desk")
    page.goto(origin + "/#/devices")
    expect(page.get_by_text("here now from").first).to_be_visible()
    cards, other = page.locator(".child", has_text="paired"), opened(browser, "phone")
    before = json.loads(ctl("devices", "--json").splitlines()[0])
    count = len(ctl("devices", "--json").splitlines())
    expect(cards).to_have_count(count)
    newest = max(map(json.loads, ctl("devices", "--json").splitlines()), key=lambda one: one["created"])
    assert before and newest["device"], newest
    # Who is asked whether he is sure is still asked when the list was read again.
    page.get_by_role("button", name="Forget this browser").click()
    with page.expect_response("**/api/devices"):
        pass
    expect(page.get_by_role("button", name="Forget it, with what is kept here?")).to_be_visible()
    ctl("devices", "revoke", newest["device"])
    expect(cards).to_have_count(count - 1)
    other.context.close()
    page.goto(origin + "/#/machine")
    expect(page.get_by_text("No AI answers here: echo-agent stands in for opencode")).to_be_visible()
    shot(page, "stand-in")
    page.context.close()
    step("devices come and go in their room; the machine's says that a stand-in answers")


def narrow(browser, size):
    """The composer with all it can hold, on a phone, in both themes."""
    page = opened(browser, size)
    page.get_by_label("Model and agent").click()
    page.get_by_label("Model", exact=True).select_option("nexus/meter")
    page.get_by_label("Agent", exact=True).select_option("capitals")
    place = page.locator(".choice > div").bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= SIZES[size][0], place
    shot(page, f"{size}-choice")
    page.keyboard.press("Escape")
    page.locator("input[type=file]").set_input_files([
        {"name": "a very long file name that goes on and on and on until it cannot any more.md", "mimeType": "text/plain", "buffer": b"x" * 5000},
        {"name": "program", "mimeType": "text/plain", "buffer": b"\x7fELF\x02\x01"}])
    expect(page.locator(".composer .attached li").last).to_contain_text("only text")
    expect(page.locator(".composer .attached li").first).to_contain_text("5 KB")
    fits(page, f"{size}: files")
    shot(page, f"{size}-files")
    page.get_by_role("button", name="Remove program").click()
    field(page).fill("kept over a reload")
    page.reload()
    expect(page.locator(".composer .attached li")).to_have_count(1)
    expect(page.locator(".composer .attached li")).to_contain_text("a very long file name")
    expect(field(page)).to_have_value("kept over a reload")
    for word in ("meter", "capitals"):
        expect(page.get_by_label("Model and agent")).to_contain_text(word)
    send(page, "/slow 300")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.locator(".link")).to_have_text("connected")
    fits(page, f"{size}: running")
    shot(page, f"{size}-running")
    page.context.set_offline(True)
    expect(page.locator(".link")).to_contain_text("trying again")
    fits(page, f"{size}: offline")
    shot(page, f"{size}-running-offline")
    page.context.set_offline(False)
    page.get_by_role("button", name="Stop").click()
    over(page, "interrupted")
    expect(page.locator(".turn .mine .attached")).to_contain_text("a very long file name")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(last(page).locator(".mine .attached")).to_contain_text("a very long file name")
    page.get_by_role("button", name="Stop").click()
    over(page, "interrupted")
    newest = json.loads(ctl("chat", "--list", "--json").splitlines()[0])
    assert (newest["model"], newest["agent"]) == ("nexus/meter", "capitals"), newest
    page.context.close()
    step(f"{size}: the composer holds all it can, files over a reload")


def machine(page):
    """What was stopped by command says so, to the message that waits for it too."""
    new(page)
    ctl("stop", "opencode")
    send(page, "patient words")
    expect(last(page)).to_contain_text("opencode is off: stopped by command; nexusctl start opencode")
    send(page, "and the second")
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    page.reload()
    expect(last(page)).to_contain_text("nexusctl start opencode")
    page.goto(origin + "/#/machine")
    card = page.locator(".child", has=page.get_by_role("heading", name="opencode", exact=True))
    expect(card).to_contain_text("stopped by command; nexusctl start opencode")
    expect(page.locator(".child", has=page.get_by_role("heading", name="cloudflared", exact=True))).to_contain_text("off until tunnel-worker starts it")
    shot(page, "machine")
    ctl("start", "opencode")
    new(page)
    send(page, "before")
    over(page)
    ctl("stop", "chat-bridge")
    send(page, "while nobody is there")
    expect(page.locator(".unsent .turn")).to_contain_text("the machine cannot be reached; trying again")
    ctl("start", "chat-bridge")
    expect(page.locator(".unsent .turn")).to_have_count(0)
    over(page)
    step("what was stopped by command says so, and what brings it back")


def found_far(page):
    """What is found in a long session is shown, also where that session is open already, with what stands around it."""
    lines = [f"number {one} of the long one" for one in range(1, 51)]
    lines[4], lines[44] = "日本語のテキスト zwetschge", "also zwetschge"
    subprocess.run([box.programs / "nexusctl", "chat"], env=box.environment, input="\n".join(lines) + "\n", text=True, check=True, capture_output=True, timeout=120)
    session = json.loads(ctl("chat", "--list", "--json").splitlines()[0])["session"]
    turns, hit = page.locator(".turn[data-turn]"), page.locator(".turn.hit")
    search, found = page.get_by_label("Find in all sessions"), page.locator(".side .sessions a", has=page.locator("mark"))
    for begin in ("/#/new", f"/#/s/{session}"):
        page.goto(origin + begin)
        page.reload()
        if session in begin:
            expect(turns).to_have_count(20)
        search.fill("テキスト")
        found.click()
        expect(hit).to_have_count(1)
        expect(hit).to_be_in_viewport()
        expect(hit.locator(".said")).to_contain_text("日本語のテキスト")
        # Five up to it, twenty behind it, and the newest.
        expect(turns).to_have_count(45)
        expect(page).to_have_url(f"{origin}/#/s/{session}")
    shot(page, "found")
    later = page.get_by_role("button", name="Show later")
    later.click()
    expect(later).to_have_count(0)
    said = page.locator(".turn[data-turn] .said").all_text_contents()
    assert said == lines, said
    search.fill("zwetschge")
    expect(found).to_have_count(2)
    found.first.click()
    expect(hit.locator(".said")).to_have_text("also zwetschge")
    expect(hit).to_be_in_viewport()
    found.last.click()
    expect(hit.locator(".said")).to_contain_text("日本語")
    send(page, "number the last")
    over(page)
    search.fill("number")
    expect(found).to_have_count(49)
    for number in range(2):
        send(page, f"number {number} more")
        over(page)
    search.fill("numbe")
    expect(found).to_have_count(50)
    expect(page.get_by_text("The newest 50; there are more.")).to_be_visible()
    search.fill("")
    step("found in a long session: read, shown and marked, from elsewhere and from within; on to the newest without a gap")


def copied_whole(page):
    """All of a session goes to the clipboard, also what is not on the screen; where that is not allowed, or nobody can be asked, it is said."""
    lines = [f"number {one} to be copied" for one in range(1, 31)]
    subprocess.run([box.programs / "nexusctl", "chat"], env=box.environment, input="\n".join(lines) + "\n", text=True, check=True, capture_output=True, timeout=120)
    session = json.loads(ctl("chat", "--list", "--json").splitlines()[0])["session"]
    page.goto(f"{origin}/#/s/{session}")
    page.reload()
    expect(page.locator(".turn[data-turn]")).to_have_count(20)
    menu = page.locator(".more")
    menu.locator("summary").click()
    copy(menu, "Copy all")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == ctl("chat", "export", session, "--format", "markdown").strip(), copied[:300]
    assert all(line in copied for line in lines)
    expect(menu.get_by_role("button", name="Copy all")).to_be_visible()
    page.context.set_offline(True)
    menu.get_by_role("button", name="Copy all").click()
    expect(menu.get_by_role("alert")).to_have_text("Not copied: this device is offline")
    page.context.set_offline(False)
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }")
    menu.get_by_role("button", name="Copy all").click()
    expect(menu.get_by_role("alert")).to_have_text("Not copied: this browser does not let the page copy. Save it as Markdown")
    shot(page, "not-copied")
    step("a whole session is copied as Markdown; why not is said")


def nothing_to_rename(page):
    """There is no form for a title where there is no session."""
    for room in ("new", "machine", "devices"):
        page.goto(f"{origin}/#/{room}")
        page.reload()
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(page.get_by_label("Title of the session")).to_be_hidden()
    new(page)
    send(page, "has a title")
    over(page)
    page.get_by_label("This session").click()
    page.get_by_role("button", name="Rename").click()
    title = page.get_by_label("Title of the session")
    for nothing in ("", "   "):
        title.fill(nothing)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("A title has to say something.")).to_be_visible()
    shot(page, "no-title")
    title.fill("another one")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(title).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("another one")
    step("no form for a title where there is no session, and no title of nothing")


def withdrawn_alone(page):
    """One of several messages that wait is taken back by itself; what runs and what else waits go on."""
    new(page)
    send(page, "/permission")
    expect(page.locator(".card")).to_be_visible()
    for words in ("the first that waits", "the second that waits"):
        send(page, words)
        over(page, "queued")
    turns = page.locator(".turn")
    expect(turns.get_by_role("button", name="Withdraw")).to_have_count(2)
    shot(page, "queued")
    turns.nth(1).get_by_role("button", name="Withdraw").click()
    expect(turns.nth(1)).to_have_attribute("data-state", "interrupted")
    expect(turns.nth(1).locator(".foot")).to_contain_text("withdrawn before it was handed to the agent")
    expect(turns.nth(0)).to_have_attribute("data-state", "running")
    expect(turns.nth(2)).to_have_attribute("data-state", "queued")
    # Its button goes when it begins, and the focus with it.
    turns.nth(2).get_by_role("button", name="Withdraw").focus()
    page.get_by_role("button", name="Allow once").evaluate("one => one.dispatchEvent(new MouseEvent('click'))")
    over(page)
    expect(field(page)).to_be_focused()
    expect(turns.get_by_role("button", name="Withdraw")).to_have_count(0)
    expect(turns.nth(0)).to_have_attribute("data-state", "done")
    expect(turns.nth(1).locator(".answer")).to_be_empty()
    step("one message that waits is withdrawn, and nothing else")


def clock_set_back(page):
    """What was said while the clock was wrong is not the newest for ever."""
    for words in ("said by a wrong clock", "said by a right one"):
        new(page)
        send(page, words)
        over(page)
    first = page.locator(".side .sessions .title").first
    expect(first).to_have_text("said by a right one")
    store = sqlite3.connect(box.home / "s/chat/chat.sqlite", timeout=10, isolation_level=None)
    store.execute("UPDATE session SET updated = updated + 400 * 86400000 WHERE title = 'said by a wrong clock'")
    store.close()
    send(page, "and once more")
    over(page)
    # The change of the other one was told with it.
    expect(page.locator(".side .sessions").first).to_contain_text("just now")
    expect(first).to_have_text("said by a right one")
    page.reload()
    expect(first).to_have_text("said by a right one")
    step("the list is in the order in which things were said, whatever the clock was")


KEPT = """words => Object.keys(localStorage).some((name) => name.startsWith('nexus.kept.') && name !== 'nexus.kept.list'
    && localStorage[name].includes(words))"""


def answered_and_offline(page):
    """What was answered here is there without a network, as of when; also of a session above what is kept of one."""
    new(page)
    for words in ("begun here", "/long 50", "/long 51", "/long 52", "the newest of it"):
        send(page, words)
        over(page)
        # It is read once more at its end, and kept as that.
        page.wait_for_function(KEPT, arg=words)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".turn").last.locator(".said")).to_have_text("the newest of it")
    expect(page.locator(".turn").last.locator(".answer")).to_contain_text("the newest of it")
    expect(page.locator(".link")).to_have_text(re.compile(r"this device is offline; trying again\. As it was (just now|\d+ min ago)"))
    expect(page.get_by_text("What shall be done?")).to_be_hidden()
    shot(page, "kept-offline")
    page.goto(origin + "/#/devices")
    expect(page.get_by_text("Who is let in cannot be read now: this device is offline")).to_be_visible()
    shot(page, "devices-offline")
    page.context.set_offline(False)
    expect(page.get_by_role("button", name="Forget this browser")).to_be_visible()
    expect(page.get_by_text("here now from")).to_have_count(1)
    expect(page.get_by_role("switch", name="Tell me")).to_be_visible()
    step("without a network what was answered here is shown, as of when; the devices come when it is back")


# Lines of each word in the heads of a table.
BROKEN = """all => all.flatMap((one) => one.innerText.split(' ').map((word) => {
    const range = document.createRange(), at = one.firstChild.data.indexOf(word);
    range.setStart(one.firstChild, at);
    range.setEnd(one.firstChild, at + word.length);
    return [word, range.getClientRects().length];
})).filter(([, lines]) => lines !== 1)"""


def wide_table(browser):
    """A table on a phone keeps its words and numbers, and is moved in its own place."""
    page = opened(browser, "small")
    columns = "|Status|Requests|12/0 of 144|Description|Responsible|Elsewhere|\n"
    send(page, "table\n\n" + columns + "|---" * 6 + "|\n" + columns)
    over(page)
    expect(page.locator(".prose th")).to_have_count(6)
    broken = page.locator(".prose th").evaluate_all(BROKEN)
    assert not broken, broken
    assert page.locator(".wide").evaluate("one => one.scrollWidth > one.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "table")
    page.context.close()
    step("a table on a phone breaks no word")


HELD_ONCE = """(() => {
    const real = window.fetch;
    window.probes = 0;
    window.fetch = async (...given) => {
        const answer = await real(...given);
        if (!String(given[1]?.body).includes('"probe"') || window.probes++) return answer;
        return new Response(await answer.text(), { headers: answer.headers });
    };
})()"""


def busy_once(browser):
    """One late look at a stream is no proof that the way holds it back."""
    page = opened(browser, "desk")
    page.add_init_script(HELD_ONCE)
    page.reload()
    expect(page.locator(".link")).to_have_text("connected")
    assert page.evaluate("window.probes") == 2, page.evaluate("window.probes")
    page.context.close()
    step("a page that was busy once does not ask in steps")


def guest(browser):
    page = opened(browser, "phone", "--chat-only")
    page.goto(origin + "/#/machine")
    expect(page.get_by_text("paired for the chat alone")).to_be_visible()
    shot(page, "chat-only")
    page.goto(origin + "/#/devices")
    expect(page.get_by_text("here now from")).to_be_visible()
    page.context.close()
    step("a chat-only device is told why there is no machine")


with box.running(), watch.pictured():
    box.until("the page", lambda: f"page at {origin}" in ctl("status"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page, acts = opened(browser, "desk"), sys.argv[3:]
        for act in (whole_answers, long_answers, folded, too_long, drafts, begun_offline, two_workspaces, answered_late, two_windows, growing, silent, cards, reading_above, lost_words, not_meant, no_push_service, machine, found_far, copied_whole, nothing_to_rename, withdrawn_alone, clock_set_back, answered_and_offline):
            if not acts or act.__name__ in acts:
                watch.open["desk"] = page = act(page) or page
        for size in ("phone", "small"):
            if not acts or "narrow" in acts:
                narrow(browser, size)
        if not acts or "without_network" in acts:
            alone = opened(browser, "desk")
            without_network(alone)
            alone.context.close()
        for act in (two_devices, guest, wide_table, busy_once, unknown_certificate, devices_come_and_go):
            if not acts or act.__name__ in acts:
                act(browser)
        browser.close()
watch.verdict()
print(f"mishaps: nothing is lost, cut or over the edge, {box.seconds:.0f} s; pictures in {sys.argv[2]}")
