"""What a user asks for, one module each: submit, run a chunk, merge, status, export, retry."""
