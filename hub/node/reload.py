"""Rules and fleets read anew while the hub runs: taken where they can be used, or else the old ones go on.

The broker has a say, too: it may refuse what new rules want to read. While it is away they are taken nevertheless, for
what comes by other ways and for the timers; it is asked when it is back, and where it refuses, the old ones come back.
"""

import asyncio
from collections.abc import Callable

from hub.config import Settings
from hub.documents.document import Problems
from hub.documents.written import Written, vanished
from hub.errors import ConfigError, SessionError
from hub.ingest.source import Source
from hub.observer import Observer
from hub.project.files import Files, load_files
from hub.spine.pipeline import Pipeline

__all__ = ["Reload"]


class Reload:
    """Takes new files, or says why not."""

    def __init__(
        self,
        *,
        settings: Settings,
        files: Files,
        source: Source[object],
        pipeline: Pipeline,
        observer: Observer,
        take: Callable[[Files], None],
    ) -> None:
        """Begin with `files`; `take` lets others take their place, in one turn of the loop."""
        self._settings, self._source, self._pipeline, self._observer = settings, source, pipeline, observer
        self._files = self._granted = files
        self._take_them = take

    async def run(self, wanted: asyncio.Event) -> None:
        """Read them whenever that is wanted; run until cancelled."""
        while True:
            await wanted.wait()
            wanted.clear()
            await self._once()

    async def _once(self) -> None:
        """Take new files, or say why not and go on with the old ones."""
        problems = Problems()
        try:
            files = await asyncio.to_thread(load_files, self._settings, problems)  # a network mount may be slow
            problems += vanished(self._files.written, files.written)
        except OSError as error:  # what is no file's own: no descriptor is left, the working folder is gone
            self._refuse(f" they cannot be read: {error.strerror}")
            return
        if problems:
            self._refuse(f"\n{ConfigError(problems)}")
            return
        with self._pipeline.held():
            try:
                asked = await self._source.resubscribe(files.rules.filters(), wait=False)
            except SessionError as error:
                self._refuse(f" {error}")
                await self._source.resubscribe(self._files.rules.filters(), wait=False)
                return
            self._take(files)
        if asked:
            self._granted = files
        self._observer.reloaded(f"{files.rules.written} rules, {len(files.rules.receivers)} receivers")

    def granted(self) -> None:
        """Hear that the broker is back, and has granted what the rules want to read."""
        self._granted = self._files

    def refused(self, why: str) -> None:
        """Hear that the broker is back, and has refused what new rules want to read."""
        self._take(self._granted)
        self._refuse(f" {why}")

    def compare(self, before: str) -> None:
        """Compare the files with those that the state in hand came from, and note them for the next start.

        Raises:
            ConfigError: they have vanished. To start without them would end every alert.

        """
        if gone := vanished(Written.loads(before), self._files.written):
            raise ConfigError(gone)
        self._note()

    def _take(self, files: Files) -> None:
        self._files = files
        self._note()
        self._take_them(files)

    def _note(self) -> None:
        """Let the next start know which files there are; say so where nothing in them is a rule."""
        self._pipeline.notes["written"] = self._files.written.dumps()
        if not self._files.rules.written:
            where = ", ".join(map(str, self._settings.rules))
            self._observer.trouble("rules", f"0 rules in {where}: no event fires anything until one is written there")

    def _refuse(self, why: str) -> None:
        self._observer.trouble("reload", f"the old rules go on:{why}")
