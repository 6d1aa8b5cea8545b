"""The application: joins capture, preprocess and uploader; holds no algorithm of its own."""

__version__ = "0.1.0"
