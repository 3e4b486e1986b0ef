"""`python -m tests.bench`: where the figures are, and the one of the whole hub. They are no tests and never fail."""

import asyncio

from tests.bench import hub

if __name__ == "__main__":
    asyncio.run(hub.main())
