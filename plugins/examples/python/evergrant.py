"""Serves a provider to an Evergrant hub: the whole wire of a plugin in Python.

The hub starts the program, which answers with one line on standard output and
then serves gRPC on a Unix socket under mutual TLS. It has no network: a provider
asks the hub for each HTTP request by yielding it, and gets the reply back.

Needs Debian's python3-grpcio, python3-protobuf and python3-cryptography. The
messages come from provider.binpb, the compiled contract
(`buf build proto --as-file-descriptor-set`), so no code is generated.
"""

import base64
import datetime
import json
import os
import signal
import sys
import tempfile
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from google.protobuf import empty_pb2, timestamp_pb2  # noqa: F401  (registers what the contract imports)

PACKAGE = "evergrant.provider.v1."
COOKIE_KEY = "EVERGRANT_PLUGIN"

_pool = descriptor_pool.Default()


def _load():
    here = os.path.dirname(os.path.realpath(__file__))
    files = descriptor_pb2.FileDescriptorSet()
    with open(os.path.join(here, "provider.binpb"), "rb") as f:
        files.ParseFromString(f.read())
    for file in files.file:
        if not file.name.startswith("google/protobuf/"):
            _pool.AddSerializedFile(file.SerializeToString())


_load()
_factory = message_factory.MessageFactory(_pool)


def message(name):
    """message returns the class of a message of the contract."""
    return _factory.GetPrototype(_pool.FindMessageTypeByName(PACKAGE + name))


class Request:
    """Request is what a provider yields to have the hub send it."""

    def __init__(self, method, url, headers=None, body=b""):
        self.method, self.url, self.headers, self.body = method, url, headers or {}, body


class Sign:
    """Sign is what a provider yields to have a key of the hub sign claims; it gets the JWT.

    The key is one that the description declares, or "client-secret"."""

    def __init__(self, key, claims):
        self.key, self.claims = key, claims


class Reply:
    """Reply is what the service answered."""

    def __init__(self, wire):
        self.status, self.body = wire.status, wire.body
        self.headers = {h.name.lower(): h.value for h in wire.headers}


class Failure(Exception):
    """Failure says who has to act. Its text must hold no secret."""

    KINDS = {
        "internal": (0, grpc.StatusCode.INTERNAL),
        "transient": (1, grpc.StatusCode.UNAVAILABLE),
        "blocked": (2, grpc.StatusCode.FAILED_PRECONDITION),
        "reauthorization_required": (3, grpc.StatusCode.UNAUTHENTICATED),
        "denied": (4, grpc.StatusCode.PERMISSION_DENIED),
    }

    def __init__(self, kind, text, code="", status=0, retry_after=None):
        super().__init__(text)
        self.kind, self.code, self.status, self.retry_after = kind, code, status, retry_after

    def details(self):
        number, _ = self.KINDS[self.kind]
        detail = message("ErrorDetail")(kind=number, code=self.code, message=str(self), http_status=self.status)
        if self.retry_after is not None:
            detail.retry_after.CopyFrom(duration_pb2.Duration(seconds=int(self.retry_after)))
        return detail


class NoReply(Failure):
    """NoReply is raised where a request is yielded and nothing came back."""

    def __init__(self, wire):
        kind = "internal" if wire.refused else "transient"
        super().__init__(kind, wire.message, code="refused" if wire.refused else "no_reply")


def _status_of(failure):
    """A google.rpc.Status, written by hand: two fields and an Any."""
    _, code = Failure.KINDS[failure.kind]
    detail = any_pb2.Any()
    detail.Pack(failure.details())

    def field(number, data):
        return bytes([number << 3 | 2]) + _varint(len(data)) + data

    text = str(failure).encode()
    return b"\x08" + _varint(code.value[0]) + field(2, text) + field(3, detail.SerializeToString())


def _varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


class _Service:
    def __init__(self, providers, version, needs):
        self.providers, self.version, self.needs = {p.description().name: p for p in providers}, version, needs

    def describe(self, _request, _context):
        return message("DescribeResponse")(version=self.version, needs=self.needs, descriptions=[p.description() for p in self.providers.values()])

    def operate(self, messages, context):
        """Runs one operation: start down, requests up, replies down, result up."""
        start = next(messages).start
        provider = self.providers.get(start.provider)
        if provider is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such provider")
        grant = start.WhichOneof("operation")
        method = getattr(provider, grant, None)
        if method is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "the provider does not serve " + grant)
        try:
            yield from self._drive(method(start, getattr(start, grant)), messages)
        except Failure as failure:
            context.set_trailing_metadata((("grpc-status-details-bin", _status_of(failure)),))
            context.abort(Failure.KINDS[failure.kind][1], str(failure))
        except Exception as error:  # pylint: disable=broad-except
            # Its text may quote what was being read, so only its type is told.
            failure = Failure("internal", "the provider failed: " + type(error).__name__)
            context.set_trailing_metadata((("grpc-status-details-bin", _status_of(failure)),))
            context.abort(grpc.StatusCode.INTERNAL, str(failure))

    @staticmethod
    def _drive(steps, messages):
        reply, step = None, 0
        while True:
            try:
                request = steps.throw(reply) if isinstance(reply, Failure) else steps.send(reply)
            except StopIteration as done:
                yield message("OperateResponse")(result=done.value)
                return
            if isinstance(request, Sign):
                yield message("OperateResponse")(sign_request=message("SignRequest")(
                    step=step, key=request.key, claims_json=json.dumps(request.claims).encode()))
                wire = next(messages).sign_response
                reply = Failure("blocked", wire.failure, code="key_unusable") if wire.failure else wire.jwt
            else:
                headers = [message("Header")(name=n, value=v) for n, v in request.headers.items()]
                yield message("OperateResponse")(http_request=message("HttpRequest")(
                    step=step, method=request.method, url=request.url, headers=headers, body=request.body))
                wire = next(messages).http_response
                reply = NoReply(wire.failure) if wire.HasField("failure") else Reply(wire)
            step += 1


def _certificate():
    """A certificate for this process alone, which the hub learns from the handshake."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5)).not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(x509.KeyUsage(True, False, True, False, True, True, False, False, False), True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH, x509.ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _credentials():
    key, certificate = _certificate()
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    hub = os.environ["PLUGIN_CLIENT_CERT"].encode()
    credentials = grpc.ssl_server_credentials([(secret, pem)], root_certificates=hub, require_client_auth=True)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return credentials, base64.b64encode(der).decode().rstrip("=")


def _unary(behavior, request, reply):
    return grpc.unary_unary_rpc_method_handler(behavior, request.FromString, reply.SerializeToString)


def serve(*providers, version="0.1.0", needs=()):
    """serve serves providers until the hub ends the process.

    A hub that lacks one of the features in needs refuses the plugin by that name."""
    if COOKIE_KEY not in os.environ:
        sys.exit("This program is a plugin of Evergrant; the hub starts it.")
    service = _Service(providers, version, needs)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=128), options=[
        ("grpc.max_receive_message_length", 1 << 20), ("grpc.max_send_message_length", 1 << 20)])
    operate = grpc.stream_stream_rpc_method_handler(
        service.operate, message("OperateRequest").FromString, message("OperateResponse").SerializeToString)
    raw = bytes  # the few fields of health and controller are written by hand
    identity = (lambda b: b, lambda b: b)
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler(PACKAGE + "ProviderService", {
            "Describe": _unary(service.describe, message("DescribeRequest"), message("DescribeResponse")), "Operate": operate}),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
            "Check": grpc.unary_unary_rpc_method_handler(lambda _r, _c: raw(b"\x08\x01"), *identity)}),
        grpc.method_handlers_generic_handler("plugin.GRPCController", {
            "Shutdown": grpc.unary_unary_rpc_method_handler(lambda _r, _c: _stop(server), *identity)}),
    ))
    credentials, certificate = _credentials()
    folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp(prefix="evergrant")
    path = os.path.join(folder, "plugin-%d.sock" % os.getpid())
    server.add_secure_port("unix:" + path, credentials)
    server.start()
    print("1|1|unix|%s|grpc|%s" % (path, certificate), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(1))
    server.wait_for_termination()


def _stop(server):
    server.stop(1)
    return b""


def log(level, text, **values):
    """log writes a line that the hub shows, on standard error. Never a secret."""
    print(json.dumps({"@level": level, "@message": text, **values}), file=sys.stderr, flush=True)
