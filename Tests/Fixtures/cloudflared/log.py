"""Log lines on stderr, as text or as JSON. Whoever does not read them stalls the caller; a closed pipe kills."""
import datetime
import json
import os
import signal
import threading

LEVELS = {"debug": ("DBG", 0), "info": ("INF", 1), "warn": ("WRN", 2), "error": ("ERR", 3), "fatal": ("FTL", 4)}


def write(text):
    data = text.encode()
    try:
        while data:
            data = data[os.write(2, data):]
    except BrokenPipeError:
        # Go's runtime does so for descriptors 1 and 2.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPIPE])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)


class Log:
    def __init__(self, values):
        self.json = values.get("output") == "json"
        self.lock = threading.Lock()
        level = values.get("loglevel", "info")
        self.least = LEVELS.get(level, LEVELS["info"])[1]
        self.file = values.get("logfile")
        if values.get("log-directory"):
            os.makedirs(values["log-directory"], exist_ok=True)
            self.file = os.path.join(values["log-directory"], "cloudflared.log")
        if level not in LEVELS:
            self.error(f'Unknown Level String: "{level}", defaulting to InfoLevel')

    @staticmethod
    def bare(line):
        """The last words of a failed start are text, whatever was asked for."""
        write(line + "\n")

    def line(self, level, message, fields):
        fields = {key.rstrip("_"): value for key, value in fields.items()}
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        if LEVELS[level][1] < self.least:
            return
        encoded = json.dumps(fields | {"level": level, "message": message, "time": now}, sort_keys=True,
                             separators=(",", ":"))
        if self.json:
            text = encoded
        else:
            def shown(value):
                value = str(value)
                return json.dumps(value, ensure_ascii=False) if any(c in value for c in ' "=') else value
            pairs = sorted(fields.items(), key=lambda pair: (pair[0] != "error", pair[0]))
            text = " ".join([now, LEVELS[level][0], message] + [f"{key}={shown(value)}" for key, value in pairs])
        with self.lock:
            if self.file:
                with open(self.file, "a", encoding="utf-8") as file:
                    file.write(encoded + "\n")
            write(text + "\n")

    def debug(self, message, **fields):
        self.line("debug", message, fields)

    def info(self, message, **fields):
        self.line("info", message, fields)

    def warn(self, message, **fields):
        self.line("warn", message, fields)

    def error(self, message, **fields):
        self.line("error", message, fields)
