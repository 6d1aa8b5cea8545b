"""Static HTML reports: one file, no script library, no network; opens from ``file://``."""
