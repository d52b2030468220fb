"""The light, apart from devices, time and noise: fields in, intensity out."""
