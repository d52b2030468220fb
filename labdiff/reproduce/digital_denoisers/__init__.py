"""The digital denoisers that the paper compares with (sections 4.2 and A.2)."""
