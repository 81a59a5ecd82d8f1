"""What the terminal shows: progress, plans, tables, QR codes."""
