"""Descriptions of lasers, a TOML file each; their names are names of drivers."""
