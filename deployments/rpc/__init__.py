"""Calls from one deployment to another, over sockets beside Serve. The design note:

What Serve costs. A streaming call through a handle of Serve 2.60 costs 10 ms of CPU time to start and 0.5 ms for each
batch, with all its throughput options set: it routes, reserves and traces each call, and nothing joins the batches of
different calls. A stream of the gateway makes two calls and some for its summaries, and has ten batches a second.

What was tried. `python -m bench.rpc` sends the same batches of five small items, ten a second to each call, and counts
the CPU time of both processes, in microseconds (2 cores, Python 3.11, Ray 2.60, the machine busy with other work):

                                                   start of a call    a batch with  16     64    200 calls
    these sockets                                              440                  53     77     84
    grpc.aio, the same frames over bidirectional streams       790                 230    115    112
    grpc.aio, a server stream for each call                  1,740                 360    330    300
    Serve's choose_replica and dispatch                     10,700                 530    480    540 (half came late)

gRPC with frames comes nearest; it lacked authentication, cancellation and flow control of single calls there, which it
would need as well, and so saves the framing alone. Nothing came within a tenth, so the sockets stay.

What it guards. Serve still picks the replicas, replaces them and waits for them: each connection is one call through
Serve, a lease, and ends with it. The lease carries the address and a key of 32 random bytes for one connection; nothing
is unpickled before that key, and TLS is used if Ray uses it. Keep-alive probes notice a lost machine. Frames are
numbered, so that a lost one fails its calls. A call that is closed is cancelled at the replica, one whose items nobody
takes is paused, one beyond the replica's capacity is refused, and one whose replica dies before its first frame is made
again elsewhere. Failures travel as data. A connection accepts calls for 30 s, so that calls spread over new replicas,
and a replica that Serve stops is left alone. Replicas report their calls, since Serve would scale by connections.
"""
