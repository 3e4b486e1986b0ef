"""The figures of a run: counted, in buckets, and as a person reads them at its end."""
