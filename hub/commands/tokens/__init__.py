"""Tokens and links that acknowledge one episode of one alert."""
