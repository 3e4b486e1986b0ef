"""What keeps an alert from being told: silences, `unless`, limits."""
