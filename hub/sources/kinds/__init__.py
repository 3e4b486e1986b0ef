"""The kinds of sources, one file each; `sources.settings` finds them by the entry points `hub.sources`."""
