"""The hub's own alerts: what it measures of itself becomes events on `$hub/…`, and rules that ship judge them.

observer ──▶ tally ──▶ measures ──▶ watcher ──Pipeline.submit──▶ the way of every event (rules.yaml) ──▶ Hub… alerts
                                    heartbeat: the word to an outside place that must not fail to come
"""
