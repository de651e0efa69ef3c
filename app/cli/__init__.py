"""The command line: prism-operator serve | manifests | render | demo."""
