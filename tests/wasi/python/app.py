"""Tries to reach what it is told to, by the means that Python has."""

import os
import secrets
import socket
import time

from componentize_py_types import Err
from wit_world import exports


def read(_):
    with open("/data/note") as file:
        return file.read()


def connect(address):
    host, port = address.split(":")
    with socket.socket() as client:
        client.connect((host, int(port)))
        return "connected"


TRIES = {
    "env": lambda _: " ".join(sorted(os.environ)),
    "file": read,
    "socket": connect,
    "random": lambda _: secrets.token_hex(4),
    "clock": lambda _: time.time(),
    "stdout": lambda _: print("written", flush=True),
}


class Probe(exports.Probe):
    def greet(self, name: str) -> str:
        return f"Hello, {name}!"

    def reach(self, what: str, address: str) -> str:
        try:
            return str(TRIES[what](address))
        except Exception as error:
            raise Err(f"{type(error).__name__}: {error}")
