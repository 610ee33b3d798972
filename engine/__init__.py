"""The model on its device: files, continuous batching, the thinking harness; no Ray, no HTTP server."""

import os

HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Environment of a process that runs a model on a processor, to be set before it starts.

A step reads all weights, and in pages of 4 KB a third of its time goes to looking their addresses up: int8 layers of
1,536 inputs and 17,920 outputs took 1.42 ms by FBGEMM in pages of 4 KB and 0.90 in those of 2 MB, 2.5 and 1.8 by oneDNN
(one row, one thread of an EPYC). Libraries allocate their packed weights by malloc, whose large blocks are in huge
pages with this (glibc 2.35). Moving 2 GB there afterwards took 6 s of one core, beside which a first question had 4.9
tokens/s in place of 10.7."""

# Before torch allocates anything: large tensors are in huge pages from the start. On two cores of an EPYC with AVX2,
# packing the layers of the 1.5B took 8.1 s in place of 8.8, and a KV cache of 1.9 GB 3.0 s in place of 4.8.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
