"""``python -m sandbox.cli``: the command line where the program itself is not on the path."""

from sandbox.cli import main

if __name__ == "__main__":
    main()
