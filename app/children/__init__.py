"""PURE: one builder a child kind. Each builds a whole object from scratch, in the form that the API server stores."""
