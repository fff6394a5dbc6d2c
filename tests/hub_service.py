"""A stand-in for AI Hub's service, over HTTP and protobuf, for the real client of AI Hub.

It keeps what is uploaded, and lets every job take a few looks. Its devices compute: what was
compiled of a model answers as ONNX Runtime does on the CPU, plus the noise that a test asks for.
Precompiled models are real context binaries. Its 8-bit models are the given ones with weights
rounded to 8 bits.
"""

import io
import re
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import h5py
import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf.message import Message
from numpy.typing import NDArray
from onnx import numpy_helper
from qai_hub import public_api_pb2 as pb
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5, h5_to_dataset_entries

from annotate.domain.soc import Soc, find_soc
from annotate.inference.compiled import _compile_model

TOKEN = "secret-token-of-the-tests"  # noqa: S105
X_ELITE, QCS8550 = "Snapdragon X Elite CRD", "QCS8550 (Proxy)"
FRAMEWORKS = ["framework:onnx", "framework:qnn", "framework:tflite"]
DEVICES = [
    pb.Device(
        name=X_ELITE, os="11", attributes=["chipset:qualcomm-snapdragon-x-elite", *FRAMEWORKS]
    ),
    pb.Device(name=QCS8550, os="12", attributes=["chipset:qualcomm-qcs8550-proxy", *FRAMEWORKS]),
]
_SOC = {X_ELITE: "x-elite", QCS8550: "qcs8550"}
_TYPES = {
    "onnx": pb.MODEL_TYPE_ONNX,
    "precompiled_qnn_onnx": pb.MODEL_TYPE_ONNX,
    "qnn_dlc": pb.MODEL_TYPE_QNN_DLC,
    "tflite": pb.MODEL_TYPE_TFLITE,
}
_ENDINGS = {
    "onnx": ".onnx.zip",
    "precompiled_qnn_onnx": ".onnx.zip",
    "qnn_dlc": ".dlc",
    "tflite": ".tflite",
}


@dataclass
class Model:
    """A model of the service; `origin` is the ONNX model that it was made of."""

    message: Any
    origin: bytes = b""
    content: bytes = b""
    ending: str = ".onnx"


@dataclass
class HubService:
    """The service's state, and what it is to do wrong.

    Attributes:
        noise: standard deviation of what the devices add to every output, as a share of its
            greatest value.
        fail: of these kinds every job fails, with that reason.
        looks: how many looks at a job it takes until that is done.
        soc_model: what it says precompiled models were made for, where it is not to say the truth.
        broken: answers every request with that status of HTTP.
        requests: method and path of all.
    """

    url: str = ""
    noise: float = 0.0
    fail: dict[str, str] = field(default_factory=dict)
    looks: int = 8
    soc_model: str = ""
    broken: int | None = None
    rename_outputs: bool = False
    requests: list[str] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    datasets: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submitted(self, kind: str) -> int:
        """How many jobs of a kind were submitted."""
        return sum(job.WhichOneof("job") == f"{kind}_job" for job in self.jobs.values())

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Message | bytes:
        """What the service says to a request."""
        for pattern, reply in self._routes():
            verb, _, expression = pattern.partition(" ")
            found = re.fullmatch(expression, path)
            if verb == method and found:
                return reply(*found.groups(), query, body)
        raise LookupError(f"{method} {path}")

    def _routes(self) -> list[tuple[str, Callable[..., Message | bytes]]]:
        api = "/api/v1"
        return [
            (f"GET {api}/devices/", self._devices),
            (f"POST {api}/models/", self._create_model),
            (f"GET {api}/models/(\\w+)/multipart_upload/", self._upload_urls),
            (f"POST {api}/models/(\\w+)/multipart_upload/", self._done),
            ("PUT /files/models/(\\w+)", self._put_model),
            (f"GET {api}/models/(\\w+)/", self._model),
            (f"GET {api}/models/(\\w+)/download/", self._download_url),
            ("GET /files/models/(\\w+)", lambda name, *_: self.models[name].content),
            (f"POST {api}/jobs/", self._create_job),
            (f"GET {api}/jobs/(\\w+)/", self._job),
            (f"GET {api}/jobs/(\\w+)/result/", self._result),
            (f"POST {api}/datasets/", lambda *_: self._created(self._name("d"))),
            (f"GET {api}/datasets/(\\w+)/upload_url/", self._dataset_url),
            ("POST /files/datasets/(\\w+)", self._put_dataset),
            (f"PATCH {api}/datasets/(\\w+)/", self._done),
            (f"GET {api}/datasets/(\\w+)/", lambda name, *_: pb.Dataset(dataset_id=name)),
            (f"GET {api}/datasets/(\\w+)/download_data/", self._dataset_download),
            ("GET /files/datasets/(\\w+)", lambda name, *_: self.datasets[name]),
        ]

    def _name(self, letter: str) -> str:
        return f"{letter}{len(self.models) + len(self.datasets) + len(self.jobs) + 1:04d}x"

    @staticmethod
    def _created(name: str) -> Message:
        return pb.CreateUpdateResponse(id=name)

    @staticmethod
    def _done(name: str, *_: Any) -> Message:
        return pb.CreateUpdateResponse(id=name)

    def _devices(self, query: dict[str, str], _: bytes) -> Message:
        name = query.get("name", "")
        found = [one for one in DEVICES if name in ("", one.name)]
        return pb.DeviceList(devices=found, total_query_count=len(found))

    # Models and datasets

    def _create_model(self, _: dict[str, str], body: bytes) -> Message:
        message = pb.Model.FromString(body)
        message.model_id = self._name("m")
        self.models[message.model_id] = Model(message)
        return self._created(message.model_id)

    def _model(self, name: str, *_: Any) -> Message:
        message = pb.Model()
        message.CopyFrom(self.models[name].message)
        if self.soc_model:
            key = pb.MODEL_METADATA_KEY_QNN_CONTEXT_BIN_SOC_MODEL
            message.metadata.entries[key] = self.soc_model
        return message

    def _upload_urls(self, name: str, *_: Any) -> Message:
        urls = pb.FileMultipartUploadURL(
            urls=[f"{self.url}/files/models/{name}"], upload_id="u", max_part_size=1 << 30
        )
        return pb.FileUploadResponse(multipart_url=urls)

    def _put_model(self, name: str, _: dict[str, str], body: bytes) -> bytes:
        self.models[name].content = self.models[name].origin = body
        return b""

    def _download_url(self, name: str, *_: Any) -> Message:
        where = pb.FileDownloadURL(
            url=f"{self.url}/files/models/{name}", filename=f"job_{name}{self.models[name].ending}"
        )
        return pb.FileDownloadResponse(url=where)

    def _dataset_url(self, name: str, *_: Any) -> Message:
        where = pb.FileUploadURL(url=f"{self.url}/files/datasets/{name}", file_field_name="file")
        return pb.FileUploadResponse(url=where)

    def _put_dataset(self, name: str, _: dict[str, str], body: bytes) -> bytes:
        boundary = body[: body.index(b"\r\n")]
        for part in body.split(boundary):
            head, _, content = part.partition(b"\r\n\r\n")
            if b'name="file"' in head:
                self.datasets[name] = content.removesuffix(b"\r\n")
        return b""

    def _dataset_download(self, name: str, *_: Any) -> Message:
        where = pb.FileDownloadURL(url=f"{self.url}/files/datasets/{name}", filename="data.h5")
        return pb.FileDownloadResponse(url=where)

    # Jobs

    def _create_job(self, _: dict[str, str], body: bytes) -> Message:
        job = pb.Job.FromString(body)
        kind = job.WhichOneof("job")
        asked, name = getattr(job, kind), self._name("j")
        setattr(asked, f"{kind}_id", name)
        asked.job_state = pb.JOB_STATE_CREATED
        if kind == "compile_job":
            asked.device.CopyFrom(asked.devices.devices[0])
        if kind != "inference_job":
            source = asked.models.models[0] if kind == "link_job" else asked.model
            made = self._make(kind, asked, self.models[source.model_id])
            made.message.model_id = self._name("m")
            made.message.producer_id = name
            self.models[made.message.model_id] = made
            asked.target_model.CopyFrom(made.message)
        self.jobs[name] = job
        return self._created(name)

    def _make(self, kind: str, asked: Any, source: Model) -> Model:
        """What a job makes; its content only when somebody looks at the job when it is done."""
        runtime = re.search(r"--target_runtime (\w+)", asked.options)
        if kind == "quantize_job":
            model = Model(pb.Model(name="q", model_type=pb.MODEL_TYPE_ONNX), source.origin)
            model.origin = model.content = rounded(source.origin)
        elif kind == "link_job":
            model = Model(pb.Model(model_type=pb.MODEL_TYPE_QNN_CONTEXT_BINARY), source.origin)
            model.content, model.ending = b"context binary", ".bin"
        else:
            assert runtime is not None, "the service wants a runtime"
            model = Model(pb.Model(model_type=_TYPES[runtime[1]]), source.origin)
            model.ending = _ENDINGS[runtime[1]]
            model.content = b"a model for " + runtime[1].encode()
            if runtime[1] == "precompiled_qnn_onnx":
                soc = find_soc(_SOC[asked.device.name])
                model.content = precompiled(source.origin, soc)
                entries = model.message.metadata.entries
                entries[pb.MODEL_METADATA_KEY_QNN_CONTEXT_BIN_SOC_MODEL] = str(soc.soc_model)
                entries[pb.MODEL_METADATA_KEY_QAIRT_SDK_VERSION] = "2.40.0.251030114326_189385"
        return model

    def _job(self, name: str, *_: Any) -> Message:
        job = self.jobs[name]
        kind = job.WhichOneof("job")
        asked = getattr(job, kind)
        self.seen[name] = self.seen.get(name, 0) + 1
        if self.seen[name] <= self.looks:
            asked.job_state = pb.JOB_STATE_PROVISIONING_DEVICE
        elif reason := self.fail.get(kind.removesuffix("_job")):
            asked.job_state, asked.failure_reason = pb.JOB_STATE_FAILED, reason
        else:
            asked.job_state = pb.JOB_STATE_DONE
        return job

    def _result(self, name: str, *_: Any) -> Message:
        asked = self.jobs[name].inference_job
        model = self.models[asked.model.model_id]
        result = pb.InferenceJobResult(inference_job_id=name)
        if asked.is_profiling_on:
            result.detail.CopyFrom(profile_of(model.origin))
        else:
            result.output_dataset_id = self._run(model, self.datasets[asked.dataset.dataset_id])
        return pb.JobResult(inference_job_result=result)

    def _run(self, model: Model, dataset: bytes) -> str:
        with h5py.File(io.BytesIO(dataset), "r") as file:
            inputs = h5_to_dataset_entries(file)
        session = ort.InferenceSession(model.origin, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        (input_name,) = inputs
        rows = [session.run(names, {input_name: one}) for one in inputs[input_name]]
        noise = np.random.default_rng(0)
        answers = {}
        for place, name in enumerate(names):
            called = f"output_{place}" if self.rename_outputs else name
            answers[called] = [self._noisy(row[place], noise) for row in rows]
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            dataset_entries_to_h5(answers, file)
        name = self._name("d")
        self.datasets[name] = content.getvalue()
        return name

    def _noisy(self, values: NDArray[Any], noise: np.random.Generator) -> NDArray[Any]:
        spread = self.noise * float(np.abs(values).max())
        return (values + noise.normal(0, spread, values.shape)).astype(np.float32)


class HubServer(ThreadingHTTPServer):
    """Serves a `HubService` on a free port of this machine."""

    daemon_threads = True

    def __init__(self, service: HubService) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        service.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def _reply(self) -> None:
        service, url = self.server.service, urlparse(self.path)
        body = self._body()
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        status, kind, content = 200, "application/x-protobuf", b""
        with service.lock:
            service.requests.append(f"{self.command} {url.path}")
            if service.broken:
                status = service.broken
            elif url.path.startswith("/api") and self.headers["Authorization"] != f"token {TOKEN}":
                status = 401
            else:
                try:
                    found = service.answer(self.command, url.path, query, body)
                    if isinstance(found, bytes):
                        kind, content = "application/octet-stream", found
                    else:
                        content = found.SerializeToString()
                except LookupError:
                    status = 404
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"etag"')
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    do_GET = do_POST = do_PUT = do_PATCH = _reply  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def rounded(model: bytes) -> bytes:
    """The same model with the weights of every output channel rounded to 8 bits."""
    parsed = onnx.load_model_from_string(model)
    for tensor in parsed.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            step = np.abs(values).max(axis=(1, 2, 3), keepdims=True) / 127
            step[step == 0] = 1
            tensor.CopyFrom(
                numpy_helper.from_array(
                    np.rint(values / step).astype(np.float32) * step, tensor.name
                )
            )
    return bytes(parsed.SerializeToString())


def precompiled(model: bytes, soc: Soc) -> bytes:
    """A zip of a context binary and the ONNX file that names it, as AI Hub gives it."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "source.onnx", Path(scratch) / "model.onnx"
        source.write_bytes(model)
        _compile_model(source, soc, out)
        with zipfile.ZipFile(content, "w") as archive:
            for file in sorted(Path(scratch).glob("model*")):
                archive.write(file, f"model.onnx/{file.name}")
    return content.getvalue()


def profile_of(model: bytes) -> Message:
    """A profile: a millisecond, 1 to 12 MB, every node on the NPU but one."""
    nodes = onnx.load_model_from_string(model).graph.node
    units = [pb.COMPUTE_UNIT_CPU] + [pb.COMPUTE_UNIT_NPU] * (len(nodes) - 1)
    memory = pb.Range(lower=1_000_000, upper=12_000_000)
    return pb.ProfileDetail(
        execution_time=1042,
        major_version=1,
        minor_version=2,
        execution_memory=pb.ProfileDetail.MemoryUsage(increase=memory, peak=memory),
        layer_details=[
            pb.LayerDetail(name=node.name, layer_type_name=node.op_type, compute_unit=unit)
            for node, unit in zip(nodes, units, strict=True)
        ],
    )
