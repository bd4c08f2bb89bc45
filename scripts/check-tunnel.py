"""Comes to the page from outside in a real browser: Chromium → the edge of a stand-in of cloudflared, by TLS and under a public
name → chat-bridge → echo-agent.

    unshare -n check-tunnel.py BIN PICTURES

pair → send → words appear while streaming → reload in mid-stream → cloudflared is killed and restarted under it, and it goes on,
every word once. All of it is in a network of its own with nothing but loopback, which is looked at first. Every wait is for an
event, with a limit. Then the tunnel's switches: changed through the tunnel itself, kept, and undone. Then a quick
tunnel's address, and the link by which this browser comes back in there.
"""
import base64, json, os, re, signal, subprocess, sys

from playwright.sync_api import sync_playwright, expect

from checking import ROOT, Box, Watch

NAME, QUICK, EDGE, TLS = "chat.example.invalid", "four-random-words-here.trycloudflare.com", "127.0.0.1:8081", "127.0.0.1:8443"
ORIGIN = f"https://{NAME}"
LIMIT = 20_000  # ms, of one wait
expect.set_options(timeout=LIMIT)

links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
assert len(links) == 1 and links[0].startswith("1: lo:"), f"this network has more than loopback: {links}"
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["ip", "route", "add", "default", "dev", "lo"], check=True)

box = Box("tunnel", sys.argv[1])
home, ctl, child, until, step = box.home, box.ctl, box.child, box.until, box.step
watch = Watch(sys.argv[2], ORIGIN, f"https://{QUICK}")
switches = home / "bin/standin"
switches.mkdir(parents=True)
(home / "bin/cloudflared").symlink_to(ROOT / "Tests/Fixtures/cloudflared/cloudflared")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
                "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", home / "key.pem", "-out", home / "edge.pem"], check=True, capture_output=True)
with open(home / "edge.pem", "a") as certificate:
    certificate.write((home / "key.pem").read_text())
for switch, text in {"edge": EDGE, "edge-tls": f"{TLS} {home}/edge.pem", "apart": "0.1", "faster": "20"}.items():
    (switches / switch).write_text(text)
tunnel = "11111111-2222-3333-4444-555555555555"
(home / "credentials.json").write_text(json.dumps({"AccountTag": "a1", "TunnelSecret": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "TunnelID": tunnel}))
(home / "credentials.json").chmod(0o600)
(home / "token").write_text(base64.b64encode(json.dumps({"a": "a1", "s": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "t": tunnel}).encode()).decode())
(home / "token").chmod(0o600)
rules = [{"hostname": NAME, "service": f"unix:{home}/r/chat.sock"}, {"service": "http_status:404"}]
(switches / "remote").write_text(json.dumps({"ingress": rules}))
config = (ROOT / "Supervisor.toml").read_text()
config = config.replace('\nmode = "off"\n', f'\nmode = "named"\nid = "{tunnel}"\ncredentials-file = "{home}/credentials.json"\ntoken-file = "{home}/token"\nprogram = "{home}/bin/cloudflared"\n')
config = config.replace('\n# url = "https', f'\nurl = "{ORIGIN}"\n# url = "https', 1)
config = config.replace("\nNEXUS_TUNNEL = ", f'\nNEXUS_TUNNEL_HASTE = "6"\nNEXUS_TUNNEL_EDGE = "{EDGE}"\nNEXUS_TUNNEL = ')
config = config.replace("\n[child.chat-bridge]\n", '\n[child.chat-bridge]\nsecrets = ["webhook"]\n')
config += f"""
[word]
send = ["address"]
webhook = "http://127.0.0.1:8090/hook"
[secret.webhook]
file = "{home}/hook"
[child.receiver]
command = ["python3", "{ROOT}/Tests/Scenarios/receiver.py", "8090", "{home}/hook"]
ready = {{ log-line = "listening" }}
"""
(home / "hook").write_text("0123456789abcdef0123456789abcdef")
(home / "hook").chmod(0o600)
(home / "Supervisor.toml").write_text(config)


def said(page):
    return [int(n) for n in re.findall(r"\b\d+\b", page.locator(".turn .answer").last.inner_text())]


def grows_to(page, count):
    page.wait_for_function("n => ([...document.querySelectorAll('.turn .answer')].at(-1)?.innerText.match(/\\b\\d+\\b/g) || []).length >= n", arg=count, timeout=LIMIT)


def send(page, text):
    page.get_by_label("Message to the agent").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def opened(browser):
    return watch.opened(browser, LIMIT, "tunnel", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, ignore_https_errors=True)


def pair(page, *words):
    link = json.loads(ctl("pair", "--json", *words))["url"]
    assert link.startswith(ORIGIN + "/#pair="), link
    page.goto(link)
    page.get_by_role("button", name="Pair this browser").click()
    expect(page.get_by_label("Message to the agent")).to_be_visible()


def story(page):
    pair(page)
    step("paired through the tunnel, as the public name")
    send(page, "/slow 150")
    grows_to(page, 3)
    first = said(page)
    grows_to(page, len(first) + 4)
    step("words appear while streaming")
    page.reload()
    expect(page.locator(".turn")).to_have_attribute("data-state", "running")
    grows_to(page, 25)
    step("reloaded in mid-stream, and it goes on")
    before = child("cloudflared")
    os.kill(before["pid"], signal.SIGKILL)
    until("cloudflared to be back", lambda: child("cloudflared")["pid"] not in (None, before["pid"]) and child("cloudflared")["state"] == "ready")
    grows_to(page, max(said(page) or [0]) + 5)
    expect(page.locator(".turn")).to_have_attribute("data-state", "running")
    step("cloudflared was killed under it, and it goes on")
    before = child("cloudflared")
    ctl("restart", "cloudflared")
    assert child("cloudflared")["pid"] != before["pid"]
    expect(page.locator(".turn")).to_have_attribute("data-state", "done", timeout=2 * LIMIT)
    assert said(page) == list(range(1, 151)), f"words are missing or twice: {said(page)}"
    page.screenshot(path=str(watch.pictures / "tunnel-1-done.png"))
    until("the tunnel to be connected", lambda: (child("tunnel-worker")["status"] or "").startswith("connected 4/4"))
    step("cloudflared was restarted under it; every word is there, once")


def switched(page):
    """The tunnel's switches, used through the tunnel itself: what is kept holds, what nobody can keep is undone."""
    page.goto(ORIGIN + "/#/machine")
    card = page.get_by_role("region", name="Tunnel")
    way, keep = card.get_by_label("Way of the tunnel"), card.get_by_role("button", name="Keep")
    expect(card.locator(".state")).to_have_text("connected")
    expect(card.get_by_role("link", name=ORIGIN)).to_be_visible()
    expect(card).to_contain_text(f"Who can reach the page: browsers that were let in (nexusctl pair): from anywhere at {ORIGIN}")
    card.get_by_text("QR code").click()
    card.locator(".qr svg").screenshot(path=str(home / "qr.png"))
    read = subprocess.run(["zbarimg", "-q", "--raw", str(home / "qr.png")], capture_output=True, text=True).stdout.strip()
    assert read == ORIGIN, read
    own = page.locator(".child").filter(has=page.get_by_role("heading", name="cloudflared", exact=True))
    before = child("cloudflared")["pid"]
    own.get_by_role("button", name="Restart").click()
    own.get_by_role("button", name="Restart, surely?").click()
    until("another cloudflared", lambda: child("cloudflared")["pid"] not in (None, before))
    until("the tunnel to be connected", lambda: (child("tunnel-worker")["status"] or "").startswith("connected 4/4"))
    expect(own.locator(".state")).to_have_text("ready", timeout=2 * LIMIT)
    expect(card.locator(".state")).to_have_text("connected", timeout=2 * LIMIT)
    step("cloudflared restarted from the page that came through it")
    way.select_option("quick")
    expect(card).to_contain_text("Quick addresses do not last")
    expect(card).to_contain_text("what you change is undone after a minute")
    watch.shot(page, "tunnel-2-switches")
    card.get_by_role("button", name="Change").click()
    expect(card.get_by_role("alert").last).to_contain_text("[chat] url")
    step("the address as a code; quick is refused in words")
    way.select_option("token")
    card.get_by_role("button", name="Change").click()
    expect(card.get_by_role("alert").first).to_contain_text(re.compile(r"In \d+ s it is named again"))
    watch.shot(page, "tunnel-3-trial")
    # By the way before it counts for nothing; when the new one stands it does.
    until("the token tunnel", lambda: json.loads(ctl("tunnel", "status", "--json"))["mode"] == "token" and (child("tunnel-worker")["status"] or "").startswith("connected 4/4"))
    keep.click()
    expect(keep).to_be_hidden()
    assert "trial_left" not in json.loads(ctl("tunnel", "status", "--json"))
    step("changed through the tunnel, and kept by the new way")
    card.get_by_role("button", name="Stop").click()
    expect(card.locator(".state")).to_have_text("off")
    expect(card).to_contain_text("Who can reach the page: browsers that were let in")
    expect(keep).to_be_visible()
    until("the tunnel to be off", lambda: child("cloudflared")["state"] == "off")
    expect(card.locator(".state")).to_have_text("connected", timeout=2 * LIMIT)
    expect(keep).to_be_hidden()
    expect(way).to_have_value("token")
    step("stopped through the tunnel: on again by itself, and the page with it")


def back(page):
    """Under a quick tunnel's new address nobody knows this browser; by the link that went out it is what it was."""
    devices = [json.loads(line)["device"] for line in ctl("devices", "--json").splitlines()]
    (switches / "quick").write_text(QUICK)
    (home / "Supervisor.toml").write_text(config.replace(f'\nurl = "{ORIGIN}"', ""))
    ctl("reload")
    ctl("tunnel", "mode", "quick")
    links = []

    def has_link():
        lines = [json.loads(line)["message"] for line in ctl("logs", "receiver", "-n", "50", "--json").splitlines()]
        links.extend(word["link"] for word in (json.loads(line[4:])["word"] for line in lines if line.startswith("got ")) if "link" in word)
        return links
    until("the link at the receiver", has_link)
    assert links[-1].startswith(f"https://{QUICK}/#again="), links
    page.goto(links[-1])
    button = page.get_by_role("button", name="Come back in")
    expect(button).to_be_visible()
    assert page.url == f"https://{QUICK}/", f"the code stays in the address bar: {page.url}"
    expect(page.get_by_text("Nexus has a new address")).to_be_visible()
    watch.shot(page, "tunnel-4-back")
    button.click()
    expect(page.get_by_label("Message to the agent")).to_be_visible()
    page.goto(f"https://{QUICK}/#/devices")
    expect(page.locator(".child .state", has_text="this one")).to_have_count(1)
    assert [json.loads(line)["device"] for line in ctl("devices", "--json").splitlines()] == devices
    step("a quick tunnel's address came with a link, by which this device is in again as itself")
    told(page, links[-1])


def told(page, link):
    """The same word to a browser that is told things: a tap on it opens the link."""
    origin = f"https://{QUICK}"
    page.context.grant_permissions(["notifications"], origin=origin)
    devtools, registered = page.context.new_cdp_session(page), []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: registered.extend(one for one in event["registrations"] if one["scopeURL"].startswith(origin)))
    devtools.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    word = {"type": "word", "id": "word_x", "kind": "address", "sentence": "The chat has a new address.", "url": origin, "link": link}
    # What DevTools delivers to a worker that is on its way may be lost; a word of the same id is shown once.
    shown = []
    for attempt in range(5):
        devtools.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": registered[-1]["registrationId"], "data": json.dumps(word)})
        shown = page.evaluate("""async (limit) => {
            const registration = await navigator.serviceWorker.getRegistration(), until = performance.now() + limit;
            for (;;) {
                const all = await registration.getNotifications();
                if (all.length || performance.now() > until) return all.map((one) => [one.body, one.data.url]);
                await new Promise(requestAnimationFrame);
            }
        }""", LIMIT / 5)
        if shown:
            break
    assert shown == [["The chat has a new address.", link]], shown
    step("a message about it leads to the link")


with box.running(), watch.pictured():
    until("the tunnel to be connected", lambda: (child("tunnel-worker")["status"] or "").startswith("connected 4/4"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--ignore-certificate-errors", f"--host-resolver-rules=MAP {NAME}:443 {TLS}, MAP {QUICK}:443 {TLS}"])
        page = opened(browser)
        story(page)
        switched(page)
        back(page)
        browser.close()
watch.verdict()
print(f"web: the page is reached through the tunnel, {box.seconds:.0f} s; pictures in {sys.argv[2]}")
