"""The command line, with its levels: a flag at the wrong level is wrong, and a wrong one shows the usage and ends with 0."""
import base64
import binascii
import json
import os
import re
import urllib.request

import settings
import switches
from log import Log
from tunnel import Tunnel

VERSION = "2026.8.2"
USAGE = "NAME:\n   cloudflared tunnel - Use Cloudflare Tunnel to expose private services to the Internet\n\nUSAGE:\n   " \
        "cloudflared tunnel [tunnel command options] [command]\n"
TUNNEL_FLAGS = ("config metrics loglevel transport-loglevel output grace-period edge logfile log-directory pidfile url "
                "unix-socket retries region protocol hostname").split()
TUNNEL_SWITCHES = ["no-autoupdate", "no-prechecks"]
RUN_FLAGS = "token token-file protocol credentials-file credentials-contents url features".split()


class Usage(Exception):
    """A flag that is not known at its level."""


class Failed(Exception):
    """An end with one line on stderr."""

    def __init__(self, line, code=1):
        super().__init__(line)
        self.code = code


def flags(words, texts, switched=()):
    """Flags at the front of the words, and what is behind them."""
    found = {}
    while words and words[0].startswith("-"):
        name, _, value = words.pop(0).lstrip("-").partition("=")
        if name in switched:
            found[name] = value != "false"
        elif name in texts:
            if not value:
                if not words:
                    raise Usage
                value = words.pop(0)
            found[name] = value
        else:
            raise Usage
    return found


def main(arguments):
    try:
        return command(arguments[1:])
    except Usage:
        print("Incorrect Usage: flag provided but not defined\n\n" + USAGE)
        return 0
    except settings.Wrong as error:
        Log.bare(str(error))
        return 1
    except Failed as error:
        Log.bare(str(error))
        return error.code


def command(words):
    version = switches.read("version") or VERSION
    if words[:1] in (["--version"], ["-v"]):
        print(f"cloudflared version {version} (built 2026-08-14-12:00 UTC)")
        return 0
    if words[:1] == ["version"]:
        print(version if "--short" in words else f"cloudflared version {version} (built 2026-08-14-12:00 UTC)")
        return int(switches.read("version-status") or 0)
    if words[:1] != ["tunnel"]:
        print(USAGE)
        return 0
    words = words[1:]
    options = flags(words, TUNNEL_FLAGS, TUNNEL_SWITCHES)
    name = words.pop(0) if words else None
    if name == "ingress":
        return ingress(words, options)
    if name == "ready":
        return ready(options)
    values = configuration(options)
    if name is None:
        return quick(values, options)
    if name != "run":
        raise Usage
    own = flags(words, RUN_FLAGS)
    if len(words) > 1:
        raise Failed('"cloudflared tunnel run" accepts only one argument, the ID or name of the tunnel to run.', 255)
    return run(values | {key: value for key, value in own.items()}, words[0] if words else None)


def configuration(options):
    """Environment before the file, flags before both."""
    values = settings.load(options["config"]) if "config" in options else {}
    for key in TUNNEL_FLAGS + RUN_FLAGS + ["no-autoupdate"]:
        variable = "TUNNEL_" + key.upper().replace("-", "_")
        if key not in ("config",) and variable in os.environ:
            values[key] = os.environ[variable]
    if "TUNNEL_LOG_OUTPUT" in os.environ:
        values["output"] = os.environ["TUNNEL_LOG_OUTPUT"]
    elif "output" in values:
        del values["output"]
    if "TUNNEL_TRANSPORT_PROTOCOL" in os.environ:
        values["protocol"] = os.environ["TUNNEL_TRANSPORT_PROTOCOL"]
    # Zero in the file is the same as nothing.
    values = {key: value for key, value in values.items() if value not in (0, "0s", False)}
    values |= options
    grace = settings.seconds(values.get("grace-period", "30s"))
    if grace > 180:
        raise settings.Wrong("grace-period must be equal or less than 3m0s")
    protocol = values.get("protocol", "auto")
    if protocol not in ("auto", "quic", "http2"):
        raise settings.Wrong(f"unknown protocol {protocol}, must be one of http2, quic, auto")
    return values


def ingress(words, options):
    if words != ["validate"]:
        raise Usage
    path = options.get("config", "")
    values = settings.load(path)
    print(f"Validating rules from {path}")
    wrong, unknown = settings.check_ingress(values.get("ingress"))
    if wrong:
        raise Failed(f"Validation failed: {wrong}")
    if unknown:
        print("Warning: unused keys detected in your config file. Here is a list of unused keys:")
    else:
        print("OK")
    return 0


def ready(options):
    values = configuration(options)
    try:
        with urllib.request.urlopen(f"http://{values['metrics']}/ready", timeout=5) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        raise Failed(f"{error}") from None


def token(values):
    """The token's credentials; None without a token."""
    text = values.get("token")
    if "token-file" in values and not text:
        try:
            text = open(values["token-file"], encoding="utf-8").read().strip()
        except OSError as error:
            raise Failed(f"Failed to read token file: open {values['token-file']}: {os.strerror(error.errno).lower()}",
                         255) from None
    if text is None:
        return None
    try:
        parts = json.loads(base64.b64decode(text, validate=True))
        return {"AccountTag": parts["a"], "TunnelSecret": parts["s"], "TunnelID": parts["t"]}
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Failed("Provided Tunnel token is not valid.", 255) from None


def run(values, reference):
    log = Log(values)
    credentials = token(values)
    is_remote = credentials is not None
    if credentials is None:
        reference = reference or values.get("tunnel")
        if not reference:
            raise Failed('"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command '
                         "line argument or in the configuration file.", 255)
        path = values.get("credentials-file", "")
        try:
            credentials = json.loads(open(path, encoding="utf-8").read())
        except FileNotFoundError:
            raise Failed(f"Tunnel credentials file '{path}' doesn't exist or is not a file") from None
        except ValueError:
            raise Failed("Invalid JSON when parsing tunnel credentials file") from None
        is_id = re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", reference)
        if not is_id and not credentials.get("TunnelID"):
            raise Failed("error parsing tunnel ID: Error locating origin cert: client didn't specify origincert path")
    wrong, _ = settings.check_ingress(values.get("ingress")) if values.get("ingress") else (None, False)
    if wrong:
        raise Failed(wrong)
    return Tunnel(log, values, credentials.get("TunnelID") or reference, "remote" if is_remote else "local").run()


def quick(values, options):
    if "url" not in values and "unix-socket" not in values:
        if values.get("tunnel"):
            raise Failed(f"Use `cloudflared tunnel run` to start tunnel {values['tunnel']}")
        raise Failed("You did not specify any valid additional argument to the cloudflared tunnel command.")
    log = Log(values)
    log.info("Requesting new quick Tunnel on trycloudflare.com...")
    failure = switches.read("quick-fails")
    if failure == "429":
        log.error("Error unmarshaling QuickTunnel response: error code: 1015", error="invalid character 'e' looking for "
                  "beginning of value", status_code="429 Too Many Requests")
        raise Failed("failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value")
    if failure is not None:
        raise Failed("failed to request quick Tunnel: Post \"https://api.trycloudflare.com/tunnel\": context deadline "
                     "exceeded")
    name = switches.read("quick") or f"stand-in-{os.getpid()}-{os.urandom(3).hex()}.trycloudflare.com"
    box = f"https://{name}"
    for line in ("+" + "-" * 92 + "+", "|  Your quick Tunnel has been created! Visit it at (it may take some time to be "
                 "reachable):  |", f"|  {box.ljust(88)}  |", "+" + "-" * 92 + "+"):
        log.info(line)
    return Tunnel(log, values, "00000000-0000-4000-8000-000000000000", "quick", hostname=name).run()
