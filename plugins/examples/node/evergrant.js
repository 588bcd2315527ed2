// Serves a provider to an Evergrant hub: the whole wire of a plugin in Node.js.
//
// The hub starts the program, which answers with one line on standard output and
// then serves gRPC on a Unix socket under mutual TLS. It has no network: a
// provider asks the hub for each HTTP request and gets the reply back.
import { readFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { newCertificate } from './certificate.js';

const here = dirname(fileURLToPath(import.meta.url));
const options = { keepCase: true, longs: String, enums: String, bytes: Buffer, arrays: true, oneofs: true };
const contract = protoLoader.loadFileDescriptorSetFromBuffer(readFileSync(join(here, 'provider.binpb')), options);
const PACKAGE = 'evergrant.provider.v1.';

// Failure says who has to act. Its message must hold no secret.
export class Failure extends Error {
  // kind: internal, transient, blocked, reauthorization_required or denied.
  constructor(kind, message, { code = '', status = 0, retryAfter } = {}) {
    super(message);
    Object.assign(this, { kind, code, status, retryAfter });
  }
}

const KINDS = {
  internal: ['ERROR_KIND_UNSPECIFIED', grpc.status.INTERNAL],
  transient: ['ERROR_KIND_TRANSIENT', grpc.status.UNAVAILABLE],
  blocked: ['ERROR_KIND_BLOCKED', grpc.status.FAILED_PRECONDITION],
  reauthorization_required: ['ERROR_KIND_REAUTHORIZATION_REQUIRED', grpc.status.UNAUTHENTICATED],
  denied: ['ERROR_KIND_DENIED', grpc.status.PERMISSION_DENIED],
};

const varint = (n) => {
  const out = [];
  for (; n > 0x7f; n >>>= 7) out.push((n & 0x7f) | 0x80);
  return Buffer.from([...out, n]);
};
const field = (number, data) => Buffer.concat([Buffer.from([(number << 3) | 2]), varint(data.length), data]);

// statusOf writes a google.rpc.Status with an ErrorDetail, by hand: two fields
// and an Any.
function statusOf(failure) {
  const detail = contract[PACKAGE + 'ErrorDetail'].serialize({
    kind: KINDS[failure.kind][0], code: failure.code, message: failure.message, http_status: failure.status,
    ...(failure.retryAfter === undefined ? {} : { retry_after: { seconds: failure.retryAfter } }),
  });
  const any = Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${PACKAGE}ErrorDetail`)), field(2, detail)]);
  return Buffer.concat([Buffer.from([0x08]), varint(KINDS[failure.kind][1]), field(2, Buffer.from(failure.message)), field(3, any)]);
}

function fail(call, error) {
  // The text of an unknown error may quote what was being read.
  const failure = error instanceof Failure ? error : new Failure('internal', `the provider failed: ${error?.name ?? 'Error'}`);
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', statusOf(failure));
  call.emit('error', { code: KINDS[failure.kind][1], details: failure.message, metadata });
}

// operate runs one operation: start down, requests up, replies down, result up.
function operate(providers, call) {
  let step = 0;
  let waiting = null;
  const http = (method, url, headers = {}, body = '') => new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    call.write({
      http_request: {
        step: step++, method, url, body: Buffer.from(body), headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      },
    });
  });
  // sign has a key of the hub sign claims and resolves with the JWT.
  const sign = (key, claims) => new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    call.write({ sign_request: { step: step++, key, claims_json: Buffer.from(JSON.stringify(claims)) } });
  });
  const begin = async ({ start }) => {
    const provider = providers.get(start.provider);
    if (!provider) return call.emit('error', { code: grpc.status.NOT_FOUND, details: 'no such provider' });
    const grant = start.operation;
    if (typeof provider[grant] !== 'function') {
      return call.emit('error', { code: grpc.status.UNIMPLEMENTED, details: `the provider does not serve ${grant}` });
    }
    try {
      call.write({ result: await provider[grant](start, start[grant], http, sign) });
      call.end();
    } catch (error) {
      fail(call, error);
    }
  };
  const receive = ({ http_response: wire, sign_response: signed }) => {
    const { resolve, reject } = waiting;
    waiting = null;
    if (signed) {
      return signed.failure ? reject(new Failure('blocked', signed.failure, { code: 'key_unusable' })) : resolve(signed.jwt);
    }
    if (wire.failure) {
      const refused = wire.failure.refused;
      return reject(new Failure(refused ? 'internal' : 'transient', wire.failure.message, { code: refused ? 'refused' : 'no_reply' }));
    }
    resolve({ status: wire.status, body: wire.body, headers: Object.fromEntries(wire.headers.map((h) => [h.name.toLowerCase(), h.value])) });
  };
  call.on('data', (request) => (request.start ? begin(request) : waiting && receive(request)));
  call.on('cancelled', () => { waiting = null; });
  call.on('error', () => {});
}

const raw = (path) => ({
  path, requestStream: false, responseStream: false,
  requestSerialize: (b) => b, requestDeserialize: (b) => b, responseSerialize: (b) => b, responseDeserialize: (b) => b,
});

// serve serves providers until the hub ends the process. A hub that lacks one of the
// features in needs refuses the plugin by that name.
export function serve({ version, needs = [] }, ...served) {
  if (!process.env.EVERGRANT_PLUGIN) {
    console.error('This program is a plugin of Evergrant; the hub starts it.');
    process.exit(1);
  }
  const providers = new Map(served.map((p) => [p.description.name, p]));
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 1 << 20, 'grpc.max_send_message_length': 1 << 20 });
  const stop = () => server.tryShutdown(() => process.exit(0));
  server.addService(contract[PACKAGE + 'ProviderService'], {
    Describe: (_call, answer) => answer(null, { version, needs, descriptions: served.map((p) => p.description) }),
    Operate: (call) => operate(providers, call),
  });
  server.addService({ Check: raw('/grpc.health.v1.Health/Check') }, { Check: (_c, answer) => answer(null, Buffer.from([0x08, 1])) });
  server.addService({ Shutdown: raw('/plugin.GRPCController/Shutdown') }, {
    Shutdown: (_c, answer) => { answer(null, Buffer.alloc(0)); setTimeout(stop, 10); },
  });
  const own = newCertificate();
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(process.env.PLUGIN_CLIENT_CERT), [{ private_key: own.key, cert_chain: own.pem }], true,
  );
  const folder = process.env.PLUGIN_UNIX_SOCKET_DIR || mkdtempSync(join(tmpdir(), 'evergrant'));
  const path = join(folder, `plugin-${process.pid}.sock`);
  server.bindAsync(`unix:${path}`, credentials, (error) => {
    if (error) throw error;
    process.stdout.write(`1|1|unix|${path}|grpc|${own.der.toString('base64').replace(/=+$/, '')}\n`);
  });
  process.on('SIGTERM', stop);
}
