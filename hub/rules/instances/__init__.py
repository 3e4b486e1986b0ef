"""The instances of a rule: who they are, where they stand, in which order they were heard."""
