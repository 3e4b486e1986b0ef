"""The live feed: numbered messages, who listens, and how they go out."""
