// oidc-provider with PKCE, rotation of refresh tokens and its own pages to log in
// and consent. It keeps everything in memory, listens on a free port of loopback,
// prints one line of JSON with its issuer, and ends when its standard input does.
// For each line of standard input it prints a line of JSON with what it has seen.
//
// The environment: OIDC_CLIENTS is the JSON of the registered clients, OIDC_ACCESS_TTL,
// OIDC_REFRESH_TTL and OIDC_CODE_TTL are lifetimes in seconds. With OIDC_TLS_CERT and
// OIDC_TLS_KEY, both in PEM, it serves TLS and takes certificates of clients. With
// OIDC_DPOP_NONCE each DPoP proof has to carry a nonce of the server's.
import { createServer } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import { createInterface } from 'node:readline';
import { X509Certificate } from 'node:crypto';
import { Provider } from 'oidc-provider';
import { Storage } from './storage.mjs';

const seconds = (name, usual) => Number(process.env[name] ?? usual);

// renewed counts token sets for a refresh token, revoked the grants that ended
// because a code or a refresh token came back, refused the token requests without
// tokens, pushed the authorization requests that were sent ahead, bound the token
// sets that are bound to a key of the client's. auth are the ways by which clients
// have proven themselves for the token sets.
const seen = { renewed: 0, revoked: 0, refused: 0, pushed: 0, bound: 0, auth: {} };

// certificate is the one that a client has shown in the handshake.
function certificate(ctx) {
  const raw = ctx.socket.getPeerCertificate?.()?.raw;
  return raw ? new X509Certificate(raw) : undefined;
}

const tls = process.env.OIDC_TLS_CERT;
const server = tls
  ? createTLSServer({ cert: tls, key: process.env.OIDC_TLS_KEY, requestCert: true, rejectUnauthorized: false })
  : createServer();
const nonce = process.env.OIDC_DPOP_NONCE !== undefined;

server.listen(0, '127.0.0.1', () => {
  const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    adapter: Storage,
    clients: JSON.parse(process.env.OIDC_CLIENTS ?? '[]'),
    clientAuthMethods: [
      'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none',
      ...(tls ? ['self_signed_tls_client_auth'] : []),
    ],
    // Without the dispatcher that keeps it away from loopback, where the keys of clients are.
    fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, requireNonce: () => nonce, nonceSecret: nonce ? Buffer.alloc(32, 7) : undefined },
      introspection: { enabled: true },
      mTLS: { enabled: Boolean(tls), selfSignedTlsClientAuth: true, getCertificate: certificate },
      revocation: { enabled: true },
    },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: true }),
    }),
    cookies: { keys: ['a key for the cookies of a test'] },
    ttl: {
      AccessToken: seconds('OIDC_ACCESS_TTL', 600),
      AuthorizationCode: seconds('OIDC_CODE_TTL', 60),
      ClientCredentials: seconds('OIDC_ACCESS_TTL', 600),
      DeviceCode: 600,
      Grant: 86400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: seconds('OIDC_REFRESH_TTL', 86400),
      Session: 86400,
    },
  });
  provider.on('grant.success', (ctx) => {
    if (ctx.oidc.params.grant_type === 'refresh_token') seen.renewed += 1;
    if (ctx.oidc.entities.RefreshToken?.jkt) seen.bound += 1;
    const method = ctx.oidc.client.clientAuthMethod;
    seen.auth[method] = (seen.auth[method] ?? 0) + 1;
  });
  provider.on('grant.revoked', () => { seen.revoked += 1; });
  provider.on('grant.error', () => { seen.refused += 1; });
  provider.on('pushed_authorization_request.success', () => { seen.pushed += 1; });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});

createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify(seen)))
  .on('close', () => process.exit(0));
