"""What an installation may set, read once from the environment."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PREFIX = "PRISM_"
Token = Annotated[str, StringConstraints(strip_whitespace=True)]


class Settings(BaseModel):
    """Each field is the environment variable ``PRISM_<FIELD>``."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    release: str = ""
    """The release that this pod serves; a hook path of another release is answered with 429. Empty serves all."""
    hook_token: Token = Field(default="", repr=False)
    """Bearer token that callers of hooks must show. Empty asks for none."""
    operator_namespace: str = "prism-operator"
    """Namespace of the operator itself."""
    cluster: str = "default"
    """Names this cluster to the registry, which several clusters may share."""
    registry_url: str = Field(default="", pattern=r"^(https?://[^\s]+)?$")
    """Where the admin registry is, such as http://prism-registry.prism-operator.svc. Empty: none."""
    registry_token: Token = Field(default="", repr=False)
    """Bearer token of the registry, to be shown to it, and by it to be asked for."""
    registry_credentials: Literal["reference", "inline"] = "reference"
    """Whether the registry is told where the credentials are, or the credentials themselves."""
    registry_store: str = "sqlite:///prism-registry.db"
    """Where the registry itself keeps its records, as a URL of SQLAlchemy."""
    image_registry: str = ""
    """Takes the place of ghcr.io/prism wherever an image starts with it."""
    field_manager: str = "metacontroller"
    """Metacontroller's field manager under server-side apply (its flag apply-strategy-ssa-field-manager)."""
    watch_pods: bool = True
    """Whether hooks see pods, to say why a workload is not ready. Metacontroller holds every pod in memory then."""
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    """A larger request is answered with 413."""
    max_waiting: int = Field(default=64, ge=1)
    """More requests at once are answered with 429."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Settings from variables such as ``PRISM_RELEASE``; raises pydantic.ValidationError where one is malformed."""
    given: dict[str, Any] = {
        name: environ[PREFIX + name.upper()] for name in Settings.model_fields if PREFIX + name.upper() in environ
    }
    return Settings.model_validate(given)
