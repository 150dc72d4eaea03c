"""Calls a container runtime as the kubelet does (CRI runtime.v1). Needs Debian's python3-grpcio and
python3-protobuf; the messages come from cri.proto, compiled once per run."""

import importlib.util
import os
import subprocess
import sys
import tempfile

CALL_TIMEOUT = 60
_MODULE = "cri_pb2"


def messages():
    """The module that protoc makes of cri.proto."""
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    source = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory(prefix="oombox-", dir="/tmp") as folder:
        subprocess.run(["protoc", f"--proto_path={source}", f"--python_out={folder}", "cri.proto"],
                       check=True, stdin=subprocess.DEVNULL)
        spec = importlib.util.spec_from_file_location(_MODULE, os.path.join(folder, f"{_MODULE}.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    sys.modules[_MODULE] = module
    return module


class Cri:
    """One connection to a runtime's socket: `cri.call("StartContainer", container_id=id)`."""

    def __init__(self, socket):
        import grpc  # skipped without: see lib.containerd.obstacle
        self.pb = messages()
        self.failed = grpc.RpcError
        self._channel = grpc.insecure_channel(f"unix:{socket}")

    def call(self, method, service="RuntimeService", deadline=CALL_TIMEOUT, **fields):
        request = getattr(self.pb, f"{method}Request")(**fields)
        response = getattr(self.pb, f"{method}Response")
        ask = self._channel.unary_unary(
            f"/runtime.v1.{service}/{method}", request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString)
        return ask(request, timeout=deadline)

    def image_id(self, name):
        """None when the runtime does not know the image."""
        spec = self.pb.ImageSpec(image=name)
        return self.call("ImageStatus", service="ImageService", image=spec).image.id or None

    def close(self):
        self._channel.close()
