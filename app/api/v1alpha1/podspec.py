"""Fragments of core/v1 that a user may give for pods, typed so that a typo is refused where it is made.

Each holds just the fields that the API server stores as given, so ``canonical`` below yields the stored form.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.api.quantities import Quantity
from app.api.v1alpha1.common import MOST_LETTERS, Model, bounded, list_map, rules

Text = Annotated[str, StringConstraints(max_length=32768)]
Annotations = Annotated[
    dict[str, Text],
    Field(max_length=64, json_schema_extra=rules(
        (f"self.map(key, self[key].size()).sum() <= {MOST_LETTERS}", f"annotations: at most {MOST_LETTERS // 1024} KiB in all"),
    )),
    AfterValidator(bounded),
]  # fmt: skip
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
Labels = Annotated[dict[str, LabelValue], Field(max_length=64)]


class ResourceRequirements(Model):
    """Requests and limits of one container, such as cpu: 500m, memory: 1Gi."""

    requests: Annotated[dict[str, Quantity], Field(max_length=32)] = {}
    limits: Annotated[dict[str, Quantity], Field(max_length=32)] = {}


class LocalObjectReference(Model):
    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]


class KeySelector(Model):
    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    key: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    optional: bool | None = None


class ObjectFieldSelector(Model):
    field_path: str


class ResourceFieldSelector(Model):
    resource: str


class EnvVarSource(Model):
    """Where a value comes from; exactly one field."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "(has(self.secretKeyRef) ? 1 : 0) + (has(self.configMapKeyRef) ? 1 : 0) + (has(self.fieldRef) ? 1 : 0)"
                " + (has(self.resourceFieldRef) ? 1 : 0) == 1",
                "valueFrom: give exactly one of secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef",
            ),
        )
    )
    secret_key_ref: KeySelector | None = None
    config_map_key_ref: KeySelector | None = None
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None


class EnvVar(Model):
    model_config = ConfigDict(
        json_schema_extra=rules(("!(has(self.value) && has(self.valueFrom))", "env: give value or valueFrom, not both"))
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    value: Text = ""
    value_from: EnvVarSource | None = None


def _bounded(given: list[EnvVar]) -> list[EnvVar]:
    if sum(len(each.value) for each in given) > MOST_LETTERS:
        raise ValueError(f"must be at most {MOST_LETTERS // 1024} KiB long")
    return given


Environment = Annotated[
    list[EnvVar],
    Field(max_length=128, json_schema_extra=list_map("name") | rules(
        (f"self.map(each, has(each.value) ? each.value.size() : 0).sum() <= {MOST_LETTERS}",
         f"env: at most {MOST_LETTERS // 1024} KiB in all"),
    )),
    AfterValidator(_bounded),
]  # fmt: skip


class OptionalReference(LocalObjectReference):
    optional: bool | None = None


class EnvFromSource(Model):
    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.secretRef) != has(self.configMapRef)", "envFrom: give exactly one of secretRef and configMapRef")
        )
    )
    prefix: str = ""
    secret_ref: OptionalReference | None = None
    config_map_ref: OptionalReference | None = None


class SeccompProfile(Model):
    type: Literal["RuntimeDefault", "Localhost", "Unconfined"]
    localhost_profile: str = ""


class PodSecurityContext(Model):
    """Fields of the pod's security context that replace the hardened defaults."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    fs_group: int | None = None
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    supplemental_groups: list[int] = []
    seccomp_profile: SeccompProfile | None = None


class PodTemplate(Model):
    """Additions to the pods that the operator makes."""

    labels: Annotated[Labels, Field(json_schema_extra=rules(
        ("self.all(k, !k.startsWith('prism.io/') && !k.startsWith('app.kubernetes.io/'))",
         "podTemplate.labels: prism.io/ and app.kubernetes.io/ belong to the operator"),
    ))] = {}  # fmt: skip
    """Labels for the pods; prism.io/ and app.kubernetes.io/ belong to the operator."""
    annotations: Annotations = {}
    """Annotations for the pods."""
    env: Environment = []
    """Environment variables of the container."""
    env_from: Annotated[list[EnvFromSource], Field(max_length=32)] = []
    """Secrets and ConfigMaps whose keys become environment variables."""
    image_pull_secrets: Annotated[list[LocalObjectReference], Field(max_length=16, json_schema_extra=list_map("name"))] = []
    """Secrets for the image registry."""
    service_account_name: Annotated[str, StringConstraints(max_length=253)] = ""
    """The pods' ServiceAccount; its token is mounted only where one is named here."""
    security_context: PodSecurityContext | None = None
    """Replaces fields of the hardened defaults (uid 65532, non-root, RuntimeDefault seccomp)."""


def canonical(value: Any) -> Any:
    """The form that the API server stores of a fragment: no nulls, no empty strings, lists or maps.

    A nested object that was given empty stays, since to core/v1 ``labelSelector: {}`` is everything and none is nothing.
    """
    if isinstance(value, Model):
        fields = ((info.alias or name, getattr(value, name)) for name, info in type(value).model_fields.items())
        return {
            alias: canonical(field)
            for alias, field in fields
            if field is not None and (isinstance(field, Model | bool | int) or field)
        }
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value
