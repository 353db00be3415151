"""Silicon Dyno: one Core ML model on every engine of a machine, measured side by side."""

__version__ = "0.1.0"
