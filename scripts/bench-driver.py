"""Driver of Nexus for a harness that measures supervisors side by side: it defines Ours(Driver) and is loaded by it."""


class Ours(Driver):  # noqa: F821 (the harness's own names are in scope: Driver, read, write, os, re, signal, subprocess, time)
    name = "ours"
    tuned_is = "delay first = cap = 1 ms, park-after at its highest"
    bin = os.environ.get("NEXUS_BIN") or os.path.join(os.getcwd(), ".build-bin")  # noqa: F821
    stamp = 0

    def missing(self):
        return None if os.access(self.bin + "/nexusd", os.X_OK) else f"no nexusd in {self.bin} (scripts/build; NEXUS_BIN)"  # noqa: F821

    def version(self):
        return subprocess.run([self.bin + "/nexusd", "--version"], capture_output=True, text=True).stdout.strip()  # noqa: F821

    def write_config(self, i):
        text = '[log]\nsize = "10MB"\nfiles = 60\njournal = false\nrate = "none"\ntotal = "100GB"\n'
        for s in i.svcs:
            words = ", ".join('"' + w + '"' for w in s.argv)
            text += f"[child.{s.name}]\ncommand = [{words}]\nready = \"none\"\n"
            if i.tuned:
                text += 'delay = { first = "1ms", cap = "1ms", park-after = 1000 }\n'
        write(i.dir + "/Supervisor.toml", text, 0o644)  # noqa: F821

    def directories(self, i):
        return ["--runtime", i.dir + "/run"]

    def argv(self, i):
        return [self.bin + "/nexusd", "--config", i.dir + "/Supervisor.toml", "--state", i.dir + "/state", *self.directories(i)]

    def env(self, i):
        return {"NEXUS_RUNTIME_DIRECTORY": i.dir + "/run", "NEXUS_STATE_DIRECTORY": i.dir + "/state"}

    def status_argv(self, i):
        return [self.bin + "/nexusctl", "--runtime", i.dir + "/run", "status"]

    # Every line carries a stamp before it: the harness counts bytes and looks at lines without one.
    def captured(self, i):
        base = i.dir + "/state/logs"
        names = {s.name for s in i.svcs}
        for folder in sorted(os.listdir(base)) if os.path.isdir(base) else []:  # noqa: F821
            if folder in names:
                for name in sorted(os.listdir(f"{base}/{folder}")):  # noqa: F821
                    yield f"{base}/{folder}/{name}"

    def log_done(self, i, total):
        size = 0
        for path in self.captured(i):
            try:
                size += os.stat(path).st_size  # noqa: F821
                self.prefix = self.prefix or self.prefix_bytes(path)
            except OSError:
                pass
        return size * 100 // (100 + self.prefix)

    prefix = 0  # bytes before the text of a line: stamp, run, source and level; see docs/logs.md

    def prefix_bytes(self, path):
        with open(path, "rb") as file:
            fields = file.readline().split(b" ")
        return len(b" ".join(fields[:3])) + 1 if len(fields) > 3 else 0

    def log_check(self, i, nchild, nlines):
        files = None
        while files != (files := list(self.captured(i))):
            time.sleep(0.4)  # noqa: F821
        cut = subprocess.Popen(["cut", "-d", " ", "-f", "4-", *files], stdout=subprocess.PIPE)  # noqa: F821
        r = subprocess.run([i.child, "check", str(nchild), str(nlines), "-"], stdin=cut.stdout, capture_output=True, text=True)  # noqa: F821
        return [int(x) for x in r.stdout.split()]
