// oidc-provider with PKCE, rotation of refresh tokens and its own pages to log in
// and consent. It keeps everything in memory, listens on a free port of loopback,
// prints one line of JSON with its issuer, and ends when its standard input does.
// For each line of standard input it prints a line of JSON with what it has seen.
//
// The environment: OIDC_CLIENTS is the JSON of the registered clients, OIDC_ACCESS_TTL,
// OIDC_REFRESH_TTL and OIDC_CODE_TTL are lifetimes in seconds.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';
import { Storage } from './storage.mjs';

const seconds = (name, usual) => Number(process.env[name] ?? usual);

// renewed counts token sets for a refresh token, revoked the grants that ended
// because a code or a refresh token came back, refused the token requests without
// tokens.
const seen = { renewed: 0, revoked: 0, refused: 0 };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    adapter: Storage,
    clients: JSON.parse(process.env.OIDC_CLIENTS ?? '[]'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: { revocation: { enabled: true } },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: true }),
    }),
    cookies: { keys: ['a key for the cookies of a test'] },
    ttl: {
      AccessToken: seconds('OIDC_ACCESS_TTL', 600),
      AuthorizationCode: seconds('OIDC_CODE_TTL', 60),
      Grant: 86400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: seconds('OIDC_REFRESH_TTL', 86400),
      Session: 86400,
    },
  });
  provider.on('grant.success', (ctx) => { if (ctx.oidc.params.grant_type === 'refresh_token') seen.renewed += 1; });
  provider.on('grant.revoked', () => { seen.revoked += 1; });
  provider.on('grant.error', () => { seen.refused += 1; });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});

createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify(seen)))
  .on('close', () => process.exit(0));
