"""What the program does when it is called: one file for commands that belong together."""
