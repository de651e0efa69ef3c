"""The install manifests on standard output, for ``kubectl apply -f -``."""

import sys
from collections.abc import Sequence

from app.generate import install
from app.generate.crds import crd
from app.generate.files import ORDER, install_manifests, kinds, text


def manifests(hook_url: str, release: str, image: str, optional: Sequence[str], *, crds: bool, token: bool) -> int:
    """Prints them in an order that kubectl can apply; with ``crds`` the kinds come first, ``optional`` ones last."""
    files = install_manifests(release, image or f"{install.IMAGE}:{release}", hook_url, token=token or not hook_url)
    core = [name for name in ORDER if name in files]
    order = [*core, *(f"optional/{name}.yaml" for name in optional)]
    documents = [crd(model) for model in kinds()] if crds else []
    sys.stdout.write(text(documents + [document for name in order for document in files[name]]))
    return 0
