// oidc-provider with PKCE, rotation of refresh tokens and its own pages to log in
// and consent. It keeps everything in memory, listens on a free port of loopback,
// prints one line of JSON with its issuer, and ends when its standard input does.
//
// The environment: OIDC_CLIENTS is the JSON of the registered clients, OIDC_ACCESS_TTL,
// OIDC_REFRESH_TTL and OIDC_CODE_TTL are lifetimes in seconds.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const seconds = (name, usual) => Number(process.env[name] ?? usual);

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
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
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
