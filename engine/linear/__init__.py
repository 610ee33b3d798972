"""Linear layers for CPUs: their weights in the form that this processor multiplies by fastest.

    weights.py      the weights of layers, and a file of their int8 form
    kernels.py      one class a kernel: packs the weights of layers
    choice.py       measures the kernels on one layer of a model and chooses by number of rows
    kept_times.py   keeps what was measured for the next start
    replacing.py    puts the chosen kernels in the place of a model's linear layers

Knows nothing of transformers: any model of `torch.nn.Linear` and `torch.nn.Embedding` will do.
"""
