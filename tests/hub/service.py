"""A stand-in for AI Hub's service, for AI Hub's real client.

It stores uploads, which come in parts, as to S3, and each job needs several requests for its state
until it is done. Options that no such job has are refused. Its devices compute: a compiled model
answers as ONNX Runtime does on the CPU, plus the noise that a test sets; compiled for TFLite, with
other names and the channels of maps last. Precompiled models are real context binaries. Its 8-bit
models are the given models in QDQ form, calibrated on the uploaded crops.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from qai_hub import public_api_pb2 as pb

from annotate.domain.soc import find_soc
from tests.hub.devices import HOSTED
from tests.hub.models import precompile, profile, quantized, run

TOKEN = "secret-token-of-the-tests"  # noqa: S105
# Bytes of a part of an upload: most models come in several.
PART_BYTES = 4 << 20
# Versions of the QAIRT SDK by what `--qairt_version` may say.
SDKS = {"default": "2.40", "latest": "2.999"}
_SDK = re.compile(r"\d+\.\d+")
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
# Options that the service knows, by kind of job.
_OPTIONS = {
    "quantize_job": {"--range_scheme"},
    "compile_job": {"--target_runtime", "--qairt_version", "--compute_unit"},
    "link_job": {"--qairt_version"},
    "inference_job": {"--compute_unit", "--max_profiler_iterations"},
}


@dataclass
class Model:
    """A model of the service; `origin` is the ONNX model that it was made from."""

    message: Any
    origin: bytes = b""
    content: bytes = b""
    ending: str = ".onnx"


@dataclass
class HubService:
    """The service's state, and its faults.

    Attributes:
        noise: standard deviation of what the devices add to every output, as a fraction of its
            greatest magnitude.
        fail: reasons by kind of job: jobs of that kind fail.
        fail_from: which of them do: those from this number on, by kind; without, all.
        polls: number of requests for a job's state until it is done.
        soc_model: the SoC number in the metadata of precompiled models, if not the true one.
        broken: the HTTP status of every answer, or None where the service works.
        rename_outputs: the devices rename outputs.
        requests: method and path of all requests.
    """

    url: str = ""
    noise: float = 0.0
    fail: dict[str, str] = field(default_factory=dict)
    fail_from: dict[str, int] = field(default_factory=dict)
    polls: int = 8
    soc_model: str = ""
    broken: int | None = None
    rename_outputs: bool = False
    requests: list[str] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    datasets: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)
    polled: dict[str, int] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def submitted(self, kind: str) -> int:
        """How many jobs of a kind were submitted."""
        return sum(job.WhichOneof("job") == f"{kind}_job" for job in self.jobs.values())

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Message | bytes:
        """The answer to a request.

        Raises:
            LookupError: there is no such address.
        """
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
            (f"POST {api}/models/(\\w+)/multipart_upload/", self._join_model),
            ("PUT /files/models/(\\w+)/(\\d+)", self._put_part),
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
        found = [one.message for one in HOSTED.values() if name in ("", one.name)]
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

    def _upload_urls(self, name: str, query: dict[str, str], _: bytes) -> Message:
        parts = -(-int(query["file_size"]) // PART_BYTES)
        places = [f"{self.url}/files/models/{name}/{number}" for number in range(parts)]
        self.parts[name] = {}
        urls = pb.FileMultipartUploadURL(
            urls=places, upload_id=f"upload-{name}", max_part_size=PART_BYTES
        )
        return pb.FileUploadResponse(multipart_url=urls)

    def _put_part(self, name: str, number: str, _: dict[str, str], body: bytes) -> bytes:
        if len(body) > PART_BYTES:
            raise LookupError("the part is too large")
        self.parts[name][int(number)] = body
        return b""

    def _join_model(self, name: str, _: dict[str, str], body: bytes) -> Message:
        """Joins the parts, whose tags the client must give back in their order."""
        told, parts = pb.FileMultipartUploadComplete.FromString(body), self.parts.pop(name)
        tags = [etag(parts[number]) for number in sorted(parts)]
        if (told.upload_id, list(told.etags)) != (f"upload-{name}", tags):
            raise LookupError("the parts are not those that were uploaded")
        model = self.models[name]
        model.content = model.origin = b"".join(parts[number] for number in sorted(parts))
        return self._created(name)

    def _download_url(self, name: str, *_: Any) -> Message:
        where = pb.FileDownloadURL(
            url=f"{self.url}/files/models/{name}", filename=f"job_{name}{self.models[name].ending}"
        )
        return pb.FileDownloadResponse(url=where)

    def _dataset_url(self, name: str, *_: Any) -> Message:
        where = pb.FileUploadURL(url=f"{self.url}/files/datasets/{name}", file_field_name="file")
        return pb.FileUploadResponse(url=where)

    def _put_dataset(self, name: str, _query: dict[str, str], body: bytes) -> bytes:
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
        details, name = getattr(job, kind), self._name("j")
        setattr(details, f"{kind}_id", name)
        details.job_state = pb.JOB_STATE_CREATED
        _options(kind, details.options)
        if kind == "compile_job":
            details.device.CopyFrom(details.devices.devices[0])
        if kind != "inference_job":
            source = details.models.models[0] if kind == "link_job" else details.model
            made = self._make(kind, details, self.models[source.model_id])
            made.message.model_id = self._name("m")
            made.message.producer_id = name
            self.models[made.message.model_id] = made
            details.target_model.CopyFrom(made.message)
        self.jobs[name] = job
        return self._created(name)

    def _make(self, kind: str, details: Any, source: Model) -> Model:
        """The model that a job makes."""
        options = _options(kind, details.options)
        runtime = options.get("--target_runtime", "")
        if kind == "quantize_job":
            model = Model(pb.Model(name="q", model_type=pb.MODEL_TYPE_ONNX), source.origin)
            crops = self.datasets[details.calibration_dataset.dataset_id]
            model.origin = model.content = quantized(source.origin, crops)
        elif kind == "link_job":
            model = Model(pb.Model(model_type=pb.MODEL_TYPE_QNN_CONTEXT_BINARY), source.origin)
            model.content, model.ending = b"context binary", ".bin"
        else:
            model = Model(pb.Model(model_type=_TYPES[runtime]), source.origin)
            model.ending = _ENDINGS[runtime]
            model.content = b"a model for " + runtime.encode()
            if runtime == "precompiled_qnn_onnx":
                soc = find_soc(HOSTED[details.device.name].soc)
                model.content = precompile(source.origin, soc)
                entries = model.message.metadata.entries
                entries[pb.MODEL_METADATA_KEY_QNN_CONTEXT_BIN_SOC_MODEL] = str(soc.soc_model)
                sdk = options.get("--qairt_version", "default")
                full = f"{SDKS.get(sdk, sdk)}.0.251030114326_189385"
                entries[pb.MODEL_METADATA_KEY_QAIRT_SDK_VERSION] = full
        return model

    def _job(self, name: str, *_: Any) -> Message:
        job = self.jobs[name]
        kind = job.WhichOneof("job")
        details = getattr(job, kind)
        self.polled[name] = self.polled.get(name, 0) + 1
        if self.polled[name] <= self.polls:
            details.job_state = pb.JOB_STATE_PROVISIONING_DEVICE
        elif reason := self._reason_to_fail(name, kind):
            details.job_state, details.failure_reason = pb.JOB_STATE_FAILED, reason
        else:
            details.job_state = pb.JOB_STATE_DONE
        return job

    def _reason_to_fail(self, name: str, kind: str) -> str:
        alike = [one for one, job in self.jobs.items() if job.WhichOneof("job") == kind]
        short = kind.removesuffix("_job")
        fails = alike.index(name) + 1 >= self.fail_from.get(short, 0)
        return self.fail.get(short, "") if fails else ""

    def _result(self, name: str, *_: Any) -> Message:
        details = self.jobs[name].inference_job
        model = self.models[details.model.model_id]
        result = pb.InferenceJobResult(inference_job_id=name)
        if details.is_profiling_on:
            result.detail.CopyFrom(profile(model.origin))
        else:
            inputs = self.datasets[details.dataset.dataset_id]
            result.output_dataset_id = self._name("d")
            self.datasets[result.output_dataset_id] = run(
                model.origin,
                inputs,
                noise=self.noise,
                rename_outputs=self.rename_outputs or model.ending == ".tflite",
                channels_last=model.ending == ".tflite",
            )
        return pb.JobResult(inference_job_result=result)


def _options(kind: str, text: str) -> dict[str, str]:
    """A job's options by name.

    Raises:
        LookupError: an option is unknown to such jobs, or has no value.
    """
    words = text.split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    if unknown := set(options) - _OPTIONS[kind]:
        raise LookupError(f"a {kind} has no options {sorted(unknown)}")
    sdk = options.get("--qairt_version", "default")
    if sdk not in SDKS and not _SDK.fullmatch(sdk):
        raise LookupError(f"there is no QAIRT SDK {sdk}")
    return options


def etag(body: bytes) -> str:
    """The tag of an uploaded part, as S3 gives it."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
