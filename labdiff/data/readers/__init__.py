"""Read images from files, one format a module: npz, npy, idx, and picture files."""
