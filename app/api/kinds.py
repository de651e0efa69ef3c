"""The built-in kinds that a controller owns or looks at, each in the one version that we declare and emit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version: ``Kind("apps/v1", "Deployment", "deployments")``."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """``apps`` of ``apps/v1``; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """``v1`` of ``apps/v1``."""
        return self.api_version.rpartition("/")[2]

    @property
    def key(self) -> str:
        """The key of this kind in a request's maps: ``Deployment.apps/v1``, ``Pod.v1``."""
        return f"{self.kind}.{self.api_version}"


NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
SECRET = Kind("v1", "Secret", "secrets")
RESOURCE_QUOTA = Kind("v1", "ResourceQuota", "resourcequotas")
STATEFUL_SET = Kind("apps/v1", "StatefulSet", "statefulsets")
DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
SERVICE_MONITOR = Kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
