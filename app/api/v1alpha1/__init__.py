"""PURE: the kinds of prism.io/v1alpha1. Each module's models are both the reader of a parent and the source of its CRD."""
