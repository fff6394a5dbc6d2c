"""Where ONNX Runtime placed the nodes of a model."""

import onnxruntime as ort


def placement(session: ort.InferenceSession) -> dict[str, int]:
    """Number of the model's nodes on each execution provider, for a session that records it."""
    placed: dict[str, int] = {}
    for subgraph in session.get_provider_graph_assignment_info():
        nodes = len(subgraph.get_nodes())
        placed[subgraph.ep_name] = placed.get(subgraph.ep_name, 0) + nodes
    return placed
