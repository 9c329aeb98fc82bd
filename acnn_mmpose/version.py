"""Version of the package; ``setup.py`` reads it without importing anything."""

__version__ = '1.0.0'
