"""What belongs to the kernel: sockets, buffers, time-outs, the garbage collector. Knows no Phoenix."""
