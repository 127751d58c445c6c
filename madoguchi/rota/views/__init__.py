"""The pages of the rota: the board, one's own, planning, settings."""
