"""The command `annotate`, also as `python -m annotate`.

Each process of a pool imports this module again and needs none of the command line, so it is
imported only where it runs.
"""

import sys


def main() -> None:
    """Runs the command line and exits."""
    try:
        from annotate.loading import end_without_search, loading

        with loading():
            from annotate.cli.app import main as command_line
    except KeyboardInterrupt:
        sys.exit(130)  # as after an interruption later; nothing has begun
    end_without_search()
    command_line()


if __name__ == "__main__":
    main()
