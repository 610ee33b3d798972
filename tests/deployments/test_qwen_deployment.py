"""The Qwen's deployment is bound without what it takes to run it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_graph_is_built_without_torch() -> None:
    program = "import sys, graph; print('deployments.qwen_deployment' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"
