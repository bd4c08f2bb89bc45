"""What the checks in Python have in common: a box of the built programs and its end, waits, and what is looked at on each page.

Whatever ends a script (a fault, Ctrl-C, a time limit's SIGTERM, even SIGKILL) ends what it started, browsers and their
drivers with their groups.
"""
import contextlib, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy(scope, name):
    """Presses a button that copies, until it says so: the word stands for 1.5 s, which a busy machine may miss."""
    for _ in range(5):
        scope.get_by_role("button", name=name).click()
        try:
            scope.get_by_text("Copied", exact=True).wait_for(timeout=1500)
            return
        except Exception as error:  # playwright's; not imported here, for other checks need no browser
            missed = error
        scope.get_by_role("button", name=name).wait_for()
    raise missed


def _end(number, _):
    raise SystemExit(128 + number)


for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, _end)


def skipped(words):
    """As in lib.sh: scripts/test says it again in its last lines."""
    print(f"skipped: {words}", flush=True)
    if listed := os.environ.get("NEXUS_SKIPPED"):
        with open(listed, "a") as file:
            file.write(words + "\n")


class Box:
    """The built programs in a directory of its own, which stays when something failed."""

    def __init__(self, name, programs, limit=20, who=""):
        """`limit`: seconds of one wait; `who`: begins each step's line."""
        self.programs, self.limit, self.who, self.begun = pathlib.Path(programs).resolve(), limit, who, time.monotonic()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"nexus-{name}-"))
        self.environment = {**os.environ, "HOME": str(self.home), "NO_COLOR": "1",
                            "NEXUS_RUNTIME_DIRECTORY": f"{self.home}/r", "NEXUS_STATE_DIRECTORY": f"{self.home}/s"}
        self.log = open(self.home / "nexusd.log", "wb")
        self.started = []

    @property
    def seconds(self):
        return time.monotonic() - self.begun

    def step(self, words):
        print(f"  {self.who}{words} ({self.seconds:.1f} s)", flush=True)

    def ctl(self, *words, check=True):
        done = subprocess.run([self.programs / "nexusctl", *words], env=self.environment, capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"nexusctl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def child(self, name):
        return next(c for c in json.loads(self.ctl("status", "--json"))["children"] if c["name"] == name)

    def until(self, what, look):
        """The first answer that is not false."""
        end = time.monotonic() + self.limit
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError(f"in vain for: {what}; {self.ctl('status', check=False)}")

    def start(self, *command, stop=signal.SIGTERM, **more):
        """A program that ends with this script, with its whole group; should nobody be left to end it, the kernel does."""
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *command], env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log, start_new_session=True, **more)
        self.started.append((process, stop))
        return process

    @contextlib.contextmanager
    def running(self):
        """nexusd on the box's Supervisor.toml, with all of it ready; the end of everything that was started."""
        try:
            self.start(self.programs / "nexusd", "--config", self.home / "Supervisor.toml", "--state", f"{self.home}/s",
                       "--runtime", f"{self.home}/r", stop=signal.SIGINT)
            self.until("nexusd's socket", (self.home / "r/control.sock").exists)
            self.ctl("wait", "--ready", "--timeout", "30s")
            yield
        except BaseException:
            print((self.home / "nexusd.log").read_text()[-3000:], self.ctl("status", check=False), self.ctl("logs", "-n", "40", check=False),
                  f"all of it is in {self.home}", sep="\n", file=sys.stderr)
            raise
        else:
            self.end()
            shutil.rmtree(self.home, ignore_errors=True)
        finally:
            self.end()

    def end(self):
        while self.started:
            process, stop = self.started.pop()
            process.send_signal(stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            # Who began a group may be gone before the others in it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Watch:
    """What pages of Playwright's complain about: faults, their own Content-Security-Policy, axe-core, requests to others."""

    def __init__(self, pictures, *hosts):
        self.pictures, self.hosts, self.complaints, self.open = pathlib.Path(pictures), list(hosts), [], {}
        self.pictures.mkdir(parents=True, exist_ok=True)

    def opened(self, browser, limit, name, who="", **context):
        self.open[name] = page = browser.new_context(**context).new_page()
        page.set_default_timeout(limit)
        # What the network says is expected.
        page.on("console", lambda m: self.complaints.append(f"{who}{m.text}") if m.type == "error" and "Failed to load resource" not in m.text else None)
        page.on("pageerror", lambda error: self.complaints.append(f"{who}{error}"))
        page.on("request", lambda r: self.complaints.append(f"asked another host: {r.url}") if not r.url.startswith((*self.hosts, "data:", "blob:")) else None)
        return page

    def shot(self, page, name, then="light"):
        """A picture, and what axe-core finds in both themes."""
        from axe_playwright_python.sync_playwright import Axe
        page.screenshot(path=str(self.pictures / f"{name}.png"))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            result = Axe().run(page).response
            assert len(result["passes"]) > 5, "axe looked at nothing"
            for found in result["violations"]:
                self.complaints.append(f"axe: {name}, {scheme}: {found['id']}: {found['help']}: " + "; ".join(node["html"][:120] for node in found["nodes"][:4]))
        page.emulate_media(color_scheme=then)

    @contextlib.contextmanager
    def pictured(self):
        """Pictures of what is open when something fails."""
        try:
            yield
        except BaseException:
            for name, page in self.open.items():
                with contextlib.suppress(Exception):
                    page.screenshot(path=str(self.pictures / f"failed-{name}.png"))
            raise

    def verdict(self):
        if self.complaints:
            sys.exit("the browser complains:\n" + "\n".join(self.complaints))
