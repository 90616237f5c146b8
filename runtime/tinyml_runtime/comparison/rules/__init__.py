"""Rules by which other runtimes compute: each is a formula of its own, to be held against them."""
