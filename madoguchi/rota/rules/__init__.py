"""Decisions of the rota: what a good plan is, how one is found, how swaps go."""
