"""`python -m tinyml_cli` is the command `tinyml`."""

from tinyml_cli.app import main

if __name__ == "__main__":
    main()
