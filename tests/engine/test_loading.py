"""Loading leaves no team of OpenMP threads: with a second one in the process, the engine's would sleep, not spin."""

import subprocess
import sys
from pathlib import Path

from tests.fakes.tiny_model import random_model

ROOT = Path(__file__).parent.parent.parent
# A process of its own, since a thread keeps its team. 2^20 numbers are work for every thread that torch may use.
PROGRAM = """
import sys
from pathlib import Path
import psutil, torch
from engine import engine, linear

linear.wanted = lambda: "fbgemm" in torch.backends.quantized.supported_engines
model = engine._load(Path(sys.argv[1]), engine.EngineSettings(threads=3))
loaded = psutil.Process().num_threads()
torch.ones(1 << 20).add(1)
print(psutil.Process().num_threads() - loaded)
"""


def test_the_team_of_three_is_not_there_before_it_is_needed(tmp_path: Path) -> None:
    random_model(8192, []).save_pretrained(tmp_path)
    done = subprocess.run([sys.executable, "-c", PROGRAM, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr
