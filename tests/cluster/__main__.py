"""Runs the cluster tests that this environment allows, and says loudly which it could not run. Fails where any fails."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.cluster.kubectl import controllers_installed, metacontroller_in_cluster, reachable

NOTHING_CHOSEN = int(pytest.ExitCode.NO_TESTS_COLLECTED)
LOUD = "\n" + "!" * 100 + "\n! NOT RUN: {}\n" + "!" * 100 + "\n"


def main() -> int:
    if not shutil.which("kubectl") or not os.environ.get("KUBECONFIG") or not reachable():
        print(LOUD.format("every cluster test. They need kubectl, and a reachable cluster in KUBECONFIG"))
        return 1
    ran = subprocess.run(["kubectl", "version"], check=False, capture_output=True, text=True)
    print(ran.stdout)
    missed = []
    marks = ["apiserver"]
    if os.environ.get("METACONTROLLER") and controllers_installed():
        marks.append("metacontroller")
    elif metacontroller_in_cluster():
        marks.append("metacontroller")
        missed.append("the strategy that the cluster's own Metacontroller does not use: its flag decides")
    else:
        missed.append(
            "everything that needs Metacontroller. Give its CRDs to the cluster and its binary in METACONTROLLER"
            " (with METACONTROLLER_KUBECONFIG, where it should not be who you are), or install it with its Helm chart"
        )
    code = max(int(pytest.main(["tests/cluster", "-m", mark, *sys.argv[1:]])) % NOTHING_CHOSEN for mark in marks)
    for each in missed:
        print(LOUD.format(each))
    return code


if __name__ == "__main__":
    sys.exit(main())
