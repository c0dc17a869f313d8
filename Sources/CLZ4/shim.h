// The only door to the system's LZ4. EventLog/Compression.swift is the one Swift file that goes through it.
#include <lz4.h>
