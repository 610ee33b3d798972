"""Several Ray nodes on this machine, in a process of their own: the one that tests run in has its Ray already.

Each line that is read is JSON and answered with one: {"add": {…}} starts a node with those of Ray's parameters, the
head first, and answers with its id; {"remove": id} kills one without a warning. The end of the input ends them all.
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
