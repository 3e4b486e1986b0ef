"""Alerts that other programs evaluate and post: a second source of transitions beside the engine."""
