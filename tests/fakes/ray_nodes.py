"""Run several Ray nodes on this machine, in a process of their own: the tests' process is connected to another Ray.

Each line of the input is a command in JSON, and is answered with a line of JSON:

    {"add": {…}}      start a node with these parameters of Ray, and answer with its id; the first one is the head
    {"remove": id}    kill a node without a warning, and answer with its id

The end of the input ends all nodes.
"""

import json
import sys
from typing import Any

from ray.cluster_utils import Cluster


def main() -> None:
    cluster = Cluster()
    nodes: dict[str, Any] = {}
    try:
        for line in sys.stdin:
            match json.loads(line):
                case {"add": parameters}:
                    node: Any = cluster.add_node(**parameters)
                    nodes[node.node_id] = node
                    answer = node.node_id
                case {"remove": node_id}:
                    cluster.remove_node(nodes.pop(node_id), allow_graceful=False)
                    answer = node_id
            print(json.dumps(answer), flush=True)
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
