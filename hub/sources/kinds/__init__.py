"""The kinds of sources, one file each; source_settings.py finds them by the entry points `hub.sources`."""
