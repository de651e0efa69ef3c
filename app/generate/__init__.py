"""Models and the table of controllers in, ``crds/`` and ``metacontroller/`` out. Run by ``python -m app.generate``."""
