"""One bench that stays open, and what is done with it, one thing at a time: what a window steers.

A window sends commands (`commands`) and is told labdiff's events and what is in `news`.
"""
