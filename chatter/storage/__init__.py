"""Storage: the backlog, the actors that write and read, and the files for what could not be saved."""
