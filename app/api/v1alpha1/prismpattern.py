"""PrismPattern: a pattern bound to its backends. Its spec and its hook are PatternRunner's."""

from dataclasses import replace
from typing import ClassVar

from app.api.kinds import Kind
from app.api.v1alpha1.common import API_VERSION, Definition, Resource
from app.api.v1alpha1.patternrunner import PatternRunner, RunnerSpec, RunnerStatus


class PrismPattern(Resource):
    """A pattern and the backends that its slots bind to: a Deployment, its Service, configuration and binding Secrets."""

    definition: ClassVar[Definition] = replace(
        PatternRunner.definition,
        kind=Kind(API_VERSION, "PrismPattern", "prismpatterns"),
        short_names=("ppattern",),
    )
    spec: RunnerSpec
    status: RunnerStatus | None = None


Runner = PatternRunner | PrismPattern
"""Either: one spec model, one sync function."""
