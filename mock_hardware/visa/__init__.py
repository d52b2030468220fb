"""The mock's instruments as their wires are: bytes in, bytes out."""
