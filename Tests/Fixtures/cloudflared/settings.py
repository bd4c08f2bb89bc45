"""config.yml, read as strictly as cloudflared reads it: types are checked, unknown keys of the top are not."""
import json
import re

TEXTS = ("tunnel credentials-file token token-file metrics protocol loglevel transport-loglevel pidfile logfile "
         "log-directory region edge-bind-address origincert label url edge-ip-version").split()
NUMBERS = ["retries", "ha-connections", "max-edge-addr-retries"]
DURATIONS = ["grace-period", "autoupdate-freq", "metrics-update-freq", "dial-edge-timeout", "rpc-timeout"]
SWITCHES = ["no-autoupdate", "no-prechecks", "post-quantum", "management-diagnostics"]
NESTED = ["hostname", "path", "service", "originRequest"]


class Wrong(Exception):
    """What is wrong with a file, in cloudflared's words."""


def scalar(text):
    text = text.strip()
    if text.startswith('"'):
        return json.loads(text)
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False, "null": None, "": None, "{}": {}, "[]": []}.get(text, text)


def parse(text):
    """The part of YAML that such files use: block mappings, lists of mappings, plain and quoted scalars."""
    lines = []
    for raw in text.splitlines():
        line = raw if '"' in raw or "'" in raw else re.sub(r"(^|\s)#.*$", "", raw)
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append((len(line) - len(line.lstrip(" ")), line.strip()))
    value, rest = block(lines, 0)
    if rest:
        raise ValueError("could not find expected ':'")
    return value


def block(lines, indent):
    if not lines:
        return None, []
    return sequence(lines, lines[0][0]) if lines[0][1].startswith("-") else mapping(lines, lines[0][0])


def mapping(lines, indent):
    result = {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        match = re.match(r"([A-Za-z0-9_.-]+):(?:\s+(.*))?$", lines[0][1])
        if not match:
            raise ValueError("could not find expected ':'")
        key, text, lines = match[1], match[2], lines[1:]
        if text is None and lines and (lines[0][0] > indent or lines[0][0] == indent and lines[0][1].startswith("-")):
            result[key], lines = block(lines, indent)
        else:
            result[key] = scalar(text or "")
    return result, lines


def sequence(lines, indent):
    result = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("-"):
        text = lines[0][1][1:].strip()
        if re.match(r"[A-Za-z0-9_.-]+:(\s|$)", text):
            inner = [(indent + 2, text)]
            lines = lines[1:]
            while lines and lines[0][0] > indent:
                inner.append(lines[0])
                lines = lines[1:]
            item, left = mapping(inner, indent + 2)
            if left:
                raise ValueError("did not find expected '-' indicator")
            result.append(item)
        else:
            result.append(scalar(text))
            lines = lines[1:]
    return result, lines


def kind(value):
    return {str: "string", int: "int", bool: "bool", dict: "map", list: "list", type(None): "nil"}[type(value)]


def seconds(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not match:
        raise Wrong(f'time: invalid duration "{text}"')
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]


def load(path):
    try:
        text = open(path, encoding="utf-8").read()
    except FileNotFoundError:
        raise Wrong(f"open {path}: no such file or directory") from None
    except PermissionError:
        raise Wrong(f"open {path}: permission denied") from None
    try:
        values = parse(text)
    except ValueError as error:
        raise Wrong(f"error parsing YAML in config file at {path}: yaml: {error}") from None
    if values is None:
        return {}
    for key, value in values.items():
        for names, want in ((TEXTS, str), (DURATIONS, str), (NUMBERS, int), (SWITCHES, bool)):
            if key in names and type(value) is not want:
                raise Wrong(f"expected {kind(want())} found {kind(value)} for {key}")
        if key in DURATIONS:
            seconds(value)
    return values


def check_ingress(rules):
    """What is wrong with the rules, and whether keys of theirs are unknown."""
    unknown = False
    if not rules:
        return "no ingress rules were defined", False
    for index, rule in enumerate(rules):
        unknown = unknown or any(key not in NESTED for key in rule)
        service, hostname = rule.get("service"), rule.get("hostname") or ""
        if ":" in hostname:
            return "Hostname cannot contain a port", unknown
        if hostname.rfind("*") > 0:
            return "Hostname patterns can have at most one wildcard character (\"*\") and it can only be used for " \
                   "subdomains, e.g. \"*.example.com\"", unknown
        if not isinstance(service, str) or not re.match(
                r"(unix(\+tls)?:/|(https?|wss?|tcp|ssh|rdp|smb)://[^/]|http_status:\d{3}$|hello_world$|socks-proxy$"
                r"|bastion$)", service):
            return f"{service} is an invalid address, please make sure it has a scheme and a hostname", unknown
        if re.match(r"(https?|wss?)://[^/]+/.+", service):
            return f"{service} is an invalid address, ingress rules don't support proxying to a different path on " \
                   "the origin service. The path will be the same as the eyeball request's path", unknown
        is_catch_all = hostname in ("", "*") and not rule.get("path")
        if index == len(rules) - 1 and not is_catch_all:
            return "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)", \
                unknown
        if index < len(rules) - 1 and is_catch_all:
            return f"Rule #{index + 1} is matching the hostname '{hostname}', but this will match every hostname, meaning " \
                   "the rules which follow it will never be triggered.", unknown
    return None, unknown
