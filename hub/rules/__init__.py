"""rules: which rules speak, for which instance. loader → index → engine; pure, under a clock that is passed in."""
