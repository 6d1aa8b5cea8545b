"""``python -m facelight`` is the same as the console script."""

from facelight.cli import main

if __name__ == "__main__":
    main()
