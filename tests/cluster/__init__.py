"""Tests that need a cluster: the one in KUBECONFIG. ``make e2e`` runs what it allows and says what it could not."""
