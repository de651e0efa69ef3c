"""``python -m app.generate`` writes the generated files; with ``--check`` it only says which differ, and fails."""

import sys

from app.generate.files import stale, write


def main() -> int:
    if "--check" in sys.argv[1:]:
        paths = stale()
        print("\n".join(f"{path} differs: run make generate" for path in paths) or "generated files are up to date")
        return 1 if paths else 0
    print("\n".join(f"wrote {path}" for path in write()) or "nothing to write")
    return 0


sys.exit(main())
