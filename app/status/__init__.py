"""PURE: what a status says: conditions, why a workload is not ready, and whose an object is."""
