"""``prism-operator``: each command is one module, imported only when it is asked for."""

import argparse
import sys
from collections.abc import Sequence

from app import __version__

OPTIONAL = ("monitoring",)  # the table's own list would import everything for every command


def parser() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser(prog="prism-operator", description="The Kubernetes operator of the Prism data layer.")
    ask.add_argument("--version", action="version", version=__version__)
    commands = ask.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer Metacontroller's hooks over HTTP")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serve.add_argument("--port", type=port, default=8080, help="port to listen on (default %(default)s)")
    serve.add_argument("--embedded-registry", action="store_true", help="run the registry in the same process, below /registry")
    registry = commands.add_parser("registry", help="the admin registry (PRISM_REGISTRY_STORE, PRISM_REGISTRY_TOKEN)")
    registry.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    registry.add_argument("--port", type=port, default=8090, help="port to listen on (default %(default)s)")
    manifests = commands.add_parser("manifests", help="print what metacontroller/ holds, for kubectl apply -f -")
    manifests.add_argument("--hook-url", type=url, default="", help="where Metacontroller reaches a service outside the cluster")
    manifests.add_argument("--release", default=__version__, help="the release in the hooks' path (default %(default)s)")
    manifests.add_argument("--image", default="", help="image of the operator")
    manifests.add_argument("--crds", action="store_true", help="print the CRDs first")
    manifests.add_argument(
        "--token", action="store_true", help="have the bearer token of Secret prism-operator-tokens shown to --hook-url too"
    )
    manifests.add_argument(
        "--optional", action="append", default=[], choices=OPTIONAL, help="print the controller that needs this too; repeatable"
    )
    render = commands.add_parser(
        "render",
        help="print the children of the parents in a file, without a cluster",
        description="Prints the children as YAML, what keeps a parent from being ready on standard error. Knows what the files"
        " hold and nothing else; the rules across fields (CEL) are the API server's alone.",
    )
    render.add_argument(
        "-f", "--filename", action="append", required=True, help="file or folder, - for standard input; repeatable"
    )
    demo = commands.add_parser("demo", help="drive every sample through the service and an in-memory cluster")
    demo.add_argument("--samples", default="samples", help="folder of the samples (default %(default)s)")
    demo.add_argument("--picture", default="", help="export the last screen to this SVG file")
    return ask


def port(text: str) -> int:
    """A number of a port; raises ArgumentTypeError for none."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("must be from 1 to 65535")
    return int(text)


def url(text: str) -> str:
    """An address of HTTP, or nothing; raises ArgumentTypeError for another."""
    if text and not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must read as in http://127.0.0.1:8080")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    try:
        if asked.command == "serve":
            from app.cli.serve import serve

            return serve(asked.host, asked.port, embedded_registry=asked.embedded_registry)
        if asked.command == "registry":
            from app.cli.serve import registry

            return registry(asked.host, asked.port)
        if asked.command == "manifests":
            from app.cli.manifests import manifests

            return manifests(asked.hook_url, asked.release, asked.image, asked.optional, crds=asked.crds, token=asked.token)
        if asked.command == "render":
            from app.cli.render import render

            return render(asked.filename)
        from app.cli.demo import demo

        return demo(asked.samples, asked.picture)
    except ModuleNotFoundError as error:
        print(f"this command needs an extra (prism-operator[cli] has all): {error.name} is missing", file=sys.stderr)
        return 2
