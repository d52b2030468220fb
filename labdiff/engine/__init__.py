"""One bench that stays open, and one thing at a time done with it: what a window steers.

A window sends commands (`labdiff.engine.commands`) and receives `labdiff.engine.status.EngineEvent`.
"""
