"""Calibration routines on an open bench: run, archived, checked, fitted to the twin."""
