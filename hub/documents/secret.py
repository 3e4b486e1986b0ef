"""A value that must never be printed: passwords, tokens, URLs that carry one."""

__all__ = ["Secret", "Unset"]


class Secret:
    """Text that shows as `<secret>` wherever it is printed, logged or put into a message.

    `reveal()` gives the text to the one place that needs it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; call it where it is used, keep the Secret everywhere else."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Unset(Secret):
    """Stands for a secret that could not be fetched: the reason is told at its place, and its value is not checked.

    So the rest of the file can be read, and checked on a machine without the secrets.
    """

    __slots__ = ()
