"""The switches of the stand-in: files that a test writes, changes and removes while it runs."""
import os
import sys


def folder():
    return os.environ.get("CLOUDFLARED_STANDIN") or os.path.join(os.path.dirname(sys.argv[0]) or ".", "standin")


def read(name):
    """The text of a switch without the white space around it; None when it is not there."""
    try:
        with open(os.path.join(folder(), name), encoding="utf-8") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_on(name):
    return read(name) is not None


def number(name, default):
    text = read(name)
    return float(text) if text else default
