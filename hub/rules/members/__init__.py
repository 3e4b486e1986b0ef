"""The members inside an instance of a rule with `across`: what is kept of each, and what is known of all together."""
