"""The command `pubsub-emulator`, and `python -m pubsub_emulator`: becomes the program."""

import os
import sys

from pubsub_emulator import binary


def main() -> None:
    os.execv(binary(), [binary(), *sys.argv[1:]])


if __name__ == "__main__":
    main()
