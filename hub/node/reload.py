"""Reads rules and fleets again while the hub runs. Where the new ones cannot be used, the old ones stay in force.

The broker has a say, too: it may refuse the topics that new rules want to read. While the broker is away, new rules are
taken nevertheless, for timers and for events that come by other ways. The broker is asked when it is back; where it
refuses, the old rules come back.
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
    """Takes new files, or tells the observer why they are not taken."""

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
        """Begin with `files`; `take` replaces them by others, in one turn of the loop."""
        self._settings, self._source, self._pipeline, self._observer = settings, source, pipeline, observer
        self._files = self._granted = files
        self._take_them = take

    async def run(self, wanted: asyncio.Event) -> None:
        """Read the files whenever `wanted` is set; run until cancelled."""
        while True:
            await wanted.wait()
            wanted.clear()
            await self._once()

    async def _once(self) -> None:
        """Take new files, or say why they are not taken and keep the old ones."""
        problems = Problems()
        try:
            files = await asyncio.to_thread(load_files, self._settings, problems)  # a network mount may be slow
            problems += vanished(self._files.written, files.written)  # an empty mount must not end every alert
        except OSError as error:  # not the fault of one file: no descriptor is left, the working folder is gone
            self._refuse(f" they cannot be read: {error.strerror}")
            return
        if problems:
            self._refuse(f"\n{ConfigError(problems)}")
            return
        with self._pipeline.held():
            try:
                asked = await self._source.resubscribe(files.rules.filters(), wait=False)
            except SessionError as error:  # a rule that hears nothing would look as if all were well: take none
                self._refuse(f" {error}")
                await self._source.resubscribe(self._files.rules.filters(), wait=False)
                return
            self._take(files)
        if asked:  # else the next connection tells: `granted` or `refused`
            self._granted = files
        self._observer.reloaded(f"{files.rules.written} rules, {len(files.rules.receivers)} receivers")

    def granted(self) -> None:
        """Hear that the broker is back and has granted all that the rules want to read."""
        self._granted = self._files

    def refused(self, why: str) -> None:
        """Hear that the broker is back and has refused a topic that new rules want to read: the old rules come back."""
        self._take(self._granted)
        self._refuse(f" {why}")

    def compare(self, before: str) -> None:
        """Compare the files with those that made the state, `before`, and note them for the next start.

        Raises:
            ConfigError: files have vanished. To start without them would end all their alerts.

        """
        if gone := vanished(Written.loads(before), self._files.written):
            raise ConfigError(gone)
        self._note()

    def _take(self, files: Files) -> None:
        self._files = files
        self._note()
        self._take_them(files)

    def _note(self) -> None:
        """Note for the next start which files there are; say so where they hold no rule at all."""
        self._pipeline.notes["written"] = self._files.written.dumps()
        if not self._files.rules.written:
            where = ", ".join(map(str, self._settings.rules))
            self._observer.trouble("rules", f"0 rules in {where}: no event fires anything until one is written there")

    def _refuse(self, why: str) -> None:
        self._observer.trouble("reload", f"the old rules go on:{why}")
