"""The kinds of receivers, one file each; `notify.settings` finds them by the entry points `hub.receivers`."""
