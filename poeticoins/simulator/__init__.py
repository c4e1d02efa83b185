"""
The embedded exchange: a real WebSocket server on this machine that speaks each exchange's own protocol.

It serves the demo, the replays and the tests, and can be told to misbehave. `market` is what trades, `protocol` is how
each exchange says it, `faults` what can go wrong, `source` which frames are due, and `server` puts them on sockets.
"""
