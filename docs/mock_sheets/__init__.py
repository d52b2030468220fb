"""The pictures of docs/mock-bench.md, a module a group; docs/mock_pictures.py makes them."""
