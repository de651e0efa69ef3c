"""Runs every variant several times in turn and prints medians relative to the constant answer of the same round."""

import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench import stack
from bench.load import send
from bench.work import request

ROUNDS, REQUESTS, CONNECTIONS = 5, 3000, 5
VARIANTS = ("constant", "unguarded", "ours", "default", "http.server")
NAMES = {
    "constant": "FastAPI, constant bytes",
    "unguarded": "this operator, without the guard",
    "ours": "this operator",
    "default": "FastAPI, models in and out",
    "http.server": "http.server, json",
}


@contextmanager
def serving(variant: str) -> Iterator[int]:
    """The port of a fresh server of this variant."""
    process = subprocess.Popen([sys.executable, "-m", "bench.servers", variant], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def cpu(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cpu", timeout=30) as answer:
        return float(answer.read())


def cost(port: int, body: bytes, times: int, connections: int = CONNECTIONS, path: str = "/hooks/bench/sync") -> float:
    """Microseconds of CPU a request."""
    before = cpu(port)
    send(port, body, times, connections, path)
    return (cpu(port) - before) / times * 1e6


def compare() -> None:
    """Our path and others, relative to the constant answer."""
    body = request(10)
    ratios: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    micros: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(ROUNDS):
        for variant in VARIANTS:
            with serving(variant) as port:
                connections = 1 if variant == "http.server" else CONNECTIONS
                cost(port, body, 500, connections)
                micros[variant].append(cost(port, body, REQUESTS, connections))
            ratios[variant].append(micros[variant][-1] / micros["constant"][-1])
    print(f"CPU per sync, request of {len(body) / 1000:.0f} KB with 10 children; medians of {ROUNDS} rounds")
    print(f"{'':36}{'us':>8}{'x constant':>12}{'min - max':>16}")
    for variant in VARIANTS:
        spread = f"{min(ratios[variant]):.2f} - {max(ratios[variant]):.2f}"
        print(
            f"{NAMES[variant]:36}{statistics.median(micros[variant]):8.0f}{statistics.median(ratios[variant]):12.2f}{spread:>16}"
        )


def scale() -> None:
    """Cost against the number of children: it must stay in proportion."""
    print("\nCPU per sync of this operator by number of children")
    print(f"{'children':>10}{'request KB':>12}{'us':>10}{'us a child':>12}")
    with serving("ours") as port:
        for children in (10, 100, 1000):
            body, times = request(children), max(20, 3000 // children)
            cost(port, body, times // 4)
            each = statistics.median(cost(port, body, times) for _ in range(3))
            print(f"{children:10}{len(body) / 1000:12.0f}{each:10.0f}{each / children:12.1f}")


def stacks() -> None:
    """The cost of one sync of a stack against the number of its patterns; Metacontroller waits 10 s for an answer."""
    print("\nCPU per sync of a PrismStack by number of patterns")
    print(f"{'patterns':>10}{'request KB':>12}{'ms':>10}{'us a pattern':>14}")
    with serving("operator") as port:
        for patterns in (10, 100, 1000):
            body, times = stack.request(patterns), max(10, 1000 // patterns)
            path = "/hooks/prism-stack/sync"
            cost(port, body, times // 4 or 1, path=path)
            each = statistics.median(cost(port, body, times, path=path) for _ in range(3))
            print(f"{patterns:10}{len(body) / 1000:12.0f}{each / 1000:10.2f}{each / patterns:14.0f}")


if __name__ == "__main__":
    compare()
    scale()
    stacks()
