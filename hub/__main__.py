"""`python -m hub` is the command `hub`."""

from hub.operate.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
